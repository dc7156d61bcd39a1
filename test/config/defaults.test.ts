/** The comments of the model and the table of settings name the same defaults. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { TRACING, TRACING_DEFAULTS } from '../../src/control/config/schema-tracing.ts';
import {
  ACCESS_LOG,
  AFFINITY,
  ALERT,
  BALANCE,
  DOWNSTREAM_TIMEOUTS,
  ENDPOINT,
  EVENTS,
  EXPERIMENT,
  HEALTH,
  LIMITS,
  MONITOR,
  OUTLIER,
  PLAIN_DEFAULTS,
  POOL,
  parseSetting,
  RETRY,
  RETRY_BUDGET,
  SERVICE_TIMEOUTS,
  type Setting,
  type Settings,
  SHIELD,
  SPLIT,
  SUCCESS_RATE,
} from '../../src/control/config/settings.ts';

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** In the model the settings of the success-rate detector stand among the others, under longer names. */
const OUTLIER_FLAT: Settings = {
  ...OUTLIER,
  ...Object.fromEntries(Object.entries(SUCCESS_RATE).map(([key, setting]) => [`successRate${capital(key)}`, setting])),
};

const INTERFACES: readonly (readonly [name: string, settings: Settings, words: Readonly<Record<string, unknown>>])[] = [
  ['LimitsConfig', LIMITS, {}],
  ['DownstreamTimeoutsConfig', DOWNSTREAM_TIMEOUTS, {}],
  ['ServiceTimeoutsConfig', SERVICE_TIMEOUTS, {}],
  ['PoolConfig', POOL, {}],
  ['EndpointConfig', ENDPOINT, {}],
  ['SplitConfig', SPLIT, {}],
  ['ExperimentConfig', EXPERIMENT, {}],
  ['AffinityConfig', AFFINITY, {}],
  ['BalanceConfig', BALANCE, { policy: PLAIN_DEFAULTS.balancingPolicy }],
  [
    'HealthConfig',
    HEALTH,
    { path: `${PLAIN_DEFAULTS.healthPath} for http`, status: PLAIN_DEFAULTS.healthStatus.replace('-', ' to ') },
  ],
  ['OutlierConfig', OUTLIER_FLAT, {}],
  ['RetryConfig', RETRY, { on: PLAIN_DEFAULTS.retryOn.join(', '), methods: PLAIN_DEFAULTS.retryMethods }],
  ['RetryBudgetConfig', RETRY_BUDGET, {}],
  [
    'ShieldConfig',
    SHIELD,
    {
      on: PLAIN_DEFAULTS.shieldOn.join(', '),
      methods: PLAIN_DEFAULTS.shieldMethods,
      forced: String(PLAIN_DEFAULTS.shieldForced),
    },
  ],
  ['HedgeConfig', {}, { methods: PLAIN_DEFAULTS.hedgeMethods }],
  ['AlertConfig', ALERT, {}],
  ['MonitorConfig', MONITOR, {}],
  ['AdminConfig', {}, { listen: PLAIN_DEFAULTS.adminListen, publicMetrics: String(PLAIN_DEFAULTS.publicMetrics) }],
  ['EventsConfig', EVENTS, {}],
  ['TracingConfig', TRACING, TRACING_DEFAULTS],
  ['AccessLogConfig', ACCESS_LOG, { errors: String(PLAIN_DEFAULTS.accessLogErrors) }],
];

const model = ['config.ts', 'policy-config.ts', 'admin-config.ts']
  .map((file) => readFileSync(new URL(`../../src/model/${file}`, import.meta.url), 'utf8'))
  .join('\n');

/** "20,000", "16 KiB", "5 min", "90 days", "1,900" thousandths: as the comments write a number. */
function commentedNumber(words: string, { kind }: Setting): number | null {
  const compact = words
    .replaceAll(/[ ,`]/g, '')
    .replace(/min$/, 'm')
    .replace(/(\d+)days$/, (_, days: string) => `${Number(days) * 24}h`);
  if (kind === 'size' || (kind === 'duration' && compact !== '0')) return parseSetting(kind, compact);
  return Number(compact);
}

for (const [name, settings, plain] of INTERFACES) {
  t.test(name, async (t) => {
    const body = model.split(`export interface ${name} {`)[1]?.split('\n}')[0] ?? '';
    const commented = [...body.matchAll(/Default ((?:[^.:]|[.:](?=\d))+)\.[^\n]*\*\/\n\s+readonly (\w+)\??:/g)];
    const defaults = new Map(commented.map(([, words = '', key = '']) => [key, words]));
    const withDefault = Object.keys(settings).filter((key) => settings[key]?.fallback !== undefined);
    t.strictSame(
      [...defaults.keys()].toSorted(),
      [...withDefault, ...Object.keys(plain)].toSorted(),
      'the comments and the table have the same keys',
    );
    for (const key of withDefault) {
      const { kind, fallback } = settings[key]!;
      t.equal(commentedNumber(defaults.get(key) ?? '', settings[key]!), parseSetting(kind, fallback), key);
    }
    for (const [key, words] of Object.entries(plain)) t.equal(defaults.get(key)?.replaceAll('`', ''), words, key);
  });
}
