/** `sluice rollout approve`: what is signed, that the server can verify it, and that the private key stays where it is. */
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import t from 'tap';
import { approvalPayload, verifySignature } from '../../src/control/rollout/approval-payload.ts';
import type { RolloutView } from '../../src/control/rollout/view.ts';
import { called, FakeAdmin } from './client-admin-server.ts';
import { PAUSED, PROGRESSING, QUEUED } from './client-rollout-views.ts';

const admin = await new FakeAdmin().listen();
t.teardown(() => admin.close());

const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const rsa = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const directory = t.testdir({
  'lead.pem': privateKey,
  'lead.pub': publicKey,
  'rsa.pem': rsa.privateKey,
  'empty.pem': '',
});
const SIGNED_AT = '2026-01-01T12:15:00.000Z';
const wallClock = () => Date.parse(SIGNED_AT);
const approve = (id: string, ...argv: string[]) => called(admin, ['rollout', 'approve', id, ...argv], { wallClock });
const withKey = (file: string): string[] => ['--key', join(directory, file), '--as', 'lead'];

function recorded(view: RolloutView): void {
  admin.on(`GET /api/v1/rollouts/${view.id}`, { body: view });
  admin.on(`POST /api/v1/rollouts/${view.id}/approve`, { body: view });
}

for (const [view, step, what] of [
  [PAUSED, 1, 'step 2, sign_off (pause for approval)'],
  [QUEUED, -1, 'the start'],
] as const) {
  t.test(`signed, for ${what}`, async (t) => {
    recorded(view);
    const { code, out, err } = await approve(view.id, ...withKey('lead.pem'), '--reason', 'looks good');
    t.strictSame([code, err], [0, '']);
    t.match(out, `This signs ${what} of rollout ${view.id}: v2 against v1 of shop, strategy standard.\n`);
    const payload = approvalPayload({ rollout: view.id, digest: '9b1c', approver: 'lead', step, signedAt: SIGNED_AT });
    t.match(out, payload.replace(/^(?=.)/gm, '  '), 'the text as it is signed');
    const body = admin.last?.body as Record<string, string>;
    t.match(body, { approver: 'lead', signedAt: SIGNED_AT, reason: 'looks good' });
    t.ok(verifySignature(publicKey, payload, body.signature ?? ''), 'the public key verifies it');
    t.notOk(verifySignature(publicKey, payload.replace('9b1c', '9b1d'), body.signature ?? ''));
    const secret = privateKey.split('\n')[1] ?? 'none';
    const sent = JSON.stringify(admin.asked);
    t.notOk((out + err + sent).includes(secret), 'the private key is nowhere');
  });
}

t.test('how many there are', async (t) => {
  recorded(PAUSED);
  t.match((await approve('shop-7')).out, 'Approved; 1 approval of 2: one more, of an agent\nRollout shop-7 of shop:');
  t.strictSame(admin.last?.body, {}, 'without a key the token alone speaks');
  admin.on('POST /api/v1/rollouts/shop-7/approve', {
    body: { ...PAUSED, approvals: { required: 1, given: PAUSED.approvals.given, missing: null } },
  });
  t.match((await approve('shop-7', '--reason', 'r')).out, /^Approved; 1 approval of 1\n/);
  admin.on('POST /api/v1/rollouts/shop-7/approve', { body: PROGRESSING });
  t.match((await approve('shop-7')).out, /^Approved\nRollout/, 'it has gone on');
  await approve('shop-7', '--reason', 'r');
  t.strictSame(admin.last?.body, { reason: 'r' });
});

t.test('--json has nothing but the answer on standard output', async (t) => {
  recorded(PAUSED);
  const { out, err } = await approve('shop-7', ...withKey('lead.pem'), '--json');
  t.strictSame(JSON.parse(out), PAUSED);
  t.match(err, /^This signs step 2/);
});

t.test('keys that cannot sign', async (t) => {
  recorded(PAUSED);
  const posted = () => admin.asked.filter(({ call }) => call.startsWith('POST')).length;
  const before = posted();
  for (const [file, message] of [
    ['lead.pub', /lead\.pub: this is a public key/],
    ['rsa.pem', /rsa\.pem: this is a key for RSA, not for Ed25519/],
    ['empty.pem', /empty\.pem: this is not a key file in PEM form/],
    ['missing.pem', /--key: cannot read .*missing\.pem: no such file/],
  ] as const) {
    t.match(await approve('shop-7', ...withKey(file)), { code: 2, out: '', err: message }, file);
  }
  for (const half of [
    ['--as', 'lead'],
    ['--key', join(directory, 'lead.pem')],
  ]) {
    t.match(await approve('shop-7', ...half), { code: 2, err: /--key FILE and --as NAME go together/ });
  }
  t.equal(posted(), before, 'nothing is approved');
});
