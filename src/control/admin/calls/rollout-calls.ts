/**
 * Rollouts: starting one, looking at them, and what they leave behind. What is said to a running one is in rollout-verb-calls.ts.
 */
import { Type } from 'typebox';
import { nameHint } from '../../config/nearest-name.ts';
import { NAME_PATTERN } from '../../config/schema-node.ts';
import type { ChangeOptions, Operations, StartRollout, StrategyView } from '../../operations.ts';
import { OperationError } from '../../problems.ts';
import { reportMarkdown } from '../../rollout/report-markdown.ts';
import { PHASES } from '../../rollout/rollout.ts';
import { defineCall, json } from '../call.ts';
import {
  packExample,
  reportExample,
  riskExample,
  rolloutExample,
  strategyExample,
  summaryExample,
  whyExample,
} from '../schemas/rollout-examples.ts';
import { risk } from '../schemas/rollout-parts.ts';
import {
  rollbackPack,
  rolloutReport,
  rolloutSummary,
  rolloutView,
  rolloutWhy,
  strategyView,
} from '../schemas/rollout-views.ts';
import { closed, nameOf, ofService, reason, why, words } from '../schemas/values.ts';
import { CHANGE_PROBLEMS } from './change.ts';
import { instantOf, ofRollout, rolloutAddress } from './rollout-fields.ts';

const MARKDOWN = 'text/markdown';
/** A strategy that is written out has room. */
const START_LIMIT = 65_536;

const startBody = closed({
  version: nameOf('a version'),
  strategy: Type.Optional(
    Type.Unsafe<string | Record<string, unknown>>({
      type: ['string', 'object'],
      pattern: NAME_PATTERN,
      title: 'the name of a strategy, or one written out as in the configuration',
      description: 'A name of GET /api/v1/strategies, or a strategy as in the configuration. Default standard.',
    }),
  ),
  notBefore: Type.Optional(
    Type.String({ maxLength: 40, title: 'a time such as 2026-01-01T12:00:00Z', description: 'When it may begin.' }),
  ),
  whenBusy: Type.Optional(words('refuse', 'queue', 'supersede')),
  reason: Type.Optional(reason),
});

const startExample = { version: 'v2', strategy: 'standard', reason: 'release 4711' };

interface StartBody {
  readonly version: string;
  readonly strategy?: string | Record<string, unknown>;
  readonly notBefore?: string;
  readonly whenBusy?: 'refuse' | 'queue' | 'supersede';
  readonly reason?: string;
}

/** The body without its reason, and the reason. @throws OperationError invalid_request */
function startOf(
  body: StartBody,
  query: ChangeOptions,
): { readonly given: StartRollout; readonly options: ChangeOptions } {
  const { reason: told, ...given } = body;
  if (given.notBefore !== undefined) instantOf(given.notBefore, '/notBefore');
  return { given, options: { ...query, ...(told !== undefined && { reason: told }) } };
}

/** @throws OperationError not_found */
function findStrategy(operations: Operations, name: string): StrategyView {
  const strategies = operations.strategies();
  const strategy = strategies.find((candidate) => candidate.name === name);
  if (strategy !== undefined) return strategy;
  const names = strategies.map((candidate) => candidate.name);
  throw new OperationError('not_found', `There is no strategy ${name}; ${nameHint(name, names)}`);
}

