/**
 * What a page for people needs besides the other views: who it acts as, and the live state. Held equal to the types by a test; the examples are put
 * together from those of the calls that have the parts.
 */
import { Type } from 'typebox';
import type { LiveState } from '../live-state.ts';
import { GRANTS, type Identified } from '../permissions.ts';
import { serverStatus } from './change-views.ts';
import { serviceExample, statusExample } from './examples.ts';
import { rolloutExample } from './rollout-examples.ts';
import { rolloutView } from './rollout-views.ts';
import { serviceView } from './traffic-views.ts';
import { closed, time, words } from './values.ts';

export const identified = closed(
  {
    name: Type.String({ description: 'Of the token; `local` where none is needed.' }),
    role: words('viewer', 'operator', 'approver', 'admin'),
    open: Type.Boolean({ description: 'No token is configured, and whoever reaches the API may do everything.' }),
    permissions: Type.Array(words(...GRANTS), { description: 'What the role may do.' }),
  },
  { title: 'Identity' },
);

export const identifiedExample: Identified = {
  name: 'ci',
  role: 'operator',
  open: false,
  permissions: ['read', 'operate', 'approve'],
};

export const liveState = closed(
  {
    at: time,
    status: serverStatus,
    services: Type.Array(serviceView),
    rollouts: Type.Array(rolloutView, {
      description: 'Newest first; those that have not ended, or have within the last minute.',
    }),
  },
  { title: 'LiveState' },
);

export const liveExample: LiveState = {
  at: '2026-01-01T12:00:00.000Z',
  status: statusExample,
  services: [serviceExample],
  rollouts: [rolloutExample],
};
