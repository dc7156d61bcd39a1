/**
 * The dashboard for Grafana: rows one below the other, panels from left to right.
 *
 * It is a program because the same selectors, joins and colours stand in some fifty queries, which nobody could keep equal in the JSON by hand. The
 * JSON is in Grafana's classic model, which every version since 10 reads and which may be imported by hand as well as put in a folder; its
 * version 42 is the last one. A newer model (v2) is not read by older Grafanas.
 *
 * The service is chosen one at a time: colours say which lane a curve is, and two services in the same two colours could not be told apart. The
 * table at the top shows all of them.
 */
import { INSTANCE, SERVICE } from './expressions.ts';
import { connectionsRow, endpointsRow, processRow, secondChancesRow } from './machine-rows.ts';
import { overviewRow, servicesRow } from './overview-rows.ts';
import { DATASOURCE, type Panel, type Row } from './panel.ts';
import { comparisonRow, rolloutRow, trafficRow } from './service-rows.ts';

const COLUMNS = 24;
const SCHEMA_VERSION = 42;

const ROWS: readonly Row[] = [
  ...[servicesRow, overviewRow, trafficRow, comparisonRow, rolloutRow],
  ...[secondChancesRow, endpointsRow, connectionsRow, processRow],
];

/** Gives every panel its place and a number that stays as long as the order does. */
function placed(rows: readonly Row[]): object[] {
  const panels: object[] = [];
  let y = 0;
  for (const { title, panels: inRow } of rows) {
    const gridPos = { x: 0, y, w: COLUMNS, h: 1 };
    panels.push({ type: 'row', title, id: panels.length + 1, collapsed: false, gridPos, panels: [] });
    y++;
    let x = 0;
    let height = 0;
    for (const { width, height: h, ...panel } of inRow as readonly Panel[]) {
      if (x + width > COLUMNS) {
        y += height;
        x = 0;
        height = 0;
      }
      panels.push({ ...panel, id: panels.length + 1, gridPos: { x, y, w: width, h } });
      x += width;
      height = Math.max(height, h);
    }
    y += height;
  }
  return panels;
}

/** A variable that Prometheus knows the values of. */
function listed(name: string, label: string, description: string, query: string, all: boolean): object {
  return {
    ...{ type: 'query', name, label, description, datasource: DATASOURCE },
    query: { qryType: 1, query, refId: `${name}-values` },
    definition: query,
    ...{ refresh: 2, sort: 7, multi: all, includeAll: all, hide: 0, regex: '', options: [] },
    current: all ? { text: ['All'], value: ['$__all'] } : {},
  };
}

const variables: readonly object[] = [
  {
    ...{ type: 'datasource', name: 'datasource', label: 'Prometheus', query: 'prometheus', regex: '', hide: 0 },
    ...{ description: 'The Prometheus that scrapes Sluice.', refresh: 1, multi: false, includeAll: false },
    ...{ options: [], current: {} },
  },
  listed('instance', 'Sluice', 'Which processes.', 'label_values(sluice_build_info, instance)', true),
  listed('service', 'Service', 'One at a time.', `label_values(sluice_weight{${INSTANCE}}, service)`, false),
  listed('version', 'Version', 'Of the service.', `label_values(sluice_weight{${SERVICE}}, version)`, true),
];

/**
 * Phases of rollouts as marks on every panel: a phase that was not there one interval before, of a Sluice that was. The latter keeps a restart,
 * after which all phases are new to Prometheus, from looking like an event.
 */
const PHASE_BEGINS = `(
  sum by (instance, service, rollout, phase) (sluice_rollout_phase{${SERVICE}})
  unless
  sum by (instance, service, rollout, phase) (sluice_rollout_phase{${SERVICE}} offset $__interval)
)
and on (instance) sluice_build_info{${INSTANCE}} offset $__interval`;

const annotations: readonly object[] = [
  {
    ...{ builtIn: 1, name: 'Annotations & Alerts', enable: true, hide: true, type: 'dashboard' },
    datasource: { type: 'grafana', uid: '-- Grafana --' },
    ...{ iconColor: 'rgba(0, 211, 255, 1)' },
    target: { limit: 100, matchAny: false, tags: [], type: 'dashboard' },
  },
  {
    ...{ name: 'Rollout phases', enable: true, hide: false, iconColor: 'purple', datasource: DATASOURCE },
    target: { expr: PHASE_BEGINS, interval: '', refId: 'Anno' },
    ...{ titleFormat: '{{rollout}}', textFormat: '{{phase}}', tagKeys: 'phase' },
  },
  {
    ...{ name: 'Firing alerts', enable: true, hide: false, iconColor: 'red', datasource: DATASOURCE },
    target: {
      expr: `ALERTS{alertname=~"Sluice.+",alertstate="firing",service=~"$service|"}`,
      ...{ interval: '', refId: 'Anno' },
    },
    ...{ titleFormat: '{{alertname}}', textFormat: '{{instance}} {{version}}', tagKeys: 'severity' },
  },
];

export const dashboard = {
  ...{ uid: 'sluice', title: 'Sluice', tags: ['sluice', 'canary'], id: null, version: 1, editable: true },
  description: 'Traffic, canary and rollouts of a Sluice proxy.',
  ...{ schemaVersion: SCHEMA_VERSION, graphTooltip: 1, refresh: '10s', timezone: 'browser', weekStart: '' },
  ...{ time: { from: 'now-30m', to: 'now' }, timepicker: {}, fiscalYearStartMonth: 0, links: [], preload: false },
  templating: { list: variables },
  annotations: { list: annotations },
  panels: placed(ROWS),
} as const;
