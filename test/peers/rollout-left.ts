/**
 * What a killed Sluice has left on the disk: rollouts, and the lanes and weights that they are to go with, read without Sluice.
 *
 * It is read from a copy, so that what is started next finds everything as the kill left it, the log that has not been copied over included.
 * What a phase asks of the traffic is written down here a second time, as sentences about lanes and weights, and not computed by the code
 * that is tested.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Rollout } from '../../src/control/rollout/rollout.ts';
import type { Site } from './control-process.ts';
import { trafficText } from './rollout-site.ts';

export interface Left {
  /** Oldest first. */
  readonly rollouts: readonly Rollout[];
  /** As `trafficText` has it. */
  readonly traffic: string;
  readonly weights: Readonly<Record<string, number>>;
  readonly lanes: Readonly<Record<string, string>>;
}

/** @param file what the configuration file says of the service shop, in force where nothing was changed. */
export function whatIsLeft({ data }: Site, file: Pick<Left, 'lanes' | 'weights'>): Left {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-left-'));
  try {
    for (const name of ['state.db', 'state.db-wal']) cpSync(join(data, name), join(folder, name), { force: true });
    const database = new DatabaseSync(join(folder, 'state.db'));
    const values = (prefix: string): unknown[] =>
      database
        .prepare('SELECT value FROM entries WHERE key GLOB ?')
        .all(`${prefix}*`)
        .map(({ value }) => JSON.parse(String(value)));
    const rollouts = (values('rollout/') as Rollout[]).toSorted((a, b) => a.createdAt - b.createdAt);
    const [lanes = file.lanes] = values('override/services/shop/lanes') as Left['lanes'][];
    const [weights = file.weights] = values('override/services/shop/weights') as Left['weights'][];
    database.close();
    return { rollouts, lanes, weights, traffic: trafficText(lanes, weights) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What speaks against it; empty: every state has its traffic. */
export function contradictions({ rollouts, lanes, weights }: Left): string[] {
  const open = rollouts.filter(({ phase }) => !['Queued', 'Succeeded', 'RolledBack', 'Failed'].includes(phase));
  if (open.length > 1) return [`${open.map(({ id }) => id).join(' and ')} have the same service in hand`];
  const last = open[0] ?? rollouts.findLast(({ startedAt }) => startedAt !== null);
  if (last === undefined) return [];
  const { id, phase, version, stable, weight, waiting } = last;
  const mine = weights[version] ?? 0;
  const sum = Object.values(weights).reduce((total, each) => total + each, 0);
  const faults = sum === 100 ? [] : [`weights sum to ${sum}`];
  const want = (isSo: boolean, what: string): void => {
    if (!isSo) faults.push(`${id} is ${phase} at ${weight} %: ${what} (${trafficText(lanes, weights)})`);
  };
  const back = (): void => {
    want(lanes.stable === stable, `${stable} is not stable`);
    want(weights[stable] === 100, `${stable} has not everything`);
  };
  switch (phase) {
    case 'Preflight':
      want(lanes.candidate === version, `${version} is no candidate`);
      back();
      break;
    case 'Progressing':
    case 'Paused':
      want(mine === weight, `${version} has ${mine} %`);
      want((weights[stable] ?? 0) === 100 - weight, `${stable} has not the rest`);
      want(lanes.stable === stable, `${stable} is not stable`);
      want(lanes[weight > 0 ? 'canary' : 'candidate'] === version, `${version} is in no lane, or in another one`);
      break;
    case 'Promoting':
    case 'Succeeded':
      if (phase === 'Promoting' && waiting !== null) {
        want(lanes.stable === stable && mine === weight, 'it is held and does not have the traffic of its last step');
        break;
      }
      want(lanes.stable === version, `${version} is not stable`);
      want(mine === 100, `${version} has not everything`);
      want(!Object.values(lanes).includes(stable), `${stable} has a lane`);
      break;
    case 'RollingBack':
      want(mine === weight, `${version} has ${mine} %`);
      want(lanes.stable === stable, `${stable} is not stable`);
      break;
    case 'RolledBack':
    case 'Failed':
      back();
      break;
    case 'Queued':
      break;
  }
  return faults;
}
