/**
 * Two keys: the digest and the text that is signed, real Ed25519 keys from Node and from openssl, every approval that is refused, and
 * when those that were taken are enough.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { GivenApproval } from '../../src/control/operations.ts';
import { OperationError } from '../../src/control/problems.ts';
import {
  approvalPayload,
  KeyFileError,
  keyFingerprint,
  signApproval,
  verifySignature,
} from '../../src/control/rollout/approval-payload.ts';
import {
  type ApprovalRequest,
  acceptApproval,
  approvalEvidence,
  approvalState,
  asksForApproval,
  OPEN_ROLE,
  START,
} from '../../src/control/rollout/approvals.ts';
import { canonicalJson, rolloutDigest } from '../../src/control/rollout/digest.ts';
import type { Approval, Rollout } from '../../src/control/rollout/rollout.ts';
import type { ApproverConfig, StrategyConfig } from '../../src/model/rollout-config.ts';
import { Dice } from '../fuzz/dice.ts';
import { leaves, tampered } from './json-leaves.ts';

const NOW = Date.UTC(2026, 2, 2, 9, 30);
const HOUR = 3_600_000;
const iso = (at: number): string => new Date(at).toISOString();

interface Keys {
  readonly publicKey: string;
  readonly privateKey: string;
}

const pkcs8 = (key: KeyObject): string => String(key.export({ type: 'pkcs8', format: 'pem' }));
const spki = (key: KeyObject): string => String(key.export({ type: 'spki', format: 'pem' }));

function newKeys(): Keys {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { publicKey: spki(publicKey), privateKey: pkcs8(privateKey) };
}

const KEYS: Readonly<Record<string, Keys>> = { lead: newKeys(), bot: newKeys(), ci: newKeys() };
const approver = (name: string, role: ApproverConfig['role'], publicKey = KEYS[name]!.publicKey): ApproverConfig => ({
  name,
  role,
  publicKey,
});
const APPROVERS = [approver('lead', 'human'), approver('bot', 'agent'), approver('ci', 'human')];

const STRATEGY = {
  name: 'careful',
  steps: [
    { name: 'first', kind: 'weight', weight: 5, for: 60_000, pass: [] },
    { name: 'approve', kind: 'pause', until: 'approval' },
    { name: 'rest', kind: 'ramp', to: 100, by: 20, every: 1_000, pass: [] },
    { name: 'last', kind: 'pause', until: 'approval' },
  ],
  approvals: { required: 2, roles: ['human', 'agent'], expires: HOUR },
  approveAboveRisk: 40,
} as unknown as StrategyConfig;

const SUBJECT = {
  id: 'r-1',
  service: 'shop',
  version: 'v2',
  stable: 'v1',
  strategy: STRATEGY,
  startedBy: { name: 'ci', role: 'operator' },
  createdAt: NOW - 60_000,
};

const DIGEST = rolloutDigest({ ...SUBJECT, endpoints: ['http://127.0.0.1:3002'] });

const rollout = (changes: Partial<Rollout> = {}): Rollout =>
  ({
    ...SUBJECT,
    digest: DIGEST,
    phase: 'Paused',
    step: 1,
    risk: { score: 50, items: [] },
    pause: null,
    approvals: [],
    ...changes,
  }) as Rollout;

const CI = { name: 'ci', role: 'operator', address: '127.0.0.1', requestId: 'q-1' } as const;

/** As the CLI of that approver makes it. */
function signedBy(name: string, changes: Partial<Parameters<typeof approvalPayload>[0]> = {}): GivenApproval {
  const signedAt = changes.signedAt ?? iso(NOW - 1_000);
  const payload = approvalPayload({ rollout: 'r-1', digest: DIGEST, approver: name, step: 1, signedAt, ...changes });
  return { approver: name, signature: signApproval(KEYS[name]!.privateKey, payload), signedAt };
}

const request = (given: GivenApproval, changes: Partial<ApprovalRequest> = {}): ApprovalRequest => ({
  rollout: rollout(),
  approvers: APPROVERS,
  given,
  actor: CI,
  now: NOW,
  step: 1,
  open: false,
  ...changes,
});

