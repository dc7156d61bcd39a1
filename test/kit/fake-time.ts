/** Time and chance as tests turn them. */
import type { FakeClock } from '../../src/runtime/clock.ts';
import type { Random } from '../../src/runtime/random.ts';
import { turns } from './signal.ts';

/** Lets time pass in small steps, with turns between them so that sockets can act on what each step did. */
export async function pass(clock: FakeClock, ms: number, step = 50): Promise<void> {
  for (let left = ms; left > 0; left -= step) {
    clock.advance(Math.min(step, left));
    await turns(3);
  }
}

/** Dice that always fall the same way. */
export class LoadedDice implements Random {
  /** In [0, 1). */
  value: number;

  constructor(value: number) {
    this.value = value;
  }

  next(): number {
    return this.value;
  }
}
