/**
 * What came of the last changes, at the foot of the page. Those that went well leave after a while; failures stay until they are closed.
 */
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { dismiss, type Notice, notices } from '../state/actions.ts';
import { useStore } from '../state/store.ts';

const SHOWN = 12_000;

export const Notices = (): JSX.Element => (
  <div class="notices" role="status" aria-live="polite">
    {useStore(notices).map((notice) => (
      <Line key={notice.id} notice={notice} />
    ))}
  </div>
);

function Line({ notice }: { readonly notice: Notice }): JSX.Element {
  const { id, kind, text, undo } = notice;
  useEffect(() => {
    if (kind === 'failed') return;
    const timer = setTimeout(() => dismiss(id), SHOWN);
    return () => clearTimeout(timer);
  }, [id, kind]);
  return (
    <div class={`notice notice-${kind}`}>
      <span>{text}</span>
      {undo !== undefined && (
        <button
          type="button"
          class="button button-quiet"
          onClick={() => {
            dismiss(id);
            undo();
          }}
        >
          Undo
        </button>
      )}
      <button type="button" class="notice-close" aria-label="Dismiss" onClick={() => dismiss(id)}>
        ×
      </button>
    </div>
  );
}