function refusal(given: GivenApproval, changes: Partial<ApprovalRequest> = {}): string {
  try {
    acceptApproval(request(given, changes));
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return `${error.code}${error.faults.map(({ field }) => ` ${field}`).join('')}: ${error.message}`;
  }
  return 'taken';
}

t.test('canonical JSON: the order of keys says nothing, that of lists does', async (t) => {
  t.equal(canonicalJson({ b: [1, null, 'é"\n'], a: { d: undefined, c: -0 } }), '{"a":{"c":0},"b":[1,null,"é\\"\\n"]}');
  t.equal(canonicalJson({ 10: 1, 9: 2, A: 3, a: 4, '': 5 }), '{"":5,"10":1,"9":2,"A":3,"a":4}');
  t.equal(canonicalJson(JSON.parse('{"__proto__":{"a":1}}')), '{"__proto__":{"a":1}}', 'a name like any other');
  t.equal(canonicalJson([undefined, Number.NaN, true]), '[null,null,true]', 'as JSON has it');
  for (let round = 0; round < 200; round++) {
    const dice = new Dice(7, round);
    const value = randomJson(dice, 4);
    const text = canonicalJson(value);
    t.strictSame(JSON.parse(text), JSON.parse(JSON.stringify(value)));
    t.equal(canonicalJson(JSON.parse(text)), text);
    t.equal(canonicalJson(shuffled(value, dice)), text);
  }
});

function randomJson(dice: Dice, depth: number): unknown {
  const kind = dice.below(depth === 0 ? 4 : 6);
  if (kind === 0) return dice.one([null, true, false]);
  if (kind <= 2) return dice.one([0, -1, 1.5, 1e21, 1e-7, 123456789]);
  if (kind === 3) return dice.one(['', 'a', '\u2028', 'ü', '\ud800', '"\\', '\u0000']);
  const parts = Array.from({ length: dice.below(5) }, () => randomJson(dice, depth - 1));
  return kind === 4
    ? parts
    : Object.fromEntries(parts.map((part) => [dice.one(['a', 'b', 'z', '1', 'é', 'toString']), part]));
}

function shuffled(value: unknown, dice: Dice): unknown {
  if (Array.isArray(value)) return value.map((each) => shuffled(each, dice));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, part]) => [dice.below(1_000), key, shuffled(part, dice)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => a - b).map(([, key, part]) => [key, part]));
}

t.test('the digest', async (t) => {
  const subject = {
    ...SUBJECT,
    strategy: { name: 's' } as StrategyConfig,
    createdAt: 5,
    endpoints: ['http://b', 'http://a'],
  };
  const text =
    '{"createdAt":5,"endpoints":["http://a","http://b"],"id":"r-1","service":"shop","stable":"v1",' +
    '"startedBy":{"name":"ci","role":"operator"},"strategy":{"name":"s"},"version":"v2"}';
  t.equal(rolloutDigest(subject), hash('sha256', text));
  const later = { ...subject, endpoints: ['http://a', 'http://b'], phase: 'Paused', step: 3, weight: 20 };
  t.equal(rolloutDigest(later), rolloutDigest(subject), 'what moves is not in it');
  t.equal(rolloutDigest(JSON.parse(JSON.stringify(subject))), rolloutDigest(subject), 'the store changes nothing');
  const whole = { ...SUBJECT, endpoints: ['http://a'] };
  const digests = new Set(leaves(whole).map((path) => rolloutDigest(tampered(whole, path))));
  t.notOk(digests.has(rolloutDigest(whole)), 'every value in it counts');
  t.equal(digests.size, leaves(whole).length);
});

