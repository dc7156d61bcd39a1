/**
 * Weights, flags, configuration and the server as the API shows them, and what a change answers: the schemas of the views in
 * `control/operations.ts`. Held equal to those by a test, like the views of traffic.
 */
import { Type } from 'typebox';
import { endpointView, lanes, openAlert, versionView } from './traffic-views.ts';
import { closed, milliseconds, nullable, percentByName, time, words } from './values.ts';

const applied = {
  generation: Type.Integer({ description: 'Number of the state that runs now.' }),
  appliedInMs: Type.Number({ description: 'Until the last worker had taken the change up, milliseconds.' }),
  workers: Type.Integer({ description: 'Workers that run it.' }),
};

export const appliedView = closed(applied, { title: 'Applied' });

const weights = {
  weights: percentByName('Percent by version.'),
  lanes,
  etag: Type.String({ description: 'Of lanes and weights; in double quotes it is what If-Match takes.' }),
  file: percentByName('What the file says.'),
};

export const weightsView = closed(weights, { title: 'Weights' });

export const weightsChanged = closed({ ...weights, ...applied }, { title: 'WeightsChanged' });

export const relativeWeightsChanged = closed(
  { service: Type.String(), ...weights, ...applied },
  { title: 'RelativeWeightsChanged' },
);

export const rollbackStarted = closed(
  {
    mode: words('immediate', 'gradual'),
    ...weights,
    ...applied,
    note: Type.Optional(
      Type.String({
        description:
          'A sentence: a rollout takes the version back, in its own time (`workers` is 0 then); or nothing was changed, and what undoes the last rollout.',
      }),
    ),
  },
  { title: 'RollbackStarted' },
);

export const lanesChanged = closed({ lanes, ...applied }, { title: 'LanesChanged' });

export const versionChanged = closed(
  { version: versionView, created: Type.Boolean(), ...applied },
  { title: 'VersionChanged' },
);

export const endpointsView = closed({ endpoints: Type.Array(endpointView) }, { title: 'Endpoints' });

export const flagView = closed(
  {
    name: Type.String(),
    value: Type.Number({ description: 'Percent of the users for whom it is on now.' }),
    default: Type.Number(),
    environments: percentByName('Percent by environment.'),
    override: nullable(Type.Number()),
    key: nullable(Type.String({ description: 'Who a user is, such as "header x-user-id".' })),
    header: nullable(Type.String({ description: 'Request header that tells upstreams.' })),
  },
  { title: 'Flag' },
);

export const flagChanged = closed({ flag: flagView, ...applied }, { title: 'FlagChanged' });

export const storeState = closed(
  {
    path: nullable(Type.String()),
    revision: Type.Integer(),
    trouble: nullable(closed({ kind: words('full', 'unavailable'), message: Type.String(), since: time })),
  },
  { title: 'StoreState' },
);

export const serverStatus = closed(
  {
    version: Type.String(),
    pid: Type.Integer(),
    startedAt: time,
    uptimeMs: milliseconds('Since the start'),
    state: words('starting', 'serving', 'draining'),
    generation: Type.Integer(),
    environment: Type.String(),
    listen: Type.Array(Type.String()),
    workers: closed({ configured: Type.Integer(), listening: Type.Integer() }),
    connections: Type.Integer(),
    inFlight: Type.Integer(),
    store: storeState,
    alerts: Type.Array(openAlert),
  },
  { title: 'ServerStatus' },
);

export const configView = closed(
  {
    generation: Type.Integer(),
    environment: Type.String(),
    files: Type.Array(Type.String()),
    loadedAt: time,
    rejected: nullable(closed({ at: time, problems: Type.Array(Type.Unknown()) })),
    file: Type.Unknown({ description: 'The files after defaults, without secrets.' }),
    effective: Type.Unknown({ description: 'With runtime changes: what runs.' }),
    differences: Type.Array(
      closed({ key: Type.String(), file: Type.Unknown(), override: Type.Unknown(), effective: Type.Unknown() }),
    ),
  },
  { title: 'Config' },
);

export const reloadResult = closed(
  {
    changed: Type.Boolean(),
    generation: applied.generation,
    appliedInMs: Type.Optional(applied.appliedInMs),
    workers: Type.Optional(applied.workers),
    dropped: Type.Array(closed({ key: Type.String(), reason: Type.String() })),
  },
  { title: 'ReloadResult' },
);

export const validated = closed(
  {
    services: Type.Integer(),
    versions: Type.Integer(),
    endpoints: Type.Integer(),
    routes: Type.Integer(),
  },
  { title: 'ConfigCounts', description: 'How many there are of each.' },
);
