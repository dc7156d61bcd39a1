/**
 * Every example of a configuration in the documentation is one that Sluice takes.
 *
 * A block that has `listen` is a whole file and is read as it stands; one that has `services` alone is laid over the file below. Others are
 * parts, and are completed by where they belong, which their first key says:
 *
 *   a key of the file (`trustedProxies:`)   stands beside one service, shop, with the versions v1 (stable) and v2 (canary)
 *   a key of a service (`split:`)           stands in that service
 *   an entry of a list (`- match:`)         is a route, beside the service
 *   nothing but comments                    stands at the head of the file
 *
 * A key that stands several times in a part is several examples. A part that fits none of these is a fault, so that none goes unread. YAML that
 * is for another program says so behind the language, as in "yaml traefik", and is none of these.
 *
 * Variables, secrets and certificates that an example names are there, whatever they are called.
 */
import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { configSchema } from '../../src/control/config/schema.ts';
import { serviceSchema } from '../../src/control/config/schema-service.ts';
import { CERTIFICATE, PRIVATE_KEY } from './certificate.ts';
import { faultsOf, faultsOfTexts } from './fault-cases.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const FILE = `listen: :8080
services:
  shop:
    versions:
      v1: { endpoints: [ "http://127.0.0.1:3001" ] }
      v2: { endpoints: [ "http://127.0.0.1:3002" ] }
    lanes: { stable: v1, canary: v2 }
`;

interface Example {
  /** File and line, as editors understand them. */
  readonly place: string;
  readonly text: string;
}

function examplesOf(file: string): Example[] {
  const page = readFileSync(`${root}${file}`, 'utf8');
  return [...page.matchAll(/^```ya?ml\n(.*?)^```/gms)].map(({ index, 1: text = '' }) => ({
    place: `${file}:${page.slice(0, index).split('\n').length}`,
    text,
  }));
}

/** Whole files that the example stands for; empty where no rule knows it. */
export function filesOf(text: string): string[] {
  if (/^(services|listen):/m.test(text)) return [text];
  if (/^\s*- match:/.test(text)) return [`${FILE}routes:\n${text}`];
  if (/^(#.*\n|\s*\n)*$/.test(text)) return [text + FILE];
  return text.split(/^(?=[A-Za-z])/m).flatMap((part) => {
    const key = /^[A-Za-z]+/.exec(part)?.[0] ?? '';
    if (Object.hasOwn(configSchema.properties ?? {}, key)) return [FILE + part];
    if (Object.hasOwn(serviceSchema.properties ?? {}, key)) return [FILE + part.replace(/^/gm, '    ')];
    return [];
  });
}

const SECRETS = t.testdir({ 'cert.pem': CERTIFICATE, 'key.pem': PRIVATE_KEY });

/** What is wrong with a whole file in a world that has everything it names. */
function faultsOfExample(text: string): readonly string[] {
  const env: Record<string, string> = {};
  for (const [, name = ''] of text.matchAll(/\benv: ?([A-Za-z_][A-Za-z0-9_]*)/g)) env[name] = `the-value-of-${name}`;
  let files = 0;
  const furnished = text
    .replaceAll(/\bpublicKey: ?\{ ?file: ?[^\s}]+/g, () => {
      const { publicKey } = generateKeyPairSync('ed25519');
      const file = join(SECRETS, `approver-${++files}.pub`);
      writeFileSync(file, publicKey.export({ type: 'spki', format: 'pem' }));
      return `publicKey: { file: ${file}`;
    })
    .replaceAll(/(?<!publicKey: \{ )\bfile:( ?)[^\s,}\]"]+/g, (_, space: string) => {
      const file = join(SECRETS, `secret-${++files}`);
      writeFileSync(file, `the-content-of-${files}`);
      return `file:${space}${file}`;
    })
    .replaceAll(
      /\b(cert|key): [^\s,}{"]+\.(pem|crt|key)\b/g,
      (_, which: string) => `${which}: ${SECRETS}/${which}.pem`,
    );
  const isOverlay = /^services:/m.test(text) && !/^listen:/m.test(text);
  return isOverlay ? faultsOfTexts({ file: FILE, example: furnished }, env) : faultsOf(furnished, env);
}

t.test('parts are completed, and what fits no rule is not', async (t) => {
  t.same(filesOf('split: { strategy: round_robin }\nsplit: { weights: { v1: 100 } }\n').length, 2);
  for (const part of [
    'split: { strategy: round_robin }\n',
    'workers: 1\n',
    '  - match: {}\n    service: shop\n',
    '# x\n',
  ]) {
    t.strictSame(
      filesOf(part).map((text) => faultsOf(text)),
      [[]],
      part,
    );
  }
  t.match(
    filesOf('split: { strategy: turns }\n').map((text) => faultsOf(text)),
    [[/^8:24: .*no strategy turns/]],
  );
  t.match(faultsOf(filesOf('listen: :80\n')[0] ?? ''), [/services is missing/], 'a whole file is not completed');
  t.same(filesOf('colour: blue\n'), []);
});

const pages = readdirSync(`${root}docs`, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'));

for (const file of ['README.md', ...pages.map((name) => `docs/${name}`)]) {
  for (const { place, text } of examplesOf(file)) {
    t.test(place, async (t) => {
      const files = filesOf(text);
      t.not(files.length, 0, 'is a whole file or a part that is known');
      for (const whole of files) t.strictSame(faultsOfExample(whole), [], whole);
    });
  }
}
