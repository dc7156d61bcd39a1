/**
 * Strategies and what belongs to them as written: the shape that the schema admits, before defaults, units and cross-references.
 */
import type { ApproverRole, HookPoint, NotificationConfig, WhenBusy } from '../../model/rollout-config.ts';
import type { RawSecret } from './raw-admin.ts';
import type { Written } from './raw-config.ts';
import type {
  APPROVALS,
  CHECK,
  EVIDENCE,
  EVIDENCE_LATENCY,
  EVIDENCE_SHARES,
  EVIDENCE_SLO,
  GATE,
  GRADUAL,
  HEALTH_SCORE,
  HOOK,
  PREFLIGHT,
  PROVIDER,
  RAMP,
  STRATEGY,
  WARM_UP,
} from './rollout-settings.ts';

/** `on`, `off`, `true` or `false`; the words are text to YAML. */
export type RawSwitch = boolean | string;

type Texts = Readonly<Record<string, string>>;

export interface RawCheck extends Written<typeof CHECK> {
  readonly name?: string;
  readonly method?: string;
  readonly path: string;
  readonly headers?: Texts;
  readonly body?: string;
  readonly expect?: {
    readonly status?: number | readonly number[];
    readonly body?: string;
    readonly latency?: string;
  };
}

export interface RawPreflight extends Written<typeof PREFLIGHT> {
  readonly health?: boolean;
  readonly warmUp?: { readonly path?: string } & Written<typeof WARM_UP>;
  readonly smoke?: readonly RawCheck[];
}

export interface RawGate extends Written<typeof GATE> {
  readonly url: string;
  readonly secret?: RawSecret;
}

export interface RawStep {
  readonly name?: string;
  readonly weight?: string | number;
  readonly for?: string;
  readonly pass?: readonly string[];
  readonly ramp?: Written<typeof RAMP>;
  readonly pause?: string;
  readonly preflight?: RawPreflight;
  readonly webhook?: RawGate;
  readonly analysis?: { readonly for: string; readonly pass: readonly string[] };
  readonly override?: RawSwitch;
}

export interface RawEvidenceParts extends Written<typeof EVIDENCE>, Written<typeof EVIDENCE_SLO> {
  readonly shares?: Written<typeof EVIDENCE_SHARES>;
  readonly earlyPass?: boolean;
  readonly latency?: RawSwitch | ({ readonly percentile?: 'p95' | 'p99' } & Written<typeof EVIDENCE_LATENCY>);
}

export type RawEvidence = RawSwitch | RawEvidenceParts;

export interface RawRule {
  readonly when: string;
  readonly window?: string;
  readonly action?: 'immediate' | 'gradual';
  readonly level?: 'critical' | 'warning';
}

export interface RawHook extends Written<typeof HOOK> {
  readonly name: string;
  readonly webhook?: { readonly url: string; readonly secret?: RawSecret };
  readonly command?: readonly string[];
  readonly env?: Texts;
  readonly onFailure?: 'rollback' | 'ignore';
}

export interface RawFreeze {
  readonly name: string;
  readonly days?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly timeZone?: string;
}

export interface RawHealthScore extends Written<typeof HEALTH_SCORE> {
  readonly success?: number;
  readonly latency?: number;
  readonly metric?: { readonly name: string; readonly weight?: number };
}

export interface RawStrategy extends Written<typeof STRATEGY> {
  readonly extends?: string;
  readonly steps?: readonly RawStep[];
  readonly evidence?: RawEvidence;
  readonly rollbackWhen?: readonly RawRule[];
  readonly gradual?: Written<typeof GRADUAL>;
  readonly hooks?: { readonly [Point in HookPoint]?: readonly RawHook[] };
  readonly approvals?: { readonly roles?: readonly ApproverRole[] } & Written<typeof APPROVALS>;
  readonly approveAboveRisk?: number;
  readonly whenBusy?: WhenBusy;
  readonly freeze?: readonly RawFreeze[];
  readonly healthScore?: RawHealthScore;
}

export interface RawProvider extends Written<typeof PROVIDER> {
  readonly prometheus?: { readonly url: string; readonly query: string };
  readonly http?: { readonly url: string; readonly path: string; readonly headers?: Texts };
  readonly token?: RawSecret;
}

export interface RawApprover {
  readonly name: string;
  readonly role: ApproverRole;
  readonly publicKey: string | { readonly file: string };
}

export interface RawNotification {
  readonly name: string;
  readonly kind: NotificationConfig['kind'];
  readonly url: string;
  readonly severity?: NotificationConfig['severity'];
  readonly types?: readonly string[];
  readonly template?: string;
  readonly secret?: RawSecret;
  readonly escalate?: { readonly after: string; readonly to: string };
}

/** The part of the file that is about rollouts. */
export interface RawRollouts {
  readonly strategies?: Readonly<Record<string, RawStrategy>>;
  readonly metrics?: Readonly<Record<string, RawProvider>>;
  readonly approvers?: readonly RawApprover[];
  readonly notifications?: readonly RawNotification[];
}
