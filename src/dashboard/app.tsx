/**
 * The page: who is here and how the connection is at the top, one view below it, dialogs and notices in front.
 */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Connection } from './api/live.ts';
import { duration } from './format.ts';
import { linkTo, type Route, route } from './router.ts';
import { type Live, live } from './state/dashboard.ts';
import { forgetToken, session } from './state/session.ts';
import { useStore } from './state/store.ts';
import { switchTheme, theme } from './state/theme.ts';
import { QuestionDialog, TokenDialog } from './ui/dialogs.tsx';
import { Notices } from './ui/notices.tsx';
import { Missing } from './ui/panel.tsx';
import { AuditPage } from './views/audit.tsx';
import { EventsPage } from './views/events.tsx';
import { Overview } from './views/overview.tsx';
import { ReportPage } from './views/report.tsx';
import { RolloutPage } from './views/rollout.tsx';
import { RolloutsPage } from './views/rollouts.tsx';
import { ServicePage } from './views/service.tsx';

export function App(): JSX.Element {
  const now = useStore(live);
  const at = useStore(route);
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    document.title = `${titleOf(at)} · Sluice`;
    // A screen reader goes on where the new view begins; at the first one it begins at the top by itself.
    if (!first.current) {
      main.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    first.current = false;
  }, [at]);
  const stale = now.connection.state !== 'live' && now.state !== null;
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <Header now={now} at={at} />
      {stale && <StaleBar connection={now.connection} />}
      <main id="main" ref={main} tabIndex={-1} class={stale ? 'stale' : ''}>
        <View now={now} at={at} />
      </main>
      <Notices />
      <QuestionDialog />
      <TokenDialog />
    </>
  );
}

function View({ now, at }: { readonly now: Live; readonly at: Route }): JSX.Element {
  if (at.view === 'unknown')
    return (
      <Missing title="There is no such page.">
        <a href={linkTo.overview()}>To the overview</a>
      </Missing>
    );
  if (now.state === null) return <Waiting connection={now.connection} />;
  switch (at.view) {
    case 'overview':
      return <Overview now={now} />;
    case 'service':
      return <ServicePage key={at.service} now={now} name={at.service} />;
    case 'rollouts':
      return <RolloutsPage now={now} />;
    case 'rollout':
      return <RolloutPage key={at.id} now={now} id={at.id} />;
    case 'report':
      return <ReportPage key={at.id} now={now} id={at.id} />;
    case 'events':
      return <EventsPage now={now} />;
    case 'audit':
      return <AuditPage now={now} />;
  }
}

const Waiting = ({ connection }: { readonly connection: Connection }): JSX.Element => (
  <p class="empty" role="status">
    {connection.state === 'waiting'
      ? `${connection.reason} Trying again …`
      : connection.state === 'refused'
        ? 'A token is needed.'
        : 'Connecting …'}
  </p>
);

const NAV: readonly { readonly text: string; readonly link: string; readonly views: readonly Route['view'][] }[] = [
  { text: 'Overview', link: linkTo.overview(), views: ['overview', 'service'] },
  { text: 'Rollouts', link: linkTo.rollouts(), views: ['rollouts', 'rollout', 'report'] },
  { text: 'Events', link: linkTo.events(), views: ['events'] },
  { text: 'Audit', link: linkTo.audit(), views: ['audit'] },
];

function Header({ now, at }: { readonly now: Live; readonly at: Route }): JSX.Element {
  const { identity, token } = useStore(session);
  const shade = useStore(theme);
  const status = now.state?.status;
  return (
    <header class="top">
      <a class="brand" href={linkTo.overview()}>
        <img src="dashboard/icon.svg" alt="" width="26" height="26" />
        Sluice
      </a>
      <nav aria-label="Views">
        {NAV.map(({ text, link, views }) => (
          <a key={text} href={link} aria-current={views.includes(at.view) ? 'page' : undefined}>
            {text}
          </a>
        ))}
      </nav>
      <div class="top-right">
        {status !== undefined && status.environment !== 'default' && (
          <span class="environment">{status.environment}</span>
        )}
        {identity !== null && (
          <span
            class="identity"
            title={
              identity.open ? 'No tokens are configured: everybody who reaches this page may do everything.' : undefined
            }
          >
            {identity.open ? 'open' : `${identity.name} · ${identity.role}`}
          </span>
        )}
        {token !== null && (
          <button type="button" class="button button-quiet" onClick={() => forgetToken(null)}>
            Sign out
          </button>
        )}
        <Pill connection={now.connection} />
        <button
          type="button"
          class="icon-button"
          aria-label={shade === 'dark' ? 'Light theme' : 'Dark theme'}
          onClick={switchTheme}
        >
          {shade === 'dark' ? '☀' : '☾'}
        </button>
      </div>
    </header>
  );
}

const WORDS: Readonly<Record<Connection['state'], string>> = {
  connecting: 'connecting',
  live: 'live',
  waiting: 'reconnecting',
  refused: 'no token',
};

const Pill = ({ connection }: { readonly connection: Connection }): JSX.Element => (
  <span class={`pill pill-${connection.state}`} role="status" aria-label={`Connection: ${WORDS[connection.state]}`}>
    <i aria-hidden="true" />
    {WORDS[connection.state]}
  </span>
);

function StaleBar({ connection }: { readonly connection: Connection }): JSX.Element {
  const since = live.get().state?.at;
  const old = since === undefined ? null : Date.now() - Date.parse(since);
  return (
    <p class="stale-bar" role="alert">
      {connection.state === 'waiting' ? connection.reason : 'The connection is being opened again.'} What you see is
      {old !== null && old > 2_000 ? ` ${duration(old)} old` : ' no longer live'}; it is opened again by itself.
    </p>
  );
}

function titleOf(at: Route): string {
  switch (at.view) {
    case 'overview':
      return 'Overview';
    case 'service':
      return at.service;
    case 'rollouts':
      return 'Rollouts';
    case 'rollout':
      return at.id;
    case 'report':
      return `${at.id}, report`;
    case 'events':
      return 'Events';
    case 'audit':
      return 'Audit';
    case 'unknown':
      return 'Not found';
  }
}