t.test('the payload', async (t) => {
  const payload = { rollout: 'r-1', digest: 'ab12', approver: 'lead', step: 2, signedAt: iso(NOW) };
  const text =
    'sluice-approval-v1\nrollout r-1\ndigest ab12\napprover lead\nstep 2\nsigned-at 2026-03-02T09:30:00.000Z\n';
  t.equal(approvalPayload(payload), text);
  t.match(approvalPayload({ ...payload, step: START }), '\nstep -1\n');
  t.equal(approvalPayload({ ...payload, approver: 'é "x"\\\n' }).split('\n')[3], 'approver é \\"x\\"\\\\\\n');
  const forged = approvalPayload({ ...payload, rollout: 'r-1\ndigest ff', digest: 'ab12' });
  t.equal(forged.split('\n').length, text.split('\n').length, 'a value cannot pose as two lines');
  const page = readFileSync(new URL('../../docs/approvals.md', import.meta.url), 'utf8');
  const shown = approvalPayload({ ...payload, rollout: 'ID', digest: 'DIGEST', approver: 'release-lead' });
  t.match(page, shown.trimEnd(), 'the documentation shows it as it is');
});

t.test('signatures', async (t) => {
  const { privateKey, publicKey } = KEYS.lead!;
  const signature = signApproval(privateKey, 'text');
  t.match(signature, /^[A-Za-z0-9+/]{86}==$/);
  t.ok(verifySignature(publicKey, 'text', signature));
  t.notOk(verifySignature(publicKey, 'text ', signature));
  t.notOk(verifySignature(KEYS.bot!.publicKey, 'text', signature));
  const odd = ['', 'x', 'AAAA', `${signature}\n`, ` ${signature}`, signature.replace('==', ''), `${signature}AAAA`];
  for (const other of [...odd, signature.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')]) {
    t.notOk(verifySignature(publicKey, 'text', other), JSON.stringify(other));
  }
  for (const key of ['', 'no key', publicKey.slice(0, 60), publicKey.replace(/\n.{8}/, '\nAAAAAAAA')]) {
    t.notOk(verifySignature(key, 'text', signature));
    t.equal(keyFingerprint(key), null);
  }
  const bytes = Buffer.from(signature, 'base64');
  for (let bit = 0; bit < bytes.length * 8; bit += 5) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    t.notOk(verifySignature(publicKey, 'text', changed.toString('base64')));
  }
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1_024 });
  t.notOk(verifySignature(spki(rsa.publicKey), 'text', signature));
  const short = generateKeyPairSync('rsa', { modulusLength: 512 });
  const foreign = sign(null, Buffer.from('text'), short.privateKey).toString('base64');
  t.notOk(verifySignature(spki(short.publicKey), 'text', foreign), 'a signature of 64 bytes by another algorithm');
  t.equal(keyFingerprint(publicKey), keyFingerprint(publicKey.replaceAll('\n', '\r\n')));
});

t.test('the published vector: RFC 8032, 7.1, TEST 2', async (t) => {
  const pem = (label: string, hex: string): string =>
    `-----BEGIN ${label}-----\n${Buffer.from(hex, 'hex').toString('base64')}\n-----END ${label}-----\n`;
  const secret = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb';
  const open = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c';
  const signature = signApproval(pem('PRIVATE KEY', `302e020100300506032b657004220420${secret}`), 'r');
  const expected =
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';
  t.equal(Buffer.from(signature, 'base64').toString('hex'), expected);
  t.ok(verifySignature(pem('PUBLIC KEY', `302a300506032b6570032100${open}`), 'r', signature));
});

