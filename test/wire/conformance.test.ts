/** The page about refusals and the registry of local replies say the same. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { LOCAL_REPLIES } from '../../src/model/local-reply.ts';

const page = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8');
const rows = page.split('\n').filter((line) => /^\| `\w+` \| \d{3} /.test(line));
const expected = Object.entries(LOCAL_REPLIES).map(
  ([code, reply]) =>
    `| \`${code}\` | ${reply.status} ${reply.reason} | ${reply.flag} | \`${reply.error}\` | ${reply.text} |`,
);

t.strictSame(rows, expected, 'docs/conformance.md lists every local reply as it is sent');
