/**
 * Holds the dashboard's picture of the API against the types of the control plane, when it is compiled: whatever the page reads must be sent.
 *
 * Nothing runs here. A line that no longer compiles names the view that has drifted; either the page reads something that is gone, or `views.ts` is to follow.
 */

import type { SluiceEvent } from '../../src/control/events/event.ts';
import type * as control from '../../src/control/operations.ts';
import type { RolloutReport, RolloutSummary, RolloutView } from '../../src/control/rollout/view.ts';
import type { AuditRow, AuditVerdict } from '../../src/control/store/store.ts';
import type * as report from '../../src/dashboard/api/report-views.ts';
import type * as page from '../../src/dashboard/api/views.ts';

/** Compiles only where everything that `Sent` is can be read as `Read`. */
type Reads<Read, Sent extends Read> = [Read, Sent];

export type Checked = [
  Reads<page.ServiceView, control.ServiceView>,
  Reads<page.ServerStatus, control.ServerStatus>,
  Reads<page.WeightsView, control.WeightsView>,
  Reads<page.WeightsChanged, control.WeightsChanged>,
  Reads<page.StrategyView, control.StrategyView>,
  Reads<page.NotificationView, control.NotificationView>,
  Reads<page.RolloutSummary, RolloutSummary>,
  Reads<page.RolloutView, RolloutView>,
  Reads<report.RolloutReport, RolloutReport>,
  Reads<page.SluiceEvent, SluiceEvent>,
  Reads<page.AuditRow, AuditRow>,
  Reads<page.AuditVerdict, AuditVerdict>,
];