t.test('key files that cannot sign say what they are and how to make a right one', async (t) => {
  const why = (pem: string): string => {
    try {
      return signApproval(pem, 'text');
    } catch (error) {
      if (!(error instanceof KeyFileError)) throw error;
      return error.message;
    }
  };
  const { privateKey, publicKey } = newKeys();
  const secret = privateKey.split('\n')[1]!;
  const make = 'openssl genpkey -algorithm ed25519 -out key.pem';
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey;
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const cipher = { cipher: 'aes-256-cbc', passphrase: 'x', format: 'pem' } as const;
  const locked = createPrivateKey(privateKey).export({ type: 'pkcs8', ...cipher });
  const oldLocked = rsa.export({ type: 'pkcs1', ...cipher });
  const cases: readonly [string, string | Buffer, string][] = [
    ['nothing', '', 'this is not a key file in PEM form'],
    ['a token', 'hunter2-hunter2', 'this is not a key file in PEM form'],
    ['RSA, PKCS#8', pkcs8(rsa), 'this is a key for RSA, not for Ed25519'],
    ['RSA, PKCS#1', rsa.export({ type: 'pkcs1', format: 'pem' }), 'this is a key for RSA, not for Ed25519'],
    ['EC, SEC 1', ec.export({ type: 'sec1', format: 'pem' }), 'this is a key for EC, not for Ed25519'],
    ['X25519', pkcs8(generateKeyPairSync('x25519').privateKey), 'this is a key for X25519, not for Ed25519'],
    ['OpenSSH', privateKey.replaceAll('PRIVATE', 'OPENSSH PRIVATE'), 'this is a key in the format of OpenSSH'],
    ['damaged', privateKey.replace(secret, secret.slice(0, 20)), 'the private key cannot be read'],
    ['a request', privateKey.replaceAll('PRIVATE KEY', 'CERTIFICATE REQUEST'), 'this is a certificate'],
    ['parameters', privateKey.replaceAll('PRIVATE KEY', 'EC PARAMETERS'), 'this is EC PARAMETERS, not a private key'],
  ];
  for (const [name, pem, expected] of cases) {
    const message = why(String(pem));
    t.match(message, expected, name);
    t.match(message, make, `${name}: how to make one`);
    t.notMatch(message, secret.slice(0, 12));
  }
  t.match(why(publicKey), /^this is a public key; .*openssl pkey -in key\.pem -pubout/);
  for (const pem of [locked, oldLocked])
    t.match(why(String(pem)), /encrypted with a passphrase; .*openssl pkey -in key/);
  t.match(why(`some text before it\n${privateKey.replaceAll('\n', '\r\n')}`), /==$/, 'text around it does no harm');
});

const noOpenssl = spawnSync('openssl', ['version']).error === undefined ? false : 'there is no openssl here';

t.test('keys and signatures of openssl, as the documentation has it', { skip: noOpenssl }, async (t) => {
  const dir = t.testdir();
  const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  openssl('genpkey', '-algorithm', 'ed25519', '-out', 'key.pem');
  openssl('pkey', '-in', 'key.pem', '-pubout', '-out', 'lead.pub');
  const privateKey = readFileSync(join(dir, 'key.pem'), 'utf8');
  const publicKey = readFileSync(join(dir, 'lead.pub'), 'utf8');
  const approvers = [approver('lead', 'human', publicKey)];
  const signedAt = iso(NOW);
  const payload = approvalPayload({ rollout: 'r-1', digest: DIGEST, approver: 'lead', step: 1, signedAt });
  writeFileSync(join(dir, 'approval.txt'), payload);

  openssl('pkeyutl', '-sign', '-rawin', '-inkey', 'key.pem', '-in', 'approval.txt', '-out', 'approval.sig');
  const theirs = openssl('base64', '-A', '-in', 'approval.sig').toString();
  t.equal(theirs, signApproval(privateKey, payload), 'both sign alike');
  const approval = acceptApproval(request({ approver: 'lead', signature: theirs, signedAt }, { approvers }));
  t.equal(approval.at, NOW);

  const evidence = approvalEvidence('r-1', approval, approvers);
  writeFileSync(join(dir, 'audit.txt'), evidence.payload!);
  writeFileSync(join(dir, 'audit.sig'), Buffer.from(evidence.signature!, 'base64'));
  const verify = ['pkeyutl', '-verify', '-pubin', '-inkey', 'lead.pub', '-rawin', '-sigfile', 'audit.sig', '-in'];
  t.match(openssl(...verify, 'audit.txt').toString(), 'Signature Verified Successfully');
  writeFileSync(join(dir, 'other.txt'), evidence.payload!.replace('step 1', 'step 3'));
  t.throws(() => openssl(...verify, 'other.txt'));
  t.equal(evidence.key, hash('sha256', openssl('pkey', '-pubin', '-in', 'lead.pub', '-outform', 'DER')));

  openssl('pkcs8', '-topk8', '-in', 'key.pem', '-passout', 'pass:x', '-out', 'locked.pem');
  const locked = readFileSync(join(dir, 'locked.pem'), 'utf8');
  t.throws(() => signApproval(locked, payload), /encrypted/);
});

