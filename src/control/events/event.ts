/**
 * What happened: the closed vocabulary of events, and their shape in the event stream, in webhooks and in the store.
 */
export const EVENT_TYPES = {
  'server.started': 'The process serves.',
  'server.draining': 'The process has been told to end.',
  'worker.replaced': 'A worker died and another takes its place.',
  'config.reloaded': 'A configuration was read and is running.',
  'config.rejected': 'A configuration has faults; what ran before goes on.',
  'override.dropped': 'A runtime change no longer fits the configuration and was given up.',
  'weights.changed': 'The weights of a service have changed.',
  'lanes.changed': 'The lanes of a service have changed.',
  'version.changed': 'A version was registered or its endpoints were replaced.',
  'version.removed': 'A version was taken out.',
  'rollback.started': 'Traffic is being taken back to stable.',
  'rollback.finished': 'All traffic is back on stable.',
  'endpoint.state': 'An operator enabled, drained or disabled an endpoint, or its draining ended.',
  'endpoint.health': 'Active checks found an endpoint healthy or unhealthy.',
  'endpoint.ejected': 'Outlier detection took an endpoint out.',
  'endpoint.returned': 'An ejected endpoint takes part again.',
  'flag.changed': 'A feature flag has another value.',
  alert: 'An alert of the monitor changed its state.',
  'store.failed': 'The state cannot be written; traffic is not affected.',
  'store.recovered': 'The state is written again.',
  'access.denied': 'Somebody keeps trying wrong tokens.',
} as const satisfies Readonly<Record<string, string>>;

export type EventType = keyof typeof EVENT_TYPES;

/** `info`: as intended. `warning`: somebody should look. */
export type EventLevel = 'info' | 'warning';

export interface NewEvent {
  readonly type: EventType;
  readonly level: EventLevel;
  readonly service?: string;
  readonly version?: string;
  readonly endpoint?: string;
  /** One sentence for people. */
  readonly message: string;
  /** JSON, by type. */
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface SluiceEvent extends NewEvent {
  /** Grows, over restarts too, sometimes with a gap; what a reader resumes from. */
  readonly id: number;
  /** ISO 8601. */
  readonly at: string;
}
