/**
 * The ways in which the same bytes can arrive: whole, split in two at every byte, byte by byte.
 *
 * What a message means may not depend on packet boundaries, so every corpus message goes through all of them. Long messages are split
 * at every `step`-th byte only.
 */
export interface Delivery {
  readonly how: string;
  readonly parts: readonly string[];
}

export function* deliveries(bytes: string, step = 1): Generator<Delivery> {
  yield { how: 'whole', parts: [bytes] };
  for (let at = 1; at < bytes.length; at += step) {
    yield { how: `split at ${at}`, parts: [bytes.slice(0, at), bytes.slice(at)] };
  }
  if (step === 1) yield { how: 'byte by byte', parts: [...bytes] };
}