t.test('a signed approval is taken, whoever delivers it', async (t) => {
  const given = signedBy('lead');
  const expected = {
    approver: 'lead',
    role: 'human',
    signature: given.signature!,
    at: NOW - 1_000,
    expires: NOW - 1_000 + HOUR,
    step: 1,
    digest: DIGEST,
  };
  t.strictSame(acceptApproval(request(given)), expected);
  t.strictSame(acceptApproval(request(given, { actor: { ...CI, name: 'x', role: 'approver' }, open: true })), expected);
  const start = rollout({ phase: 'Queued', step: -1 });
  t.match(acceptApproval(request(signedBy('bot', { step: -1 }), { rollout: start, step: -1 })), {
    step: -1,
    role: 'agent',
  });
  const usual = rollout({ strategy: { ...STRATEGY, approvals: null } });
  t.equal(acceptApproval(request(given, { rollout: usual })).expires, NOW - 1_000 + HOUR, 'an hour unless told');
  t.equal(refusal(signedBy('lead', { signedAt: iso(NOW + 60_000) })), 'taken', 'a clock may be a minute ahead');
  t.equal(refusal(signedBy('lead', { signedAt: iso(NOW - HOUR + 1) })), 'taken', 'until it expires');
});

t.test('what is signed otherwise is refused, field by field', async (t) => {
  const wanted = new RegExp(`digest ${DIGEST}, approver lead, step 1, signed-at`);
  for (const change of [{ rollout: 'r-2' }, { digest: 'f'.repeat(64) }, { approver: 'bot' }, { step: 9 }]) {
    const given = { ...signedBy('lead', change), approver: 'lead' };
    t.match(
      refusal(given),
      /^forbidden \/signature: the signature is not one by the key of lead/,
      JSON.stringify(change),
    );
    t.match(refusal(given), wanted, 'says what was to be signed');
  }
  const { signature, signedAt } = signedBy('lead');
  t.match(refusal({ approver: 'lead', signature: signature!, signedAt: iso(NOW) }), /^forbidden \/signature/);
  t.match(refusal({ approver: 'bot', signature: signature!, signedAt: signedAt! }), /^forbidden \/signature/);
  t.match(refusal(signedBy('lead'), { rollout: rollout({ digest: 'e'.repeat(64) }) }), /^forbidden \/signature/);
  const rotated = [approver('lead', 'human', newKeys().publicKey)];
  t.match(refusal(signedBy('lead'), { approvers: rotated }), /^forbidden \/signature/);
});

