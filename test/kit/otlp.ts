/**
 * What an OTLP exporter posts, read back: the few messages of opentelemetry/proto/trace/v1 that matter here, from their protobuf bytes.
 *
 * A reader of our own, so that the exporter is not checked against its own idea of the format.
 */
export interface ReadEvent {
  readonly name: string;
  readonly time: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface ReadSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly state: string;
  readonly name: string;
  readonly kind: 'SERVER' | 'CLIENT' | 'OTHER';
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly ReadEvent[];
  readonly status: { readonly code: 'UNSET' | 'OK' | 'ERROR'; readonly message: string };
  readonly resource: Readonly<Record<string, unknown>>;
  readonly scope: string;
}

type Field = number | bigint | Buffer;
type Message = ReadonlyMap<number, readonly Field[]>;

function read(bytes: Buffer): Message {
  const fields = new Map<number, Field[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('a varint breaks off');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new Error('a field breaks off');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const kind = key & 7;
    let value: Field;
    if (kind === 0) value = varint();
    else if (kind === 1) value = take(8);
    else if (kind === 2) value = take(Number(varint()));
    else if (kind === 5) value = take(4);
    else throw new Error(`wire type ${kind}`);
    const found = fields.get(key >>> 3) ?? [];
    found.push(value);
    fields.set(key >>> 3, found);
  }
  return fields;
}

const all = (message: Message, field: number): Buffer[] => (message.get(field) ?? []) as Buffer[];
const bytesOf = (message: Message, field: number): Buffer => all(message, field)[0] ?? Buffer.alloc(0);
const textOf = (message: Message, field: number): string => bytesOf(message, field).toString('utf8');
const hexOf = (message: Message, field: number): string => bytesOf(message, field).toString('hex');
const numberOf = (message: Message, field: number): number => Number((message.get(field) ?? [0n])[0]);
const timeOf = (message: Message, field: number): number => Number(bytesOf(message, field).readBigUInt64LE()) / 1e6;

function anyOf(bytes: Buffer): unknown {
  const message = read(bytes);
  if (message.has(1)) return textOf(message, 1);
  if (message.has(2)) return numberOf(message, 2) === 1;
  if (message.has(3)) return numberOf(message, 3);
  return message.has(4) ? bytesOf(message, 4).readDoubleLE() : null;
}

const attributesOf = (pairs: readonly Buffer[]): Record<string, unknown> =>
  Object.fromEntries(
    pairs.map((pair) => {
      const message = read(pair);
      return [textOf(message, 1), anyOf(bytesOf(message, 2))];
    }),
  );

/** The spans of an ExportTraceServiceRequest. */
export function readSpans(body: Buffer): ReadSpan[] {
  return all(read(body), 1).flatMap((resourceSpans) => {
    const outer = read(resourceSpans);
    const resource = attributesOf(all(read(bytesOf(outer, 1)), 1));
    return all(outer, 2).flatMap((scopeSpans) => {
      const inner = read(scopeSpans);
      const scope = read(bytesOf(inner, 1));
      const scopeName = `${textOf(scope, 1)} ${textOf(scope, 2)}`;
      return all(inner, 2).map((span) => readSpan(read(span), resource, scopeName));
    });
  });
}

function readSpan(span: Message, resource: Record<string, unknown>, scope: string): ReadSpan {
  const status = read(bytesOf(span, 15));
  return {
    ...{ traceId: hexOf(span, 1), spanId: hexOf(span, 2), state: textOf(span, 3), parentId: hexOf(span, 4) },
    ...{ name: textOf(span, 5), start: timeOf(span, 7), end: timeOf(span, 8), resource, scope },
    kind: (['OTHER', 'OTHER', 'SERVER', 'CLIENT'] as const)[numberOf(span, 6)] ?? 'OTHER',
    attributes: attributesOf(all(span, 9)),
    events: all(span, 11).map((event) => {
      const message = read(event);
      return { time: timeOf(message, 1), name: textOf(message, 2), attributes: attributesOf(all(message, 3)) };
    }),
    status: {
      code: (['UNSET', 'OK', 'ERROR'] as const)[numberOf(status, 3)] ?? 'UNSET',
      message: textOf(status, 2),
    },
  };
}
