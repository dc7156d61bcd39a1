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
  'rollout.queued': 'A rollout waits for its turn, its time or approvals.',
  'rollout.started': 'A rollout has begun.',
  'rollout.step': 'A rollout has come to its next step, or to its next weight.',
  'rollout.paused': 'A rollout stands still until somebody, or its time, says go.',
  'rollout.resumed': 'A rollout goes on.',
  'rollout.approved': 'Somebody has approved a rollout.',
  'rollout.warning': 'A condition of level warning does not hold, or something could not be asked.',
  'rollout.incident': 'Stable fails as well, or the split cannot be trusted: the rollout is held.',
  'rollout.hook': 'A hook was run.',
  'rollout.promoting': 'Every step has passed; the version becomes stable.',
  'rollout.succeeded': 'The version is stable.',
  'rollout.rolling-back': 'A version is being taken back.',
  'rollout.drained': 'Nothing is in flight any more on a version that was taken back.',
  'rollout.rolled-back': 'A version has been taken back; all traffic is on stable.',
  'rollout.failed': 'A rollout ended before any user got the version.',
  'rollout.unreadable': 'What the state has of a rollout cannot be read; nothing watches it any more.',
  'endpoint.state': 'An operator enabled, drained or disabled an endpoint, or its draining ended.',
  'endpoint.health': 'Active checks found an endpoint healthy or unhealthy.',
  'endpoint.ejected': 'Outlier detection took an endpoint out.',
  'endpoint.returned': 'An ejected endpoint takes part again.',
  'flag.changed': 'A feature flag has another value.',
  alert: 'An alert of the monitor changed its state.',
  'notification.acknowledged': 'Somebody looks after a notification; it is escalated no further.',
  'store.failed': 'The state cannot be written; traffic is not affected.',
  'store.recovered': 'The state is written again.',
  'access.denied': 'Somebody keeps trying wrong tokens.',
} as const satisfies Readonly<Record<string, string>>;

export type EventType = keyof typeof EVENT_TYPES;

/** `info`: as intended. `warning`: somebody should look. `critical`: something acted by itself, or must be acted upon now. */
export type EventLevel = 'info' | 'warning' | 'critical';

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