t.test('every other refusal', async (t) => {
  const given = signedBy('lead');
  t.match(
    refusal({ ...given, approver: 'laed' }),
    'forbidden /approver: there is no approver laed; did you mean lead?',
  );
  t.match(
    refusal({ signature: given.signature!, signedAt: given.signedAt! }),
    'invalid_request /approver: approver is missing',
  );
  for (const signature of ['', 'x', given.signature!.slice(1), `${given.signature}\n`]) {
    t.match(refusal({ ...given, signature }), 'invalid_request /signature: signature must be 64 bytes in base64');
  }
  for (const signedAt of [
    '',
    'now',
    '2026-03-02',
    '2026-03-02T09:30:00Z',
    '2026-03-02T10:30:00.000+01:00',
    '2026-02-30T00:00:00.000Z',
  ]) {
    t.match(
      refusal({ ...given, signedAt }),
      'invalid_request /signedAt: signedAt must be when it was signed',
      signedAt,
    );
  }
  t.match(refusal({ approver: 'lead', signature: given.signature! }), 'invalid_request /signedAt');
  t.match(
    refusal({}),
    'invalid_request /signature: the configuration names approvers, so an approval has to be signed',
  );
  t.match(refusal({}, { open: true }), 'invalid_request /signature', 'also on an open API');
  t.match(refusal(signedBy('lead', { signedAt: iso(NOW + 60_001) })), /^invalid_request \/signedAt: .*in the future/);
  t.match(
    refusal(signedBy('lead', { signedAt: iso(NOW - HOUR) })),
    /^conflict: the approval of lead expired at 2026-03-02T09:30/,
  );
  t.match(
    refusal(signedBy('lead', { step: 3 })),
    /^conflict: lead has signed step 3 \(last\), but r-1 is at step 1 \(approve\)/,
  );
  t.match(refusal(signedBy('lead', { step: -1 })), /^conflict: lead has signed step -1 \(the start\)/);

  const taken = acceptApproval(request(given));
  const once = rollout({ approvals: [taken] });
  t.equal(refusal(given, { rollout: once }), 'conflict: lead has approved approve already', 'the same again');
  t.match(refusal(signedBy('lead', { signedAt: iso(NOW) }), { rollout: once }), 'conflict: lead has approved');
  t.equal(refusal(signedBy('bot'), { rollout: once }), 'taken');
  const past = rollout({ approvals: [{ ...taken, expires: NOW }] });
  t.equal(
    refusal(signedBy('lead', { signedAt: iso(NOW) }), { rollout: past }),
    'taken',
    'again when the first has expired',
  );
  const elsewhere = rollout({ approvals: [{ ...taken, step: -1 }] });
  t.equal(refusal(given, { rollout: elsewhere }), 'taken', 'that of another step is another one');

  const twins = [...APPROVERS.slice(1), approver('lead', 'human', KEYS.bot!.publicKey.replaceAll('\n', '\r\n'))];
  const byBot = rollout({ approvals: [acceptApproval(request(signedBy('bot')))] });
  const payload = approvalPayload({ rollout: 'r-1', digest: DIGEST, approver: 'lead', step: 1, signedAt: iso(NOW) });
  const twin = { approver: 'lead', signature: signApproval(KEYS.bot!.privateKey, payload), signedAt: iso(NOW) };
  t.match(refusal(twin, { rollout: byBot, approvers: twins }), /^conflict: lead has the same key as bot/);
});

t.test('where there is nothing to approve', async (t) => {
  const given = signedBy('lead');
  for (const phase of ['Succeeded', 'RolledBack', 'Failed'] as const) {
    t.match(refusal(given, { rollout: rollout({ phase }) }), `conflict: r-1 is over (${phase})`);
  }
  for (const phase of ['RollingBack', 'Promoting'] as const) {
    t.match(refusal(given, { rollout: rollout({ phase }) }), `conflict: r-1 is ${phase} and waits for no approval now`);
  }
  t.match(
    refusal(given, { rollout: rollout({ step: 2, phase: 'Progressing' }), step: 2 }),
    'waits for no approval now',
  );
  t.match(refusal(given, { step: 3 }), 'conflict: r-1 is at step 1, not at step 3; an approval is for one step');
  t.match(
    refusal(given, { rollout: rollout({ phase: 'Queued', step: -1 }) }),
    'conflict: r-1 is at step -1, not at step 1',
  );
  const calm = rollout({ phase: 'Queued', step: -1, risk: { score: 39, items: [] } });
  t.match(refusal(given, { rollout: calm, step: -1 }), 'waits for no approval now', 'below the score');

  t.ok(asksForApproval(rollout()));
  t.ok(asksForApproval(rollout({ phase: 'Queued', step: -1, risk: { score: 40, items: [] } })));
  t.notOk(asksForApproval(rollout({ phase: 'Queued', step: -1, strategy: { ...STRATEGY, approveAboveRisk: null } })));
  const pause = { by: 'step', reason: '', since: 0, for: null, until: 'approval' } as const;
  t.ok(asksForApproval(rollout({ step: 2, pause })));
});

