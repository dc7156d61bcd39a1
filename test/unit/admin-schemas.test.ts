import { Ajv } from 'ajv';
import t from 'tap';
import type { Static, TSchema } from 'typebox';
import { CALLS } from '../../src/control/admin/call-list.ts';
import type { LiveState } from '../../src/control/admin/live-state.ts';
import { problemsOf } from '../../src/control/admin/openapi.ts';
import { type Identified, PERMISSIONS } from '../../src/control/admin/permissions.ts';
import type { Problem } from '../../src/control/admin/problem.ts';
import type * as changes from '../../src/control/admin/schemas/change-views.ts';
import type * as pages from '../../src/control/admin/schemas/page-views.ts';
import type * as records from '../../src/control/admin/schemas/records.ts';
import type * as parts from '../../src/control/admin/schemas/rollout-parts.ts';
import type * as rollouts from '../../src/control/admin/schemas/rollout-views.ts';
import type * as traffic from '../../src/control/admin/schemas/traffic-views.ts';
import type * as verdict from '../../src/control/analysis/verdict.ts';
import type { SluiceEvent } from '../../src/control/events/event.ts';
import type * as operations from '../../src/control/operations.ts';
import { PROBLEMS } from '../../src/control/problems.ts';
import type * as kept from '../../src/control/rollout/rollout.ts';
import type * as view from '../../src/control/rollout/view.ts';
import type * as store from '../../src/control/store/store.ts';

/** Structure only: what is readonly and what is not does not show in JSON. */
type Plain<T> = T extends object ? { -readonly [K in keyof T]: Plain<T[K]> } : T;
/** The same with nothing optional, since a field that may be missing is missed by nobody. */
type Full<T> = T extends object ? { -readonly [K in keyof T]-?: Full<T[K]> } : T;
type Fits<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
type Same<S extends TSchema, View> = Fits<Plain<Static<S>>, Plain<View>> & Fits<Full<Static<S>>, Full<View>>;

/** Does not compile where a schema and the type that it describes differ. */
const SAME: readonly true[] = [
  true satisfies Same<typeof traffic.serviceView, operations.ServiceView>,
  true satisfies Same<typeof traffic.versionView, operations.VersionView>,
  true satisfies Same<typeof traffic.endpointView, operations.EndpointView>,
  true satisfies Same<typeof changes.weightsView, operations.WeightsView>,
  true satisfies Same<typeof changes.weightsChanged, operations.WeightsChanged>,
  true satisfies Same<typeof changes.appliedView, operations.Applied>,
  true satisfies Same<typeof changes.flagView, operations.FlagView>,
  true satisfies Same<typeof changes.serverStatus, operations.ServerStatus>,
  true satisfies Same<typeof changes.configView, operations.ConfigView>,
  true satisfies Same<typeof changes.reloadResult, operations.ReloadResult>,
  true satisfies Same<typeof changes.storeState, store.StoreState>,
  true satisfies Same<typeof records.auditRow, store.AuditRow>,
  true satisfies Same<typeof records.auditVerdict, store.AuditVerdict>,
  true satisfies Same<typeof records.historyPoint, store.HistoryPoint>,
  true satisfies Same<typeof records.event, SluiceEvent>,
  true satisfies Same<typeof records.problem, Problem>,
  true satisfies Same<typeof pages.identified, Identified>,
  true satisfies Same<typeof pages.liveState, LiveState>,
  true satisfies Same<typeof parts.conditionResult, verdict.ConditionResult>,
  true satisfies Same<typeof parts.evidenceReading, verdict.EvidenceReading>,
  true satisfies Same<typeof parts.risk, kept.Risk>,
  true satisfies Same<typeof parts.versionSummary, kept.VersionSummary>,
  true satisfies Same<typeof parts.stepRecord, view.Shown<kept.StepRecord>>,
  true satisfies Same<typeof parts.decision, view.Shown<kept.Decision>>,
  true satisfies Same<typeof rollouts.rolloutSummary, view.RolloutSummary>,
  true satisfies Same<typeof rollouts.rolloutView, view.RolloutView>,
  true satisfies Same<typeof rollouts.rolloutReport, view.RolloutReport>,
  true satisfies Same<typeof rollouts.rolloutWhy, view.RolloutWhy>,
  true satisfies Same<typeof rollouts.rollbackPack, view.RollbackPackView>,
  true satisfies Same<typeof rollouts.strategyView, operations.StrategyView>,
  true satisfies Same<typeof rollouts.notificationView, operations.NotificationView>,
];

t.test('schemas and types are the same', async (t) => t.ok(SAME.every(Boolean), 'held by the compiler'));

t.test('examples fit their schemas', async (t) => {
  const ajv = new Ajv({ allErrors: true, strict: false, formats: { 'date-time': true } });
  const fits = (what: string, schema: TSchema, value: unknown): void => {
    const ok = ajv.validate(schema, value);
    t.ok(ok, `${what} ${ok ? '' : ajv.errorsText()}`);
  };
  for (const call of CALLS) {
    if (call.body !== null) fits(`body of ${call.id}`, call.body.schema, call.body.example);
    for (const { status, content } of call.answers) {
      for (const [type, { schema, example }] of Object.entries(content)) {
        if (example !== undefined) fits(`${status} ${type} of ${call.id}`, schema, example);
      }
    }
  }
});

t.test('every call has a permission, and every permission a call', async (t) => {
  t.strictSame(CALLS.map(({ id }) => id).sort(), Object.keys(PERMISSIONS).sort());
  const places = CALLS.map(({ method, path }) => `${method} ${path}`);
  t.equal(new Set(places).size, places.length, 'no address twice');
  t.strictSame(
    CALLS.filter(({ method, id }) => method !== 'GET' && ['open', 'scrape', 'read'].includes(PERMISSIONS[id])),
    [],
    'whoever may only read changes nothing',
  );
});

t.test('every problem of the registry can come from some call, or from no call at all', async (t) => {
  const known = new Set([...CALLS.flatMap(problemsOf), 'not_allowed']);
  t.strictSame([...known].sort(), Object.keys(PROBLEMS).sort());
});
