/**
 * Signs what is sent to a webhook, as Standard Webhooks (standardwebhooks.com) lays down, so that receivers can use its libraries.
 *
 *     webhook-signature: v1,base64(HMAC-SHA256(key, "<webhook-id>.<webhook-timestamp>.<body>"))
 *
 * The id is that of the delivery and stays the same over its tries: by it a receiver knows what it has had before. The timestamp is that of the
 * try, in whole seconds, and lets a receiver refuse what somebody recorded and sends again. The key is the secret's bytes, or what
 * follows `whsec_` in base64, as the libraries' own secrets have it. Without a secret there is no signature; the other two fields remain.
 */
import { createHmac } from 'node:crypto';
import type { Secret } from '../../model/secret.ts';

const ENCODED = 'whsec_';

export interface Delivery {
  readonly id: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly body: string;
}

export function webhookHeaders(secret: Secret | undefined, { id, timestamp, body }: Delivery): Record<string, string> {
  const headers = { 'webhook-id': id, 'webhook-timestamp': String(timestamp) };
  if (secret === undefined) return headers;
  const signature = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { ...headers, 'webhook-signature': `v1,${signature}` };
}

function keyOf(secret: Secret): Buffer {
  const value = secret.reveal();
  return value.startsWith(ENCODED) ? Buffer.from(value.slice(ENCODED.length), 'base64') : Buffer.from(value);
}
