/**
 * Starts the page: theme, address, the live stream, and the first of everything that the stream does not repeat.
 *
 * The stream begins anew with every token. It says what is; who asks and what happened before the page was opened are asked for once.
 */
import { render } from 'preact';
import { addressOf, authorization, call, failureOf } from './api/client.ts';
import { LiveStream } from './api/live.ts';
import type { Identity, SluiceEvent } from './api/views.ts';
import { App } from './app.tsx';
import { followAddress } from './router.ts';
import { connected, eventsCame, stateCame } from './state/dashboard.ts';
import { identified, session } from './state/session.ts';
import { followTheme } from './state/theme.ts';

/** That the stream was opened with last. */
let token = session.get().token;

const stream = new LiveStream({
  open: (lastEventId, signal) =>
    fetch(addressOf('api/v1/live'), {
      signal,
      cache: 'no-store',
      credentials: 'omit',
      headers: {
        accept: 'text/event-stream',
        ...authorization(),
        ...(lastEventId !== null && { 'last-event-id': lastEventId }),
      },
    }),
  explain: async (opened) => (await failureOf(opened as Response, token)).message,
  handlers: {
    connection(connection) {
      connected(connection);
      if (connection.state === 'live' && session.get().identity === null) void introduce();
    },
    state: stateCame,
    event: (event) => eventsCame([event]),
  },
});

/** Asked for once at a time; what fails is asked for again with the next state. */
let introducing = false;

async function introduce(): Promise<void> {
  if (introducing) return;
  introducing = true;
  try {
    identified(await call<Identity>('api/v1/identity'));
    eventsCame(await call<readonly SluiceEvent[]>('api/v1/events?limit=100'));
  } catch {
    // The connection says what is wrong.
  } finally {
    introducing = false;
  }
}

session.subscribe(() => {
  const next = session.get().token;
  if (next === token) return;
  token = next;
  stream.start();
});
addEventListener('online', () => stream.hurry());
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') stream.hurry();
});

followTheme();
followAddress();
const root = document.getElementById('app');
if (root !== null) {
  root.textContent = '';
  render(<App />, root);
  stream.start();
}
