/**
 * A button that changes something: disabled, with the reason, for whom the server would refuse it, and while what it does is under way.
 *
 * The server decides in any case; a button that cannot work should say so before somebody relies on it in an incident.
 */
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Permission } from '../api/views.ts';
import { mayDo, session } from '../state/session.ts';
import { useStore } from '../state/store.ts';

export interface ActionButtonProps {
  readonly permission: Permission;
  readonly act: () => Promise<unknown>;
  readonly children: ComponentChildren;
  readonly kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  /** Why it cannot be used now; null where it can. */
  readonly blocked?: string | null;
  readonly label?: string;
}

const WHO: Readonly<Record<Permission, string>> = {
  read: 'any role',
  operate: 'the role operator or admin',
  approve: 'the role approver, operator or admin',
  administer: 'the role admin',
};

export function ActionButton(props: ActionButtonProps): JSX.Element {
  const { permission, act, children, kind = 'plain', blocked = null, label } = props;
  const [busy, setBusy] = useState(false);
  const now = useStore(session);
  const refused = mayDo(now, permission)
    ? null
    : `This needs ${WHO[permission]}; you are ${now.identity?.role ?? 'nobody yet'}.`;
  const why = refused ?? blocked;
  const click = async (): Promise<void> => {
    // Not disabled by the attribute meanwhile: such a button loses the focus, and a question could not give it back.
    if (busy) return;
    setBusy(true);
    try {
      await act();
    } finally {
      setBusy(false);
    }
  };
  return (
    <button
      type="button"
      class={`button button-${kind}`}
      disabled={why !== null}
      aria-disabled={busy}
      aria-busy={busy}
      title={why ?? undefined}
      aria-label={label}
      onClick={() => void click()}
    >
      {children}
    </button>
  );
}
