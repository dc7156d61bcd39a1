/**
 * What an approver signs, and the signature: the part of an approval that both sides have, the machine with the private key and Sluice.
 *
 *     sluice-approval-v1
 *     rollout r-4f2a
 *     digest 9b1c…
 *     approver release-lead
 *     step 2
 *     signed-at 2026-03-02T09:30:00.000Z
 *
 * Plain lines, each with its line feed, so that somebody who trusts neither this program nor its authors can write the text with `printf`
 * and sign it with `openssl pkeyutl`. The first line keeps the signature from meaning anything elsewhere. Values are escaped as JSON
 * escapes a string, without the quotes: a value with a line feed in it cannot pose as two lines, so different approvals are different
 * texts. The step is its index from 0, −1 for the start.
 *
 * Ed25519 (RFC 8032) because its keys fit on a line, it has no parameter that could be chosen badly, and it needs no random number at
 * signing. Not JWS: its header lets the message choose how it is verified, and it would be a dependency for one signature. The private
 * key never goes anywhere; a key file that is not of this kind is refused with what it is and how to make a right one. No message
 * contains anything of a key.
 *
 * This file imports nothing of Sluice, because the CLI uses it as well.
 */
import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';

export interface ApprovalPayload {
  /** Id of the rollout. */
  readonly rollout: string;
  readonly digest: string;
  /** Name in the configuration. */
  readonly approver: string;
  /** Index of the step that is approved, −1: the start. */
  readonly step: number;
  /** ISO 8601, UTC, with milliseconds: what `toISOString` gives. */
  readonly signedAt: string;
}

const FORMAT = 'sluice-approval-v1';
const SIGNATURE_BYTES = 64;

const MAKE = 'make one with: openssl genpkey -algorithm ed25519 -out key.pem';
const MAKE_PUBLIC = 'its public half is what the configuration has: openssl pkey -in key.pem -pubout';

/** A key file that cannot sign; the message says what it is and how to mend it. */
export class KeyFileError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'KeyFileError';
  }
}

export function approvalPayload({ rollout, digest, approver, step, signedAt }: ApprovalPayload): string {
  const values = { rollout, digest, approver, step: String(step), 'signed-at': signedAt };
  const lines = Object.entries(values).map(([name, value]) => `${name} ${escaped(value)}\n`);
  return `${FORMAT}\n${lines.join('')}`;
}

const escaped = (value: string): string => JSON.stringify(value).slice(1, -1);

/** @param privateKeyPem PKCS#8, not encrypted. @returns base64. @throws KeyFileError */
export function signApproval(privateKeyPem: string, payload: string): string {
  return sign(null, Buffer.from(payload), privateKeyOf(privateKeyPem)).toString('base64');
}

/** Whether that is a signature of the payload by that key; false for whatever is not even a key or a signature. */
export function verifySignature(publicKeyPem: string, payload: string, signature: string): boolean {
  try {
    const bytes = signatureBytes(signature);
    const key = createPublicKey(publicKeyPem);
    return bytes !== null && key.asymmetricKeyType === 'ed25519' && verify(null, Buffer.from(payload), key, bytes);
  } catch {
    return false;
  }
}

/** Null where the text is not 64 bytes in base64. There is one text for each signature: the decoder alone would take many. */
export function signatureBytes(signature: string): Buffer | null {
  const bytes = Buffer.from(signature, 'base64');
  return bytes.length === SIGNATURE_BYTES && bytes.toString('base64') === signature ? bytes : null;
}

/** SHA-256 of the key in DER form, hexadecimal: the same however the PEM is wrapped. Null for what is no key. */
export function keyFingerprint(publicKeyPem: string): string | null {
  try {
    return hash('sha256', createPublicKey(publicKeyPem).export({ type: 'spki', format: 'der' }));
  } catch {
    return null;
  }
}

function privateKeyOf(pem: string): KeyObject {
  const known = unusable(pem);
  if (known !== null) throw new KeyFileError(known);
  const key = parsed(pem);
  if (key === null) throw new KeyFileError(`the private key cannot be read; the file is damaged; ${MAKE}`);
  const type = key.asymmetricKeyType;
  if (type !== 'ed25519') throw new KeyFileError(`this is a key for ${kindOf(type)}, not for Ed25519; ${MAKE}`);
  return key;
}

function parsed(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    // Its message speaks of decoders; that it cannot be read is all that anyone can use.
    return null;
  }
}

/** What a file is that is no plain PKCS#8 key, by what it says of itself; null where it may be one. */
function unusable(pem: string): string | null {
  const label = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(pem)?.[1];
  if (label === undefined) return `this is not a key file in PEM form (no line -----BEGIN PRIVATE KEY-----); ${MAKE}`;
  if (label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
    return 'the private key is encrypted with a passphrase; decrypt it where only you can read it: openssl pkey -in key.pem -out plain.pem';
  }
  if (label === 'OPENSSH PRIVATE KEY') return `this is a key in the format of OpenSSH, which is not PKCS#8; ${MAKE}`;
  if (label.endsWith('PUBLIC KEY')) return `this is a public key; signing takes the private one; ${MAKE_PUBLIC}`;
  if (label.includes('CERTIFICATE')) return `this is a certificate (${label}), not a private key; ${MAKE}`;
  if (label.endsWith(' PRIVATE KEY')) {
    return `this is a key for ${label.slice(0, -' PRIVATE KEY'.length)}, not for Ed25519; ${MAKE}`;
  }
  return label === 'PRIVATE KEY' ? null : `this is ${label}, not a private key; ${MAKE}`;
}

const kindOf = (type: string | undefined): string => (type === undefined ? 'something unknown' : type.toUpperCase());
