/**
 * Panels as Grafana's dashboards have them, made of what differs between them: kind, queries, unit, colours.
 *
 * One colour means one thing on the whole page: stable is blue, the canary orange, what went wrong red. Series are recognised by what their legend
 * says, so a legend that ends in a lane gets its lane's colour. Everything that Grafana would fill in by itself and that differs from version to
 * version is left to it.
 */
export const STABLE = 'blue';
export const CANARY = 'orange';
export const CANDIDATE = 'purple';
export const BAD = 'red';
export const GOOD = 'green';

/** What every query is sent to: whichever Prometheus the reader has chosen. */
export const DATASOURCE = { type: 'prometheus', uid: `\${datasource}` } as const;

export interface Query {
  readonly expr: string;
  /** Empty where there is one series. */
  readonly legend?: string;
}

export interface Step {
  readonly color: string;
  /** Null: from the beginning. */
  readonly value: number | null;
}

interface Override {
  readonly matcher: { readonly id: 'byRegexp' | 'byName'; readonly options: string };
  readonly properties: readonly { readonly id: string; readonly value: unknown }[];
}

export interface PanelPlan {
  readonly title: string;
  /** What it shows and what to make of it; shown behind the panel's (i). */
  readonly description: string;
  readonly queries: readonly Query[];
  /** Of Grafana's: `percentunit` is 0 to 1, `percent` 0 to 100, `s` seconds, `reqps` per second. */
  readonly unit: string;
  /** Of 24 columns. */
  readonly width: number;
  readonly height?: number;
  readonly max?: number;
  readonly decimals?: number;
  readonly steps?: readonly Step[];
  readonly colours?: readonly (readonly [legend: string, colour: string])[];
  /** Text and colour of the values 0, 1, 2 … or as `first` says. */
  readonly words?: { readonly first: number; readonly values: readonly (readonly [text: string, colour: string])[] };
}

