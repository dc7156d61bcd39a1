import t from 'tap';
import { frozenUntil } from '../../src/control/rollout/schedule.ts';
import type { FreezeWindow } from '../../src/model/rollout-config.ts';
import { SeededRandom } from '../../src/runtime/random.ts';

const at = (text: string): number => Date.parse(text);
const hours = (hour: number, minute = 0): number => hour * 60 + minute;
const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6];

const window = (part: Partial<FreezeWindow>): FreezeWindow => ({
  name: 'night',
  days: EVERY_DAY,
  from: 0,
  to: 1440,
  timeZone: 'UTC',
  ...part,
});

/** `until` as text, so that a failure can be read. */
function frozen(windows: readonly FreezeWindow[], now: string): string | null {
  const found = frozenUntil(windows, at(now));
  return found === null ? null : `${found.name} ${new Date(found.until).toISOString().replace('.000Z', 'Z')}`;
}

interface Case {
  readonly name: string;
  readonly windows: readonly FreezeWindow[];
  readonly cases: readonly (readonly [now: string, expected: string | null])[];
}

const berlin = 'Europe/Berlin';

const CASES: readonly Case[] = [
  { name: 'no windows', windows: [], cases: [['2026-03-04T12:00:00Z', null]] },
  {
    name: 'from is in it, to is not',
    windows: [window({ from: hours(9), to: hours(17) })],
    cases: [
      ['2026-03-04T08:59:59.999Z', null],
      ['2026-03-04T09:00:00Z', 'night 2026-03-04T17:00:00Z'],
      ['2026-03-04T16:59:59.999Z', 'night 2026-03-04T17:00:00Z'],
      ['2026-03-04T17:00:00Z', null],
    ],
  },
  {
    name: 'over midnight: the day is that on which it begins',
    // 2026-03-06 is a Friday.
    windows: [window({ days: [5], from: hours(22), to: hours(6) })],
    cases: [
      ['2026-03-06T05:00:00Z', null],
      ['2026-03-06T22:00:00Z', 'night 2026-03-07T06:00:00Z'],
      ['2026-03-07T05:59:00Z', 'night 2026-03-07T06:00:00Z'],
      ['2026-03-07T06:00:00Z', null],
      ['2026-03-07T22:30:00Z', null],
    ],
  },
  {
    name: 'a weekend of two whole days is one window, in its zone',
    windows: [window({ name: 'weekend', days: [6, 0], timeZone: berlin })],
    cases: [
      ['2026-02-06T22:59:59Z', null],
      ['2026-02-06T23:00:00Z', 'weekend 2026-02-08T23:00:00Z'],
      ['2026-02-08T22:59:59Z', 'weekend 2026-02-08T23:00:00Z'],
      ['2026-02-08T23:00:00Z', null],
      // The clock is set forward on this Sunday, so it ends an hour earlier.
      ['2026-03-28T12:00:00Z', 'weekend 2026-03-29T22:00:00Z'],
      ['2026-10-24T12:00:00Z', 'weekend 2026-10-25T23:00:00Z'],
    ],
  },
  {
    name: 'the same wall time in summer and in winter',
    windows: [window({ from: hours(17), to: hours(18), timeZone: 'America/New_York' })],
    cases: [
      ['2026-01-15T22:00:00Z', 'night 2026-01-15T23:00:00Z'],
      ['2026-01-15T21:30:00Z', null],
      ['2026-07-15T21:30:00Z', 'night 2026-07-15T22:00:00Z'],
      ['2026-07-15T22:00:00Z', null],
    ],
  },
  {
    name: 'a time that is skipped stands for the moment of the change',
    // In Berlin 02:00 becomes 03:00 at 01:00 UTC.
    windows: [window({ from: hours(2, 30), to: hours(4), timeZone: berlin })],
    cases: [
      ['2026-03-29T00:59:59Z', null],
      ['2026-03-29T01:00:00Z', 'night 2026-03-29T02:00:00Z'],
      ['2026-03-29T02:00:00Z', null],
    ],
  },
  {
    name: 'a window that lies in the skipped hour alone is empty on that day',
    windows: [window({ from: hours(2, 10), to: hours(2, 50), timeZone: berlin })],
    cases: [
      ['2026-03-29T00:59:59Z', null],
      ['2026-03-29T01:00:00Z', null],
      ['2026-03-30T00:20:00Z', 'night 2026-03-30T00:50:00Z'],
    ],
  },
  {
    name: 'a time that comes twice: begins at the first, ends at the second',
    // In Berlin 03:00 becomes 02:00 at 01:00 UTC: 02:30 is 00:30 UTC and 01:30 UTC.
    windows: [window({ from: hours(2, 15), to: hours(2, 30), timeZone: berlin })],
    cases: [
      ['2026-10-25T00:14:59Z', null],
      ['2026-10-25T00:15:00Z', 'night 2026-10-25T01:30:00Z'],
      ['2026-10-25T00:45:00Z', 'night 2026-10-25T01:30:00Z'],
      ['2026-10-25T01:30:00Z', null],
    ],
  },
  {
    name: 'a midnight that does not exist (Cairo sets the clock forward at 00:00)',
    // Thursday, 23 April 2026 has 24 hours; Friday begins at 01:00, which is 22:00 UTC.
    windows: [window({ days: [5], timeZone: 'Africa/Cairo' })],
    cases: [
      ['2026-04-23T21:59:59Z', null],
      ['2026-04-23T22:00:00Z', 'night 2026-04-24T21:00:00Z'],
    ],
  },
  {
    name: 'half an hour of daylight saving, and a zone far ahead of UTC',
    windows: [
      window({ name: 'lord howe', days: [0], from: hours(8), to: hours(9), timeZone: 'Australia/Lord_Howe' }),
      window({ name: 'kiritimati', days: [1], from: hours(0), to: hours(1), timeZone: 'Pacific/Kiritimati' }),
    ],
    cases: [
      // Summer +11:00, winter +10:30.
      ['2026-01-03T21:00:00Z', 'lord howe 2026-01-03T22:00:00Z'],
      ['2026-07-04T21:30:00Z', 'lord howe 2026-07-04T22:30:00Z'],
      ['2026-07-04T21:00:00Z', null],
      // Monday in Kiritimati (+14:00) is still Sunday here.
      ['2026-07-05T10:30:00Z', 'kiritimati 2026-07-05T11:00:00Z'],
    ],
  },
  {
    name: 'windows that overlap or touch are one, whatever their zones',
    windows: [
      window({ name: 'morning', from: hours(8), to: hours(12) }),
      window({ name: 'noon', from: hours(11), to: hours(13) }),
      // 13:00 to 15:00 UTC in winter.
      window({ name: 'berlin', from: hours(14), to: hours(16), timeZone: berlin }),
      window({ name: 'evening', from: hours(15, 1), to: hours(16) }),
    ],
    cases: [
      ['2026-01-14T08:30:00Z', 'morning 2026-01-14T15:00:00Z'],
      ['2026-01-14T11:30:00Z', 'noon 2026-01-14T15:00:00Z'],
      ['2026-01-14T14:00:00Z', 'berlin 2026-01-14T15:00:00Z'],
      ['2026-01-14T15:00:00Z', null],
      ['2026-01-14T15:01:00Z', 'evening 2026-01-14T16:00:00Z'],
    ],
  },
  {
    name: 'from equal to to is a whole day',
    windows: [window({ days: [3], from: hours(9), to: hours(9) })],
    cases: [
      ['2026-03-04T09:00:00Z', 'night 2026-03-05T09:00:00Z'],
      ['2026-03-05T08:59:00Z', 'night 2026-03-05T09:00:00Z'],
      ['2026-03-05T09:00:00Z', null],
    ],
  },
  {
    name: 'a zone that nobody knows counts as UTC',
    windows: [window({ from: hours(9), to: hours(10), timeZone: 'Mars/Olympus' })],
    cases: [['2026-03-04T09:30:00Z', 'night 2026-03-04T10:00:00Z']],
  },
];

