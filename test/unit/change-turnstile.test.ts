/** One at a time, in order, whoever fails. */
import t from 'tap';
import { Turnstile } from '../../src/control/change/turnstile.ts';
import { turns } from '../kit/signal.ts';

t.test('one at a time, in the order in which they came', async (t) => {
  const turnstile = new Turnstile();
  const steps: string[] = [];
  const task = (name: string, rounds: number) =>
    turnstile.run(async () => {
      steps.push(`${name} in`);
      await turns(rounds);
      steps.push(`${name} out`);
      return name;
    });
  const results = await Promise.all([task('a', 3), task('b', 0), task('c', 1)]);
  t.strictSame(results, ['a', 'b', 'c']);
  t.strictSame(steps, ['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
});

t.test('a failure is its own', async (t) => {
  const turnstile = new Turnstile();
  const failing = turnstile.run(() => Promise.reject(new Error('broken')));
  const throwing = turnstile.run(() => {
    throw new Error('thrown');
  });
  const fine = turnstile.run(async () => 'fine');
  await t.rejects(failing, { message: 'broken' });
  await t.rejects(throwing, { message: 'thrown' });
  t.equal(await fine, 'fine');
});

t.test('empty once everybody is through, failures included', async (t) => {
  const turnstile = new Turnstile();
  await turnstile.empty();
  let done = 0;
  const work = async (): Promise<void> => {
    await turns(2);
    done++;
    if (done === 2) throw new Error('the second');
  };
  const all = Promise.allSettled([turnstile.run(work), turnstile.run(work), turnstile.run(work)]);
  await turnstile.empty();
  t.equal(done, 3);
  await all;
});
