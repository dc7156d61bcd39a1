/**
 * The pages on moving from Traefik, Argo Rollouts and Flagger: what stands side by side says the same.
 *
 * The other programs are not run, since they take a cluster or are not packaged. So their files are read as YAML and the numbers in them are compared
 * with what Sluice makes of its own: weights, servers, durations, thresholds. Nobody can change one side alone.
 */
import t from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { pagePaths, readPage } from './doc-tree.ts';
import { blocksOf } from './markdown.ts';

// biome-ignore lint/suspicious/noExplicitAny: files of other programs, of every shape.
type Yaml = any;

function sideBySide(page: string, other: string): { readonly theirs: readonly Yaml[]; readonly ours: Yaml } {
  const blocks = blocksOf(readPage(`docs/migration/${page}.md`)).filter(({ info }) => info[0] === 'yaml');
  const theirs = blocks.find(({ info }) => info[1] === other)?.text ?? '';
  const ours = blocks.find(({ info, text }) => info.length === 1 && /^listen:/m.test(text))?.text ?? '';
  return { theirs: parseAllDocuments(theirs).map((each) => each.toJS()), ours: parse(ours) };
}

const urlOf = (endpoint: Yaml): string => (typeof endpoint === 'string' ? endpoint : endpoint.url);
const weightOf = (endpoint: Yaml): number => endpoint.weight ?? 1;

t.test('YAML of other programs says whose it is, and is YAML', async (t) => {
  for (const page of pagePaths()) {
    for (const { info, text, line } of blocksOf(readPage(page))) {
      if (!/^ya?ml$/.test(info[0] ?? '') || info.length === 1) continue;
      t.strictSame(
        parseAllDocuments(text).flatMap(({ errors }) => errors.map(({ message }) => message)),
        [],
        `${page}:${line}`,
      );
    }
  }
});

t.test('Traefik', async (t) => {
  const { theirs, ours } = sideBySide('traefik', 'traefik');
  const { services, routers, middlewares } = theirs[0].http;
  const { shop } = ours.services;
  const { weighted } = services.shop;
  const nameOf = (service: string): string => service.replace('shop-', '');
  t.strictSame(
    Object.fromEntries(weighted.services.map((each: Yaml) => [nameOf(each.name), each.weight])),
    shop.split.weights,
  );
  for (const { name } of weighted.services) {
    const { servers, healthCheck } = services[name].loadBalancer;
    const { endpoints } = shop.versions[nameOf(name)];
    t.strictSame(servers.map(urlOf), endpoints.map(urlOf), name);
    t.strictSame(servers.map(weightOf), endpoints.map(weightOf), name);
    const { path, interval, timeout } = shop.health;
    t.strictSame(healthCheck, { path, interval, timeout }, name);
  }
  t.equal(weighted.sticky.cookie.name, shop.affinity.cookie);
  t.equal(routers.shop.rule, `Host(\`${ours.routes[0].match.host}\`)`);
  t.ok(routers['shop-beta'].rule.includes(shop.override.header));
  t.equal(routers['shop-beta'].service, `shop-${shop.lanes.canary}`);
  t.equal(middlewares['shop-retry'].retry.attempts, shop.retry.attempts + 1, 'Traefik counts the first attempt');
});

t.test('Argo Rollouts', async (t) => {
  const { theirs, ours } = sideBySide('argo-rollouts', 'argo-rollouts');
  const { canary } = theirs[0].spec.strategy;
  const [metric] = theirs[1].spec.metrics;
  const { steps, rollbackWhen } = ours.strategies.guestbook;
  const told: Yaml[] = [];
  for (const { setWeight, pause } of canary.steps) {
    if (setWeight !== undefined) told.push({ weight: setWeight });
    else if (pause.duration === undefined) told.push({ pause: 'manual' });
    else told.at(-1).for = pause.duration;
  }
  t.strictSame(
    steps.map(({ name: _name, pass: _pass, ...step }: Yaml) => step),
    told,
  );
  const share = `${Number(metric.successCondition.split('>= ')[1]) * 100}%`;
  const judged = steps.filter(({ pass }: Yaml) => pass !== undefined);
  for (const { name, pass } of judged) t.strictSame(pass, [`success_rate >= ${share}`], name);
  t.equal(judged[0].weight, canary.steps[canary.analysis.startingStep].setWeight, 'judged from the same step on');
  t.strictSame(rollbackWhen, [{ when: `success_rate < ${share}`, window: metric.interval, action: 'immediate' }]);
});

t.test('Flagger', async (t) => {
  const { theirs, ours } = sideBySide('flagger', 'flagger');
  const { targetRef, service, analysis } = theirs[0].spec;
  const { podinfo } = ours.strategies;
  const { versions } = ours.services[targetRef.name];
  for (const { endpoints } of Object.values<Yaml>(versions)) t.ok(endpoints[0].endsWith(`:${service.port}`));
  const advance = podinfo.steps.find(({ ramp }: Yaml) => ramp !== undefined);
  t.strictSame(advance.ramp, { to: analysis.maxWeight, by: analysis.stepWeight, every: analysis.interval });
  const [rate, duration] = analysis.metrics;
  t.strictSame(advance.pass, [
    `success_rate >= ${rate.thresholdRange.min}% over ${rate.interval}`,
    `p99 <= ${duration.thresholdRange.max}ms over ${duration.interval}`,
  ]);
  const minutes = analysis.threshold * Number.parseInt(analysis.interval, 10);
  t.strictSame(podinfo.rollbackWhen, [
    { when: `success_rate < ${rate.thresholdRange.min}%`, window: `${minutes}m`, action: 'immediate' },
  ]);
  const [acceptance, confirm] = analysis.webhooks;
  t.equal(podinfo.steps[0].name, acceptance.name);
  t.equal(podinfo.steps.at(-1).webhook.url, confirm.url);
});
