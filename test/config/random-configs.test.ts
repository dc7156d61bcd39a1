/**
 * Whatever is written, the loader answers with faults that can be acted on, or with a configuration that a worker can run.
 *
 * Random configurations (config-dice.ts) go the whole way: loader, snapshot, structured clone (as a message to a worker would be), data
 * plane, and the choice of a route, version and endpoint for a few requests. `CONFIGS` and `SEED` in the environment make it longer or
 * another run.
 */
import t from 'tap';
import { compileSnapshot } from '../../src/control/config/compile.ts';
import { ConfigError } from '../../src/control/config/faults.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import { newWorkerMemory } from '../../src/model/counters.ts';
import { newEndpointTable } from '../../src/model/endpoint-table.ts';
import { newRateMemory } from '../../src/model/rate-table.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { newWeightTable } from '../../src/model/weight-table.ts';
import { DataPlane } from '../../src/proxy/data-plane.ts';
import { clientFacts } from '../../src/proxy/http1/field-rules.ts';
import { Choice } from '../../src/proxy/route/choice.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { Dice } from '../fuzz/dice.ts';
import { nearlyValid, randomConfig } from './config-dice.ts';

const CONFIGS = Number(process.env.CONFIGS ?? 120);
const SEED = Number(process.env.SEED ?? 1);

const HEADS = [
  'GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n',
  'GET /a/b?user=7&__proto__=1&toString=2 HTTP/1.1\r\nHost: a.example.com:80\r\nX-User: u\r\nCookie: uid=5; __proto__=v1\r\n\r\n',
  'PURGE /7 HTTP/1.1\r\nHost: [::1]\r\n__proto__: 1\r\nX-Tenant: __proto__\r\nX-Beta: 1\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: 192.0.2.1, 10.0.0.1\r\n\r\n',
  'HEAD http://example.com/a.b HTTP/1.1\r\nHost: x\r\nX-Beta: constructor\r\nX-User: stable\r\n\r\n',
].map((text) => Buffer.from(text, 'latin1'));

const own = newWorkerMemory();
const memory = { own, all: [own], endpoints: newEndpointTable(), weights: newWeightTable(), rates: newRateMemory(0) };

/** What is wrong with what a data plane makes of it; null where nothing is. */
function faultOf(snapshot: Snapshot): string | null {
  const plane = new DataPlane({ snapshot, clock: new FakeClock(), random: new SeededRandom(1), memory });
  const { requestHead: head, routes, flags } = plane.running;
  const choice = new Choice();
  try {
    for (const bytes of HEADS) {
      // Some limits refuse some of these requests, and that is an answer.
      if (head.parse(bytes, 0, bytes.length) !== bytes.length) continue;
      for (const client of [clientFacts('192.0.2.7', false, 'http'), clientFacts('10.0.0.1', true, 'http')]) {
        flags?.begin(head);
        const route = routes.match(head, client);
        if (route === null) continue;
        route.rate?.wait(head, client, 1);
        route.fault?.applies(head);
        route.rewrite?.apply(head.target);
        if (route.service === null) {
          if (!Number.isInteger(route.answer(head, 'http').status)) return 'an answer without a status';
          continue;
        }
        if (/NaN|undefined/.test(flags?.lines(head, client) ?? '')) return 'a flag that is neither on nor off';
        route.service.rate?.wait(head, client, 1);
        route.service.choose(head, client, route.version, 1, choice);
        if (choice.version === null) return 'no version was chosen';
        const endpoint = route.service.pick(choice.version, choice, 1, []);
        if (endpoint === null) return `no endpoint was chosen in ${choice.version.name}`;
      }
    }
    return null;
  } finally {
    plane.close();
  }
}

interface Outcome {
  readonly accepted: boolean;
  /** Null where everything is as it should be. */
  readonly fault: string | null;
}

function tryOut(text: string): Outcome {
  try {
    const config = parseConfig(text, 'random.yaml', {});
    return { accepted: true, fault: faultOf(structuredClone(compileSnapshot(config, 1))) };
  } catch (error) {
    if (!(error instanceof ConfigError)) return { accepted: false, fault: String((error as Error).stack ?? error) };
    const bad = error.problems.find(
      ({ line, column, message }) => line < 1 || column < 1 || /undefined|NaN|\[object|native code/.test(message),
    );
    return { accepted: false, fault: bad === undefined ? null : `says ${JSON.stringify(bad)}` };
  }
}

t.test('every configuration is refused with its place, or can be run', async (t) => {
  let accepted = 0;
  for (let i = 0; i < CONFIGS; i++) {
    const dice = new Dice(SEED, i);
    const whole = randomConfig(dice);
    for (const config of [whole, nearlyValid(dice, whole)]) {
      const text = JSON.stringify(config, null, 1);
      const outcome = tryOut(text);
      if (outcome.accepted) accepted++;
      if (outcome.fault !== null) t.fail(`configuration ${i} of seed ${SEED}: ${outcome.fault}`, { text });
    }
  }
  t.ok(accepted > CONFIGS / 4, `${accepted} of ${2 * CONFIGS} were accepted`);
});
