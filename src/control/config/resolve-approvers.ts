/**
 * Whose signature counts: a name, a role, and an Ed25519 public key.
 *
 * A key is checked when the configuration is read, because a wrong one would be found by whoever has to approve in a hurry. Two approvers with one
 * key would be one person who approves twice, so that is refused. Nothing that stands in the place of a key is repeated in a message: it may be the
 * private one.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import type { ApproverConfig } from '../../model/rollout-config.ts';
import type { ConfigPath } from './faults.ts';
import type { RawApprover } from './raw-rollouts.ts';
import type { Review } from './review.ts';
import type { Surroundings } from './surroundings.ts';

const PATH: ConfigPath = ['approvers'];

const MAKE_ONE =
  'make one with: openssl genpkey -algorithm ed25519 -out key.pem && openssl pkey -in key.pem -pubout -out key.pub';

/** Null where a part has not its shape, so that nobody can be counted. */
export function resolveApprovers(
  raw: unknown,
  review: Review,
  surroundings: Surroundings,
): readonly ApproverConfig[] | null {
  if (raw === undefined) return [];
  if (!Array.isArray(raw) || !review.sound(PATH)) return null;
  const names = new Set<string>();
  const owners = new Map<string, string>();
  return (raw as readonly RawApprover[]).map(({ name, role, publicKey }, index) => {
    const path = [...PATH, index];
    if (names.has(name)) review.report([...path, 'name'], `${name} is there twice; give each approver a name`);
    names.add(name);
    const key = resolvePublicKey(publicKey, [...path, 'publicKey'], review, surroundings);
    const owner = owners.get(key);
    if (key !== '' && owner !== undefined) {
      review.report([...path, 'publicKey'], `is the key of ${owner} already; each approver needs a key of its own`);
    }
    owners.set(key, name);
    return { name, role, publicKey: key };
  });
}

/** PEM in its usual form; empty where a fault has been reported. */
function resolvePublicKey(
  raw: RawApprover['publicKey'],
  path: ConfigPath,
  review: Review,
  surroundings: Surroundings,
): string {
  if (typeof raw === 'string') return readKey(raw, '', path, review);
  const at = [...path, 'file'];
  const file = surroundings.pathOf(raw.file, at);
  const content = surroundings.read(file);
  if ('ok' in content) return readKey(content.ok, `${file} `, at, review);
  review.report(at, content.fault);
  return '';
}

function readKey(text: string, prefix: string, path: ConfigPath, review: Review): string {
  const refuse = (message: string): string => {
    review.report(path, `${prefix}${message}`);
    return '';
  };
  if (text.includes('PRIVATE KEY')) return refuse('is a private key; keep that to yourself and give the public one');
  const key = publicKeyOf(text);
  if (key === null) return refuse(`is no public key in PEM; ${MAKE_ONE}`);
  if (key.asymmetricKeyType !== 'ed25519') {
    return refuse(`is a key of ${key.asymmetricKeyType}, not of Ed25519; ${MAKE_ONE}`);
  }
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

function publicKeyOf(text: string): KeyObject | null {
  // A certificate would be taken as well, and is not what was asked for.
  if (!text.includes('-----BEGIN PUBLIC KEY-----')) return null;
  try {
    return createPublicKey(text);
  } catch {
    return null;
  }
}
