/**
 * Which of the offered media types, and which content coding, a client wants most (RFC 9110, 12.5.1 and 12.5.3).
 *
 * The most specific range that covers a type gives its weight; among equals the first offered wins, and so it does where there is no Accept
 * field. Where nothing fits the answer is null; most callers then send what they have, as the RFC allows.
 *
 * Codings are the other way round: a client that says nothing gets none, since it may not know any, and bytes as they are remain when all else is
 * refused.
 */
export function preferredType(accept: string | undefined, offered: readonly string[]): string | null {
  if (accept === undefined || accept.trim() === '') return offered[0] ?? null;
  const ranges = accept.split(',').map(parseRange);
  let best: string | null = null;
  let bestWeight = 0;
  for (const type of offered) {
    const weight = weightOf(type, ranges);
    if (weight > bestWeight) {
      best = type;
      bestWeight = weight;
    }
  }
  return best;
}

/** In the order of preference. */
const CODINGS = ['br', 'gzip'] as const;
export type Coding = (typeof CODINGS)[number] | 'identity';

/** @param accept the Accept-Encoding field. */
export function preferredCoding(accept: string | undefined): Coding {
  if (accept === undefined) return 'identity';
  const ranges = accept.split(',').map(parseRange);
  const weightOf = (coding: string): number | undefined =>
    (ranges.find(({ type }) => type === coding) ?? ranges.find(({ type }) => type === '*'))?.weight;
  const asIs = ranges.find(({ type }) => type === 'identity')?.weight ?? 0;
  let best: Coding = 'identity';
  let bestWeight = 0;
  for (const coding of CODINGS) {
    const weight = weightOf(coding) ?? 0;
    if (weight < asIs || weight <= bestWeight) continue;
    best = coding;
    bestWeight = weight;
  }
  return best;
}

interface Range {
  readonly type: string;
  readonly weight: number;
}

function parseRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const q = parameters.find((parameter) => parameter.startsWith('q='));
  const weight = q === undefined ? 1 : Number(q.slice(2));
  return { type, weight: weight >= 0 && weight <= 1 ? weight : 0 };
}

function weightOf(type: string, ranges: readonly Range[]): number {
  for (const range of [type, `${type.split('/')[0]}/*`, '*/*']) {
    const found = ranges.find((candidate) => candidate.type === range);
    if (found !== undefined) return found.weight;
  }
  return 0;
}