/** Without its place, which is given by the row that it stands in. */
export interface Panel {
  readonly type: string;
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly [key: string]: unknown;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export const colour = (legend: string, fixedColor: string): Override => ({
  matcher: { id: 'byRegexp', options: legend },
  properties: [{ id: 'color', value: { mode: 'fixed', fixedColor } }],
});

const LANES = [
  ['/ stable$/', STABLE],
  ['/ canary$/', CANARY],
  ['/ candidate$/', CANDIDATE],
] as const;

interface Kind {
  readonly type: string;
  readonly height: number;
  readonly options: object;
  readonly custom?: object;
  /** Of series that no override colours. */
  readonly mode: string;
  /** Asked for one value, not for a curve. */
  readonly instant?: boolean;
}

function panel(plan: PanelPlan, kind: Kind): Panel {
  const { title, description, width, unit, words } = plan;
  return {
    ...{ type: kind.type, title, description, width, height: plan.height ?? kind.height },
    datasource: DATASOURCE,
    fieldConfig: {
      defaults: {
        color: { mode: kind.mode },
        custom: kind.custom ?? {},
        ...{ unit, min: 0 },
        ...(plan.max !== undefined && { max: plan.max }),
        ...(plan.decimals !== undefined && { decimals: plan.decimals }),
        mappings: words === undefined ? [] : [wordsOf(words)],
        thresholds: {
          mode: 'absolute',
          steps: plan.steps ?? [{ color: kind.mode === 'thresholds' ? 'text' : GOOD, value: null }],
        },
      },
      overrides: [...LANES, ...(plan.colours ?? [])].map(([legend, fixed]) => colour(legend, fixed)),
    },
    options: kind.options,
    targets: plan.queries.map(({ expr, legend }, i) => ({
      ...{ datasource: DATASOURCE, editorMode: 'code', expr, legendFormat: legend ?? title },
      ...{ instant: kind.instant === true, range: kind.instant !== true, refId: String.fromCharCode(65 + i) },
    })),
  };
}

const wordsOf = ({ first, values }: NonNullable<PanelPlan['words']>) => ({
  type: 'value',
  options: Object.fromEntries(values.map(([text, color], index) => [first + index, { text, color, index }])),
});

const legend = (calcs: readonly string[]) => ({ calcs, displayMode: 'table', placement: 'bottom', showLegend: true });
const tooltip = { mode: 'multi', sort: 'desc' };

const curve = (changes: object) => ({
  ...{ drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 2, fillOpacity: 8, gradientMode: 'none' },
  ...{ showPoints: 'never', spanNulls: false, axisPlacement: 'auto', scaleDistribution: { type: 'linear' } },
  ...{ stacking: { group: 'A', mode: 'none' }, thresholdsStyle: { mode: 'off' } },
  ...changes,
});

/** Curves. @param changes of how they are drawn */
export const curves = (plan: PanelPlan, changes: object = {}): Panel =>
  panel(plan, {
    ...{ type: 'timeseries', height: 8, mode: 'palette-classic', custom: curve(changes) },
    options: { legend: legend(['lastNotNull', 'max']), tooltip },
  });

/** Curves on top of each other. */
export const stacked = (plan: PanelPlan, changes: object = {}): Panel =>
  curves(plan, { fillOpacity: 40, lineWidth: 1, stacking: { group: 'A', mode: 'normal' }, ...changes });

/** A threshold that is drawn, dashed. */
export const LIMIT = { thresholdsStyle: { mode: 'dashed' } };

/** One figure, with its course behind it. */
export const figure = (plan: PanelPlan, graph: 'area' | 'none' = 'area'): Panel =>
  panel(plan, {
    ...{ type: 'stat', height: 5, mode: 'thresholds' },
    options: {
      ...{ colorMode: 'value', graphMode: graph, justifyMode: 'auto', orientation: 'auto', textMode: 'auto' },
      ...{ wideLayout: true, showPercentChange: false, percentChangeColorMode: 'standard' },
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    },
  });

/** Words over time, a line per series. */
export const states = (plan: PanelPlan): Panel =>
  panel(plan, {
    ...{ type: 'state-timeline', height: 8, mode: 'thresholds', custom: { fillOpacity: 75, lineWidth: 0 } },
    options: {
      ...{ alignValue: 'left', mergeValues: true, rowHeight: 0.8, showValue: 'auto', tooltip: { mode: 'single' } },
      legend: { displayMode: 'list', placement: 'bottom', showLegend: false },
    },
  });

export interface Column {
  readonly title: string;
  readonly expr: string;
  readonly properties: readonly { readonly id: string; readonly value: unknown }[];
}

/** One line per value of a label, one column per query, as things are now. */
export function table(
  plan: Pick<PanelPlan, 'title' | 'description' | 'width' | 'height'>,
  label: { readonly name: string; readonly properties: Column['properties'] },
  columns: readonly Column[],
): Panel {
  const queries = columns.map(({ expr }) => ({ expr }));
  const made = panel(
    { ...plan, unit: 'short', queries },
    {
      type: 'table',
      height: 7,
      mode: 'thresholds',
      instant: true,
      custom: { align: 'auto' },
      options: { showHeader: true, cellHeight: 'sm' },
    },
  );
  const { defaults } = made.fieldConfig as { defaults: object };
  const targets = (made.targets as readonly object[]).map((target) => ({
    ...target,
    format: 'table',
    legendFormat: '',
  }));
  const override = (name: string, properties: Column['properties']): Override => ({
    matcher: { id: 'byName', options: name },
    properties,
  });
  return {
    ...made,
    targets,
    fieldConfig: {
      defaults,
      overrides: [
        override(label.name, label.properties),
        ...columns.map((each) => override(each.title, each.properties)),
      ],
    },
    transformations: [
      { id: 'merge', options: {} },
      {
        id: 'organize',
        options: {
          excludeByName: { Time: true },
          indexByName: Object.fromEntries([
            [label.name, 0],
            ...columns.map((_, i) => [`Value #${String.fromCharCode(65 + i)}`, i + 1]),
          ]),
          renameByName: Object.fromEntries(
            columns.map(({ title }, i) => [`Value #${String.fromCharCode(65 + i)}`, title]),
          ),
        },
      },
    ],
  };
}