t.test('without approvers in the configuration a token approves', async (t) => {
  const none = { approvers: [] };
  const ops = { ...CI, name: 'ops', role: 'approver' } as const;
  t.strictSame(acceptApproval(request({}, { ...none, actor: ops })), {
    approver: 'ops',
    role: 'approver',
    signature: null,
    at: NOW,
    expires: NOW + HOUR,
    step: 1,
    digest: DIGEST,
  });
  t.match(acceptApproval(request({ approver: 'root' }, { ...none, actor: { ...CI, name: 'root', role: 'admin' } })), {
    role: 'admin',
  });
  for (const role of ['operator', 'viewer'] as const) {
    t.match(
      refusal({}, { ...none, actor: { ...CI, role } }),
      `forbidden: ci has the role ${role}, which may not approve`,
    );
  }
  t.match(refusal({ approver: 'lead' }, { ...none, actor: ops }), 'invalid_request /approver: without a signature');
  t.match(
    refusal(signedBy('lead'), { ...none, actor: ops }),
    'forbidden /signature: the configuration names no approvers',
  );
  t.match(
    refusal({}, { ...none, actor: ops, rollout: rollout({ isSigned: true }) }),
    /^forbidden: .* was started when the configuration named approvers/,
    'approvers that a reload has taken out do not leave the token alone',
  );
  const local = { ...CI, name: 'local', role: 'admin' } as const;
  t.match(acceptApproval(request({}, { ...none, actor: local, open: true })), { approver: 'local', role: OPEN_ROLE });
  t.equal(refusal({}, { ...none, actor: { ...CI, name: 'local' }, open: true }), 'taken', 'whatever the role is');
});

const given = (name: string, role: string, changes: Partial<Approval> = {}): Approval => ({
  approver: name,
  role,
  signature: 'x',
  at: NOW,
  expires: NOW + HOUR,
  step: 1,
  digest: DIGEST,
  ...changes,
});

const LEAD = given('lead', 'human');
const BOT = given('bot', 'agent');
const STARTER = given('ci', 'human');

t.test('when approvals are enough', async (t) => {
  const state = (
    required: number | null,
    roles: readonly ('human' | 'agent')[],
    approvals: readonly Approval[],
    more = {},
  ) => {
    const config = required === null ? null : { required, roles, expires: HOUR };
    const startedBy = { name: 'ci', role: 'operator' };
    return approvalState({ config, approvals, step: 1, startedBy, now: NOW, digest: DIGEST, ...more });
  };
  const missing = (...args: Parameters<typeof state>): string | null => {
    const { satisfied, missing } = state(...args);
    t.equal(satisfied, missing === null);
    return missing;
  };
  t.strictSame(state(null, [], [LEAD]), { satisfied: true, required: 1, given: [LEAD], missing: null });
  t.equal(missing(null, [], []), 'it needs 1 more approval');
  t.equal(missing(0, [], []), 'it needs 1 more approval', 'never none');
  t.equal(missing(2, [], [LEAD]), 'it needs 1 more approval');
  t.equal(missing(2, [], [LEAD, given('lead', 'agent')]), 'it needs 1 more approval', 'distinct principals');
  t.equal(missing(2, [], [LEAD, BOT]), null);
  t.equal(missing(2, ['human', 'agent'], []), 'it needs 2 more approvals, from a human and an agent');
  t.equal(missing(2, ['human', 'agent'], [LEAD, given('mate', 'human')]), 'it needs 1 more approval, from an agent');
  t.equal(missing(3, ['human', 'agent'], [LEAD]), 'it needs 2 more approvals, among them an agent');
  t.equal(
    missing(1, ['human', 'human'], [LEAD]),
    'it needs 1 more approval, from a human',
    'each role its own principal',
  );
  t.equal(missing(2, ['human', 'agent'], [LEAD, BOT]), null);

  const other = 'it needs 1 more approval, from somebody other than ci, who started it';
  t.equal(missing(null, [], [STARTER]), other);
  t.equal(missing(1, ['human'], [STARTER]), other);
  t.equal(missing(1, ['human'], [STARTER, BOT]), null, 'the starter counts beside another');
  t.equal(missing(2, [], [STARTER, LEAD]), null);
  t.equal(missing(null, [], [given('local', OPEN_ROLE)], { startedBy: { name: 'local', role: 'admin' } }), null);
  t.match(
    missing(null, [], [given('local', 'admin')], { startedBy: { name: 'local', role: 'admin' } }),
    'other than local',
  );

  const old = given('bot', 'agent', { expires: NOW });
  t.equal(missing(2, [], [LEAD, old]), 'it needs 1 more approval (that of bot expired at 2026-03-02T09:30:00.000Z)');
  t.equal(missing(2, [], [LEAD, old, BOT]), null, 'renewed');
  t.equal(missing(null, [], [given('lead', 'human', { expires: NOW + 1 })]), null);
  t.equal(missing(null, [], [given('lead', 'human', { step: 0 })]), 'it needs 1 more approval', 'of another step');
  t.equal(
    missing(null, [], [given('lead', 'human', { digest: 'x' })]),
    'it needs 1 more approval',
    'of another digest',
  );
  t.strictSame(state(2, [], [LEAD, LEAD, BOT]).given, [LEAD, BOT]);
});