export const rolloutCalls = [
  defineCall({
    id: 'startRollout',
    method: 'POST',
    path: '/api/v1/services/{service}/rollouts',
    tag: 'rollouts',
    summary: 'Start a rollout of a version',
    description: 'Where another one runs, `whenBusy` or else the strategy says what happens.',
    pathSchema: ofService,
    query: why,
    body: { schema: startBody, example: startExample, limit: START_LIMIT },
    answers: [
      {
        status: 201,
        description: 'It runs, or it is queued; `phase` and `waiting` say which and why.',
        content: json(rolloutView, rolloutExample),
        headers: { location: 'Where the rollout is.' },
      },
    ],
    problems: CHANGE_PROBLEMS,
    async handle({ path, query, body, actor }, { operations }) {
      const { given, options } = startOf(body, query);
      const started = await operations.startRollout(actor, path.service, given, options);
      return { status: 201, headers: { location: rolloutAddress(started.id) }, body: started };
    },
  }),
  defineCall({
    id: 'assessRollout',
    method: 'POST',
    path: '/api/v1/services/{service}/rollouts/risk',
    tag: 'rollouts',
    summary: 'What the risk score of such a start would be',
    description: 'Takes the same body and starts nothing.',
    pathSchema: ofService,
    query: why,
    body: { schema: startBody, example: startExample, limit: START_LIMIT },
    logged: false,
    answers: [{ status: 200, description: 'The score, item by item.', content: json(risk, riskExample) }],
    problems: ['not_found', 'conflict'],
    handle: ({ path, query, body }, { operations }) => ({
      body: operations.rolloutRisk(path.service, startOf(body, query).given),
    }),
  }),
  defineCall({
    id: 'listRollouts',
    method: 'GET',
    path: '/api/v1/rollouts',
    tag: 'rollouts',
    summary: 'Rollouts, running and over',
    query: closed({ service: Type.Optional(nameOf('a service')), phase: Type.Optional(words(...PHASES)) }),
    answers: [
      {
        status: 200,
        description: 'Newest first.',
        content: json(closed({ rollouts: Type.Array(rolloutSummary) }, { title: 'Rollouts' }), {
          rollouts: [summaryExample],
        }),
      },
    ],
    handle: ({ query }, { operations }) => ({ body: { rollouts: operations.rollouts(query) } }),
  }),
  defineCall({
    id: 'getRollout',
    method: 'GET',
    path: '/api/v1/rollouts/{rollout}',
    tag: 'rollouts',
    summary: 'One rollout, with what is measured now',
    pathSchema: ofRollout,
    answers: [{ status: 200, description: 'The rollout.', content: json(rolloutView, rolloutExample) }],
    problems: ['not_found'],
    handle: ({ path }, { operations }) => ({ body: operations.rollout(path.rollout) }),
  }),
  defineCall({
    id: 'getRolloutReport',
    method: 'GET',
    path: '/api/v1/rollouts/{rollout}/report',
    tag: 'rollouts',
    summary: 'The report: step by step, and how it came out',
    pathSchema: ofRollout,
    query: closed({
      format: Type.Optional(
        Type.Unsafe<'json' | 'md'>({
          ...words('json', 'md'),
          description: 'Default json; md is Markdown.',
        }),
      ),
    }),
    answers: [
      {
        status: 200,
        description: 'The report; of a rollout that still runs, what there is so far.',
        content: {
          ...json(rolloutReport, reportExample),
          [MARKDOWN]: { schema: Type.String(), example: reportMarkdown(reportExample) },
        },
      },
    ],
    problems: ['not_found'],
    handle({ path, query }, { operations }) {
      const report = operations.rolloutReport(path.rollout);
      if (query.format !== 'md') return { body: report };
      return { type: `${MARKDOWN}; charset=utf-8`, body: reportMarkdown(report) };
    },
  }),
  defineCall({
    id: 'getRolloutWhy',
    method: 'GET',
    path: '/api/v1/rollouts/{rollout}/why',
    tag: 'rollouts',
    summary: 'Why it is where it is',
    description: 'The decision record: what was known at that moment. And what holds the rollout now.',
    pathSchema: ofRollout,
    answers: [{ status: 200, description: 'The answer.', content: json(rolloutWhy, whyExample) }],
    problems: ['not_found'],
    handle: ({ path }, { operations }) => ({ body: operations.rolloutWhy(path.rollout) }),
  }),
  defineCall({
    id: 'getRollbackPack',
    method: 'GET',
    path: '/api/v1/rollouts/{rollout}/pack',
    tag: 'rollouts',
    summary: 'The rollback pack: what was kept of the state before the start',
    pathSchema: ofRollout,
    answers: [{ status: 200, description: 'Its manifest.', content: json(rollbackPack, packExample) }],
    problems: ['not_found', 'store_unavailable'],
    async handle({ path }, { operations }) {
      return { body: await operations.rollbackPack(path.rollout) };
    },
  }),
  defineCall({
    id: 'listStrategies',
    method: 'GET',
    path: '/api/v1/strategies',
    tag: 'rollouts',
    summary: 'All strategies, those that come with Sluice included',
    answers: [
      {
        status: 200,
        description: 'As they are after defaults.',
        content: json(closed({ strategies: Type.Array(strategyView) }, { title: 'Strategies' }), {
          strategies: [strategyExample],
        }),
      },
    ],
    handle: (_input, { operations }) => ({ body: { strategies: operations.strategies() } }),
  }),
  defineCall({
    id: 'getStrategy',
    method: 'GET',
    path: '/api/v1/strategies/{strategy}',
    tag: 'rollouts',
    summary: 'One strategy',
    pathSchema: closed({ strategy: nameOf('a strategy') }),
    answers: [{ status: 200, description: 'The strategy.', content: json(strategyView, strategyExample) }],
    problems: ['not_found'],
    handle: ({ path }, { operations }) => ({ body: findStrategy(operations, path.strategy) }),
  }),
];
