/**
 * The two boxes in front of the page: the question before a change, and the token.
 *
 * Both are the browser's own modal dialog, which keeps the focus inside, gives it back, and closes with Esc.
 */
import type { JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { type Asked, question } from '../state/actions.ts';
import { session, useToken } from '../state/session.ts';
import { useStore } from '../state/store.ts';

/** Gives the focus back when it goes: a dialog that is taken out of the page does not do that by itself. */
function useModal(): { readonly current: HTMLDialogElement | null } {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const { current } = dialog;
    const before = document.activeElement;
    current?.showModal();
    return () => {
      current?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return dialog;
}

export function QuestionDialog(): JSX.Element | null {
  const asked = useStore(question);
  return asked === null ? null : <OpenQuestion key={asked.title} asked={asked} />;
}

function OpenQuestion({ asked }: { readonly asked: Asked }): JSX.Element {
  const dialog = useModal();
  const [reason, setReason] = useState('');
  const id = useId();
  const missing = asked.reason === 'required' && reason.trim() === '';
  const field = useRef<HTMLInputElement>(null);
  // After the dialog has opened, which gives the focus to the first thing in it. What must be written comes before what may be chosen.
  useEffect(() => {
    if (asked.reason === 'required') field.current?.focus();
  }, [asked]);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (!missing) asked.answer({ reason: reason.trim() });
  };
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby={id} onCancel={() => asked.answer(null)}>
      <form onSubmit={submit}>
        <h2 id={id}>{asked.title}</h2>
        <div class="dialog-body">{asked.body}</div>
        {asked.reason !== undefined && (
          <label class="field">
            <span>Reason{asked.reason === 'required' ? '' : ' (optional)'}</span>
            <input
              ref={field}
              name="reason"
              maxLength={500}
              autocomplete="off"
              value={reason}
              placeholder={`${asked.reason === 'required' ? 'needed: it ' : ''}goes into the audit and the report`}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          </label>
        )}
        <footer class="dialog-foot">
          <button type="button" class="button button-plain" onClick={() => asked.answer(null)}>
            Cancel
          </button>
          <button
            type="submit"
            class={`button button-${asked.danger === true ? 'danger' : 'primary'}`}
            disabled={missing}
          >
            {asked.confirm}
          </button>
        </footer>
      </form>
    </dialog>
  );
}

export function TokenDialog(): JSX.Element | null {
  const { wanted } = useStore(session);
  return wanted ? <OpenToken /> : null;
}

function OpenToken(): JSX.Element {
  const { refused } = useStore(session);
  const dialog = useModal();
  const [token, setToken] = useState('');
  const [keep, setKeep] = useState(false);
  const id = useId();
  const submit = (event: Event): void => {
    event.preventDefault();
    if (token.trim() !== '') useToken(token.trim(), keep);
  };
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby={id} onCancel={(event) => event.preventDefault()}>
      <form onSubmit={submit}>
        <h2 id={id}>Token</h2>
        <div class="dialog-body">
          <p>This Sluice asks for a token of its admin API. It stays in this tab and is sent to nobody else.</p>
          {refused !== null && (
            <p class="failure" role="alert">
              {refused}
            </p>
          )}
        </div>
        <label class="field">
          <span>Token</span>
          <input
            type="password"
            name="token"
            autocomplete="off"
            spellcheck={false}
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <label class="check">
          <input type="checkbox" checked={keep} onChange={(event) => setKeep(event.currentTarget.checked)} />
          Remember it until this tab is closed
        </label>
        <footer class="dialog-foot">
          <button type="submit" class="button button-primary" disabled={token.trim() === ''}>
            Enter
          </button>
        </footer>
      </form>
    </dialog>
  );
}