t.test('more approvals never take the permission away, and fewer never give it', async (t) => {
  const dice = new Dice(11);
  let enough = 0;
  for (let round = 0; round < 2_000; round++) {
    const approvals = Array.from({ length: dice.below(6) }, () => {
      const name = dice.one(['lead', 'bot', 'ci', 'mate', 'robot']);
      const role = name.includes('bot') ? 'agent' : 'human';
      return given(name, role, { expires: NOW + dice.one([0, 1]), step: dice.one([1, 1, 2]) });
    });
    const roles = dice.one([[], ['human'], ['human', 'agent'], ['agent', 'agent']] as const);
    const config = { required: 1 + dice.below(3), roles, expires: HOUR };
    const ask = (list: readonly Approval[]) =>
      approvalState({ config, approvals: list, step: 1, startedBy: { name: 'ci', role: '' }, now: NOW });
    const { satisfied, given: valid } = ask(approvals);
    if (satisfied && !ask([...approvals, LEAD]).satisfied) t.fail('one more made it too few');
    if (!satisfied) continue;
    const names = new Set(valid.map(({ approver }) => approver));
    const isRight =
      names.size >= config.required &&
      names.size === valid.length &&
      [...names].some((name) => name !== 'ci') &&
      valid.every(({ expires, step }) => expires > NOW && step === 1) &&
      (['human', 'agent'] as const).every(
        (role) => valid.filter((each) => each.role === role).length >= roles.filter((each) => each === role).length,
      );
    if (!isRight) t.fail(JSON.stringify({ config, valid }));
    enough++;
  }
  t.ok(enough > 100 && enough < 1_900, `${enough} of 2000 were enough`);
});

t.test('the audit has what it takes to verify it again', async (t) => {
  const approval = acceptApproval(request(signedBy('lead')));
  const evidence = approvalEvidence('r-1', JSON.parse(JSON.stringify(approval)), APPROVERS);
  t.match(evidence, {
    approver: 'lead',
    role: 'human',
    step: 1,
    digest: DIGEST,
    signedAt: iso(NOW - 1_000),
    verified: true,
  });
  t.ok(verifySignature(KEYS.lead!.publicKey, evidence.payload!, evidence.signature!));
  t.equal(evidence.key, keyFingerprint(KEYS.lead!.publicKey));
  for (const [field, value] of Object.entries({ approver: 'bot', digest: 'f', at: NOW, step: 2, signature: 'x' })) {
    t.equal(approvalEvidence('r-1', { ...approval, [field]: value }, APPROVERS).verified, false, field);
  }
  t.equal(approvalEvidence('r-2', approval, APPROVERS).verified, false);
  t.match(approvalEvidence('r-1', approval, []), { verified: false, key: null });
  t.match(approvalEvidence('r-1', { ...approval, signature: null }, []), {
    verified: false,
    payload: null,
    signature: null,
  });
});
