/**
 * The report as a file. It is fetched and handed to the browser from memory, because the token goes in a header and a plain link could not carry it.
 */
import { callText, part } from '../../api/client.ts';
import { attempt } from '../../state/actions.ts';

export async function downloadReport(id: string): Promise<void> {
  const text = await attempt(() =>
    callText(`api/v1/rollouts/${part(id)}/report?format=md`, { accept: 'text/markdown' }),
  );
  if (text === null) return;
  const address = URL.createObjectURL(new Blob([text], { type: 'text/markdown' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = `${id}.md`;
  link.click();
  // The browser has taken it up by the end of this turn.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
