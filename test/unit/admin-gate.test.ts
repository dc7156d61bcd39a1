import t from 'tap';
import { FailureLimit } from '../../src/control/admin/failure-limit.ts';
import { type Denial, Gate } from '../../src/control/admin/gate.ts';
import { digestOf, TokenBook } from '../../src/control/admin/token-book.ts';
import { OperationError, type ProblemCode } from '../../src/control/problems.ts';
import type { Role, TokenConfig } from '../../src/model/admin-config.ts';
import { Secret } from '../../src/model/secret.ts';
import { FakeClock } from '../../src/runtime/clock.ts';

const token = (name: string, role: Role, value: string): TokenConfig => ({
  name,
  role,
  secret: new Secret('env:TOKEN', value),
});

const TOKENS = [token('ci', 'operator', 'ci-secret'), token('eye', 'viewer', 'eye-secret')];

function open(tokens: readonly TokenConfig[] = TOKENS, publicMetrics = false) {
  const clock = new FakeClock();
  const denials: Denial[] = [];
  const gate = new Gate({ tokens, publicMetrics, clock, onDenied: (denial) => denials.push(denial) });
  /** The name that was let in, or the code of the refusal. */
  const attempt = (
    secret: string | null,
    address = '10.0.0.1',
    id: 'getStatus' | 'setWeights' = 'getStatus',
  ): string => {
    try {
      return gate.admit(id, secret === null ? undefined : `Bearer ${secret}`, address).name;
    } catch (error) {
      if (error instanceof OperationError) return error.code satisfies ProblemCode;
      throw error;
    }
  };
  return { clock, denials, gate, attempt };
}

t.test('tokens are found by digest', async (t) => {
  const book = new TokenBook(TOKENS);
  t.strictSame(book.find(digestOf('ci-secret')), { name: 'ci', role: 'operator' });
  t.strictSame(book.find(digestOf('eye-secret')), { name: 'eye', role: 'viewer' });
  t.equal(book.find(digestOf('ci-secre')), null);
  t.equal(book.find(digestOf('')), null);
  t.equal(new TokenBook([]).isOpen, true);
});

t.test('a failure limit closes, opens again and reports a burst once', async (t) => {
  const clock = new FakeClock();
  const limit = new FailureLimit({ clock, limit: 3, window: 1_000, keys: 2 });
  t.strictSame([limit.failed('a'), limit.failed('a')], [false, false]);
  t.equal(limit.waitFor('a'), null, 'two of three');
  t.equal(limit.failed('a'), true, 'the third begins a burst');
  t.equal(limit.waitFor('a'), 1);
  t.equal(limit.waitFor('b'), null);
  clock.advance(999);
  t.equal(limit.waitFor('a'), 1);
  clock.advance(1);
  t.equal(limit.waitFor('a'), null);
  limit.failed('a');
  clock.advance(500);
  limit.failed('a');
  t.equal(limit.failed('a'), true, 'a window had passed without a failure, so this is another burst');
  clock.advance(600);
  t.strictSame(
    [limit.failed('a'), limit.failed('a'), limit.failed('a')],
    [false, false, false],
    'the same one goes on',
  );
  t.equal(limit.waitFor('a'), 1);
  limit.failed('b');
  limit.failed('c');
  t.equal(limit.waitFor('a'), null, 'the least recently used key is forgotten');
});

t.test('who is let in', async (t) => {
  const { attempt, gate } = open();
  t.equal(attempt('ci-secret'), 'ci');
  t.equal(attempt('eye-secret'), 'eye');
  t.equal(attempt('eye-secret', '10.0.0.1', 'setWeights'), 'forbidden');
  t.equal(attempt('ci-secret', '10.0.0.1', 'setWeights'), 'ci');
  t.equal(attempt('wrong'), 'unauthenticated');
  t.equal(attempt(null), 'unauthenticated');
  t.equal(gate.admit('getHealth', 'Bearer wrong', '').name, 'anonymous', 'nobody looks at tokens on open addresses');
  t.throws(() => gate.admit('getMetrics', undefined, ''), { code: 'unauthenticated' });
  gate.reconfigure(TOKENS, true);
  t.equal(gate.admit('getMetrics', undefined, '').name, 'anonymous');
  gate.reconfigure([], false);
  t.strictSame(gate.admit('drainServer', undefined, ''), { name: 'local', role: 'admin' });
});

t.test('guessing is bounded per address', async (t) => {
  const { attempt, clock, denials } = open();
  for (let i = 0; i < 10; i++) t.equal(attempt(`guess${i}`), 'unauthenticated');
  t.strictSame(denials, [{ address: '10.0.0.1', failures: 10 }]);
  t.equal(attempt('guess10'), 'too_many_failures');
  t.equal(attempt('ci-secret'), 'too_many_failures', 'a right token that was never seen from there is a guess as well');
  t.equal(attempt('ci-secret', '10.0.0.2'), 'ci', 'other addresses are not concerned');
  t.equal(attempt(null), 'unauthenticated', 'nothing was guessed');
  clock.advance(60_000);
  t.equal(attempt('ci-secret'), 'ci');
  t.equal(denials.length, 1);
});

t.test('a token that was right from an address goes on working from there', async (t) => {
  const { attempt, gate } = open();
  attempt('ci-secret');
  for (let i = 0; i < 20; i++) attempt(`guess${i}`);
  t.equal(attempt('guess'), 'too_many_failures');
  t.equal(attempt('ci-secret'), 'ci');
  gate.reconfigure([TOKENS[1]!], false);
  t.equal(attempt('ci-secret'), 'unauthenticated', 'not when it has been revoked');
});

t.test('one wrong token is bounded wherever it comes from', async (t) => {
  const { attempt, denials, gate } = open();
  for (let i = 0; i < 10; i++) attempt('old-secret', `10.0.1.${i}`);
  t.equal(attempt('old-secret', '10.0.9.9'), 'too_many_failures');
  t.equal(attempt('eye-secret', '10.0.9.9'), 'eye');
  t.equal(denials.length, 1);
  gate.reconfigure([token('old', 'viewer', 'old-secret')], false);
  t.equal(attempt('old-secret', '10.0.9.9'), 'old', 'it may be the right one since the reload');
});

t.test('a refusal says how long to wait', async (t) => {
  const { attempt, clock, gate } = open();
  for (let i = 0; i < 10; i++) attempt('x');
  clock.advance(20_500);
  t.throws(() => gate.admit('getStatus', 'Bearer x', '10.0.0.1'), { code: 'too_many_failures', retryAfter: 40 });
});

t.test('whether an open stream may go on', async (t) => {
  const { gate } = open();
  const ci = { name: 'ci', role: 'operator' } as const;
  t.equal(gate.stillHolds('Bearer ci-secret', ci), true);
  gate.reconfigure([token('ci', 'viewer', 'ci-secret')], false);
  t.equal(gate.stillHolds('Bearer ci-secret', ci), false, 'another role');
  gate.reconfigure([TOKENS[1]!], false);
  t.equal(gate.stillHolds('Bearer ci-secret', ci), false, 'revoked');
  t.equal(gate.stillHolds(undefined, ci), false);
});
