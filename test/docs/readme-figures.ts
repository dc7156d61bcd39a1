/**
 * The rows of the README's table of figures, made from `bench/RESULTS.md`: of each proxy and scenario, the ratio of the rounds that were
 * disturbed least and, in brackets, that of the medians.
 */
import { readPage } from './doc-tree.ts';

/** Scenarios in the README's order, by the heading of their table. */
const COLUMNS = [
  'Small GET, keep-alive',
  'Small GET with one of 10,000 session cookies, keep-alive',
  'GET with 13 request headers, keep-alive',
  '10 KiB response',
  '1 MiB download',
  '1 MiB upload (POST)',
  'A new connection per request',
  '1,000 keep-alive connections',
];

/** Columns of a scenario's table, the proxy's name being the first. */
const MEDIAN = 3;
const LEAST = 5;

export function readmeFigures(): readonly string[] {
  const parts = readPage('bench/RESULTS.md').split(/^## /m);
  const tables = COLUMNS.map((heading) => {
    const rows = (parts.find((part) => part.startsWith(`${heading}\n`)) ?? '').split('\n');
    const cells = rows.filter((row) => row.startsWith('| ')).map((row) => row.split('|').map((cell) => cell.trim()));
    return new Map(cells.map((row) => [row[1] ?? '', `${row[LEAST + 1]} (${row[MEDIAN + 1]})`]));
  });
  const proxies = [...(tables[0]?.keys() ?? [])].filter((name) => /^[A-Za-z@]/.test(name));
  return proxies.map((name) => `| ${name} | ${tables.map((table) => table.get(name) ?? '').join(' | ')} |`);
}
