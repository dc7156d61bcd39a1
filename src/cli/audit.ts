/**
 * `sluice audit`: who changed what, and whether the record of it has been tampered with.
 *
 * `verify` asks the server, or with `--data` reads the directory of one that does not run: somebody who suspects the machine does not want to ask the
 * machine. The head that it prints, noted elsewhere, proves later that nothing was cut off the end.
 */
import type { AuditRow, AuditVerdict } from '../control/store/store.ts';
import { pathOf } from './client/admin-client.ts';
import { type ClientCall, clientCommand, namedWords } from './client/client-command.ts';
import { CommandFailure, EXIT } from './client/failure.ts';
import { counted, time } from './client/format.ts';
import { printable } from './client/printable.ts';
import { readCount } from './client/read-count.ts';
import { type Cell, table } from './client/table.ts';
import { UsageError } from './command.ts';
import type { OptionTable } from './command-description.ts';

const OPTIONS = {
  limit: { value: 'COUNT', about: 'at most so many; default 50' },
  since: { value: 'NUMBER', about: 'rows behind this number' },
  actor: { value: 'NAME', about: 'only what this token did' },
  action: { value: 'ACTION', about: 'only this action, such as weights.set' },
  target: { value: 'TARGET', about: 'only what was done to this, such as services/shop/weights' },
  data: { value: 'DIR', about: 'verify this state directory in place of asking the server' },
} as const satisfies OptionTable;

export const auditCommand = clientCommand(
  {
    name: 'audit',
    summary: 'show who changed what, or verify the record',
    about:
      'Show the audit log: the newest rows, oldest of them first; --json has what was there before and after. "verify" follows the chain of hashes through all ' +
      'rows and names the first that does not fit.',
    usage: ['[OPTIONS]', 'verify [--data DIR]'],
    options: OPTIONS,
    examples: [
      'sluice audit --limit 10',
      'sluice audit --actor ci --action weights.set',
      'sluice audit verify',
      'sluice audit verify --data ./data',
    ],
  },
  async (call) => {
    const [verb, ...rest] = call.words;
    if (verb === 'verify') {
      namedWords(rest, []);
      return verify(call);
    }
    namedWords(call.words, []);
    if (call.options.data !== undefined) throw new UsageError('--data is for "sluice audit verify"');
    return list(call);
  },
);

type AuditCall = ClientCall<typeof OPTIONS>;

async function list({ admin, options, show, paint }: AuditCall): Promise<number> {
  const since = readCount(options.since, '--since');
  const answer = await admin.get<{ readonly rows: readonly AuditRow[] }>(pathOf('audit'), {
    limit: readCount(options.limit, '--limit') ?? 50,
    since: since ?? undefined,
    actor: options.actor,
    action: options.action,
    target: options.target,
    newest: since === null ? 'true' : undefined,
  });
  const oldestFirst = [...answer.rows].sort((a, b) => a.seq - b.seq);
  const cells = oldestFirst.map((row): Cell[] => [
    String(row.seq),
    time(row.at),
    row.address === '' ? row.actor : `${row.actor} ${row.address}`,
    row.action,
    row.target,
    changeText(row),
    row.reason,
  ]);
  show(answer, () => table(['>NO', 'TIME', 'ACTOR', 'ACTION', 'TARGET', 'CHANGE', 'REASON'], cells, paint));
  return 0;
}

/** Longest text of a value in the table, characters. */
const LONGEST_VALUE = 40;

function changeText({ before, after }: AuditRow): string {
  return before === null && after === null ? '-' : `${valueText(before)} -> ${valueText(after)}`;
}

function valueText(value: unknown): string {
  const text = value === null ? 'nothing' : JSON.stringify(value).replaceAll('"', '');
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE - 3)}...` : text;
}

async function verify({ admin, options, show, paint }: AuditCall): Promise<number> {
  const verdict =
    options.data === undefined
      ? await admin.get<AuditVerdict>(pathOf('audit', 'verify'))
      : await verifyOffline(options.data);
  const { ok, rows, head, fault } = verdict;
  show(verdict, () => {
    if (ok) return `${paint('The audit log is whole', 'good')}: ${counted(rows, 'row')}, head ${printable(head)}\n`;
    const where = fault === undefined ? '' : `: row ${fault.seq}: ${printable(fault.message)}`;
    return `${paint('The audit log does not fit together', 'bad')}${where}\n`;
  });
  return ok ? 0 : EXIT.failed;
}

/** The reader of the database is loaded only for this. */
async function verifyOffline(directory: string): Promise<AuditVerdict> {
  const { verifyAuditFile } = await import('../control/store/verify-audit.ts');
  try {
    return await verifyAuditFile(directory);
  } catch (error) {
    throw new CommandFailure(
      EXIT.failed,
      `cannot read the audit log in ${directory}: ${error instanceof Error ? error.message : error}`,
    );
  }
}
