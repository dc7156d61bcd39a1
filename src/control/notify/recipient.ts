/** Who gets events from an event reader (event-reader.ts), and how: the part in which webhooks and channels of each kind differ. */
import type { SluiceEvent } from '../events/event.ts';
import type { WebhookAnswer, WebhookSender } from './webhook-sender.ts';

export interface Telling extends SluiceEvent {
  /** Id of the notification that nobody has acknowledged; only where it is told again because of that. */
  readonly notification?: string;
}

/** Keeps nothing itself: what it must know over events and restarts, as JSON, is `kept`. */
export interface Recipient {
  readonly name: string;
  /** Scheme, host and port: what logs may show of the address. */
  readonly origin: string;
  wants(event: SluiceEvent, kept: unknown): boolean;
  /** @param id of the delivery, the same over its tries. */
  send(sender: WebhookSender, event: Telling, id: string, kept: unknown): Promise<WebhookAnswer>;
  /** What is to be kept when an event that it wanted is done with, sent or given up. */
  after?(kept: unknown, event: Telling): unknown;
  /** What is said again and again while there is something to say. */
  readonly repeat?: {
    /** Milliseconds. */
    readonly every: number;
    isNeeded(kept: unknown): boolean;
    send(sender: WebhookSender, kept: unknown): Promise<WebhookAnswer>;
  };
}

export const ACCEPTED: WebhookAnswer = { fault: null, status: null, retryAfter: null };
