/**
 * A certificate and its key, checked when the configuration is read: a pair that does not go together would otherwise be found by the first
 * client, as a handshake that fails for no reason it can tell.
 *
 * The files are named, not kept: whoever listens reads them, so that the key is in no configuration and in no message.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { ConfigPath } from './faults.ts';
import type { Review } from './review.ts';
import type { Surroundings } from './surroundings.ts';

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** Call where the part at `path` is sound. @returns absolute paths. */
export function resolveTls(
  raw: CertificateFiles,
  path: ConfigPath,
  review: Review,
  surroundings: Surroundings,
): CertificateFiles {
  const read = <Part>(key: 'cert' | 'key', parse: (text: string) => Part): readonly [string, string, Part | null] => {
    const at = [...path, key];
    const file = surroundings.pathOf(raw[key], at);
    const content = surroundings.read(file);
    if ('fault' in content) {
      review.report(at, content.fault);
      return [file, '', null];
    }
    try {
      return [file, content.ok, parse(content.ok)];
    } catch (error) {
      review.report(at, `${file} ${error instanceof PemFault ? error.message : `cannot be used: ${reasonOf(error)}`}`);
      return [file, content.ok, null];
    }
  };
  const [cert, chain, certificate] = read('cert', parseCertificate);
  const [key, secret, privateKey] = read('key', parsePrivateKey);
  if (certificate !== null && privateKey !== null) {
    if (certificate.checkPrivateKey(privateKey)) checkUsable(chain, secret, path, review);
    else review.report([...path, 'key'], `${key} is not the key of ${cert}; name the pair that belongs together`);
  }
  return { cert, key };
}

class PemFault extends Error {}

function parseCertificate(text: string): X509Certificate {
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new PemFault('holds no PEM certificate');
  return new X509Certificate(text);
}

function parsePrivateKey(text: string): KeyObject {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) throw new PemFault('holds no PEM private key');
  if (text.includes('ENCRYPTED')) throw new PemFault('is encrypted; decrypt it with openssl pkey');
  return createPrivateKey(text);
}

/** What TLS refuses beyond that, such as a key that is too short, or a chain with something else in it. */
function checkUsable(cert: string, key: string, path: ConfigPath, review: Review): void {
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    review.report(path, `TLS cannot use the certificate and its key: ${reasonOf(error)}`);
  }
}

/** OpenSSL's errors say what is wrong in their last part, and quote nothing of the file. */
const reasonOf = (error: unknown): string => (error as { reason?: string }).reason ?? 'not valid PEM';