for (const { name, windows, cases } of CASES) {
  t.test(name, async (t) => {
    for (const [now, expected] of cases) t.equal(frozen(windows, now), expected, now);
  });
}

t.test('a freeze of the whole week has an end that moves on', async (t) => {
  const week = 7 * 24 * 3_600_000;
  for (const now of [at('2026-03-04T12:00:00Z'), at('2026-03-27T12:00:00Z')]) {
    const found = frozenUntil([window({ timeZone: berlin })], now);
    t.ok(found !== null && found.until >= now + week, 'far away');
    t.ok(Number.isFinite(new Date(found?.until ?? Number.NaN).getTime()), 'and a time that can be shown');
  }
});

t.test('until is the first moment that is not frozen, in every zone and at every change of the clock', async (t) => {
  const random = new SeededRandom(5);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random.next() * values.length)]!;
  const zones = [
    'UTC',
    berlin,
    'America/St_Johns',
    'Australia/Lord_Howe',
    'Africa/Cairo',
    'Pacific/Chatham',
    'Asia/Kolkata',
  ];
  const changes = ['2026-03-29T01:00:00Z', '2026-10-25T01:00:00Z', '2026-03-08T05:30:00Z', '2026-04-05T15:00:00Z'];
  let seen = 0;
  for (let round = 0; round < 400; round++) {
    const windows = Array.from({ length: 1 + Math.floor(random.next() * 3) }, (_, i) =>
      window({
        name: `w${i}`,
        days: EVERY_DAY.filter(() => random.next() < 0.5),
        from: Math.floor(random.next() * 1440),
        to: 1 + Math.floor(random.next() * 1440),
        timeZone: pick(zones),
      }),
    );
    const now = at(pick(changes)) + Math.floor((random.next() - 0.5) * 48 * 3_600_000);
    const found = frozenUntil(windows, now);
    if (found === null) continue;
    seen++;
    t.ok(found.until > now, 'in the future');
    if (found.until - now < 8 * 24 * 3_600_000) t.equal(frozenUntil(windows, found.until), null, 'then it moves');
    for (let i = 1; i < 6; i++) {
      const between = now + Math.floor(((found.until - now) * i) / 6);
      t.equal(frozenUntil(windows, between)?.until, found.until, 'the same end from everywhere within');
    }
  }
  t.ok(seen > 100, `${seen} freezes were looked at`);
});
