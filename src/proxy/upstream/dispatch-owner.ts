import type { ReplyCode } from '../../model/local-reply.ts';
import type { FlushState } from '../codec.ts';
import type { ResponseHead } from '../http1/response-head.ts';

/** Who wants the answer. */
export interface DispatchOwner {
  onInformational(head: ResponseHead): void;
  /** The answer that the client may have; its data and its end follow. */
  onAnswer(head: ResponseHead): void;
  onAnswerData(buf: Buffer, start: number, end: number, shared: boolean): void;
  onAnswerEnd(trailers: string): void;
  /** Takes back an answer of which the client has seen nothing; false where that is too late. */
  retractAnswer(): boolean;
  /** There is no answer, or no more of it. */
  onNoAnswer(code: ReplyCode): void;
  pauseRequest(): void;
  resumeRequest(): void;
  flushDownstream(): FlushState;
}
