/** Messages in a form that can be compared: what may differ from request to request is taken out, field order stays. */

import type { Field, Message, RequestMessage } from './message.ts';
import type { Answer, Transcript } from './raw-client.ts';

const VARIES = /^(x-request-id|traceparent|date)$/i;

function fieldLines(fields: readonly Field[]): string[] {
  return fields.map(([name, text]) => `${name}: ${VARIES.test(name) ? '…' : text}`);
}

function rest(message: Message): Record<string, unknown> {
  const { version, framing, body, trailers } = message;
  return { version, fields: fieldLines(message.fields), framing, body, trailers: fieldLines(trailers) };
}

export function normalRequest(request: RequestMessage): Record<string, unknown> {
  return { line: `${request.method} ${request.target}`, ...rest(request) };
}

export function normalAnswer(answer: Answer): Record<string, unknown> {
  const interim = answer.interim.map((message) => ({ status: message.status, ...rest(message) }));
  return { status: answer.status, reason: answer.reason, ...rest(answer), interim };
}

export function normalTranscript(read: Transcript): Record<string, unknown> {
  return { answers: read.answers.map(normalAnswer), rest: read.rest, cut: read.cut, bad: read.bad };
}
