/** A line of the access log: its two formats, and that nothing a client sends gets out of its field. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { LOCAL_REPLIES } from '../../src/model/local-reply.ts';
import { combinedLine } from '../../src/proxy/record/log-combined.ts';
import { LogEntry } from '../../src/proxy/record/log-entry.ts';
import { escapeCombined, escapeJson } from '../../src/proxy/record/log-escape.ts';
import { type LogFlag, logFlags, REQUEST_FLAGS } from '../../src/proxy/record/log-flags.ts';
import { jsonLine } from '../../src/proxy/record/log-json.ts';
import { LogTime } from '../../src/proxy/record/log-time.ts';

const NOW = Date.UTC(2026, 2, 1, 23, 5, 7, 42);
const BYTES = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('');
const PRINTABLE = /^[\x20-\x7e]*$/;

function entry(fields: Partial<LogEntry>): LogEntry {
  return Object.assign(new LogEntry(), { client: '192.0.2.1', status: 200 }, fields);
}

const FORWARDED: Partial<LogEntry> = {
  id: 'abc',
  method: 'GET',
  target: '/a?b=c',
  host: 'shop.example.com',
  protocol: 'HTTP/1.1',
  status: 503,
  flags: 'UF,SH',
  bytesIn: 5,
  bytesOut: 1024,
  duration: 12.3456,
  upstream: 0.0004,
  route: 'routes[0]',
  service: 'shop',
  version: 'v1',
  lane: 'stable',
  endpoint: 'http://127.0.0.1:3001',
  attempts: 2,
  shieldedFrom: 'v2',
  userAgent: 'curl/8',
  referer: 'https://example.com/',
};

t.test('JSON: every field, in a fixed order', async (t) => {
  const line = jsonLine(entry(FORWARDED), new LogTime('iso'), NOW);
  t.equal(
    line,
    '{"time":"2026-03-01T23:05:07.042Z","id":"abc","client":"192.0.2.1","method":"GET","target":"/a?b=c","host":"shop.example.com",' +
      '"protocol":"HTTP/1.1","status":503,"flags":"UF,SH","bytesIn":5,"bytesOut":1024,"durationMs":12.346,"upstreamMs":0.000,' +
      '"route":"routes[0]","service":"shop","version":"v1","lane":"stable","endpoint":"http://127.0.0.1:3001","attempts":2,' +
      '"shieldedFrom":"v2","userAgent":"curl/8","referer":"https://example.com/"}\n',
  );
  t.equal(JSON.parse(line).durationMs, 12.346);
});

t.test('JSON: what a request does not have is left out', async (t) => {
  const line = jsonLine(entry({ status: 400, flags: 'DPE', bytesOut: 9 }), new LogTime('iso'), NOW);
  t.strictSame(JSON.parse(line), {
    time: '2026-03-01T23:05:07.042Z',
    client: '192.0.2.1',
    status: 400,
    flags: 'DPE',
    bytesIn: 0,
    bytesOut: 9,
    durationMs: 0,
  });
});

t.test('JSON: durations at their limits', async (t) => {
  for (const [duration, told] of [
    [0, 0],
    [0.0004, 0],
    [0.9996, 1],
    [999.9999, 1000],
    [86_400_000.5, 86_400_000.5],
  ] as const) {
    t.equal(JSON.parse(jsonLine(entry({ duration }), new LogTime('iso'), NOW)).durationMs, told, String(duration));
  }
});

t.test('JSON: any bytes in any field that takes them', async (t) => {
  const odd = { method: 'GET', id: BYTES, target: BYTES, userAgent: BYTES, referer: BYTES };
  const line = jsonLine(entry(odd), new LogTime('iso'), NOW);
  t.match(line.slice(0, -1), PRINTABLE);
  const { id, target, userAgent, referer } = JSON.parse(line);
  t.strictSame([id, target, userAgent, referer], [BYTES, BYTES, BYTES, BYTES]);
  const attack = '/"}\n{"time":"2026","status":200,"target":"/\\';
  t.equal(JSON.parse(jsonLine(entry({ method: 'GET', target: attack }), new LogTime('iso'), NOW)).target, attack);
});

t.test('combined: as nginx writes it', async (t) => {
  const line = combinedLine(entry(FORWARDED), new LogTime('common'), NOW);
  const form =
    /^192\.0\.2\.1 - - \[[^\]]+\] "GET \/a\?b=c HTTP\/1\.1" 503 1024 "https:\/\/example\.com\/" "curl\/8"\n$/;
  t.match(line, form);
  const refused = combinedLine(entry({ status: 400, bytesOut: 9 }), new LogTime('common'), NOW);
  t.match(refused, /^192\.0\.2\.1 - - \[[^\]]+\] "-" 400 9 "-" "-"\n$/);
  const odd = combinedLine(
    entry({ ...FORWARDED, userAgent: 'a"b\\c\x07\xe9', target: '/"' }),
    new LogTime('common'),
    NOW,
  );
  t.match(odd, /"GET \/\\x22 HTTP\/1\.1".*"a\\x22b\\x5Cc\\x07\\xE9"\n$/);
});

t.test('escapes', async (t) => {
  for (let code = 0; code < 256; code++) {
    const char = String.fromCharCode(code);
    const plain = code >= 32 && code < 127 && char !== '"' && char !== '\\';
    const byte = code.toString(16).toUpperCase().padStart(2, '0');
    t.equal(escapeCombined(`a${char}b`), plain ? `a${char}b` : `a\\x${byte}b`, `byte ${byte}`);
    t.match(escapeJson(char), PRINTABLE);
    t.equal(JSON.parse(`"${escapeJson(`a${char}b`)}"`), `a${char}b`, `byte ${byte}`);
  }
  t.equal(JSON.parse(`"${escapeJson('\u20ac\ud83d\ude00\u2028')}"`), '\u20ac\ud83d\ude00\u2028', 'beyond latin1');
  t.match(escapeCombined('\u20ac'), PRINTABLE);
});

t.test('times: over a second and back, and in another time zone', async (t) => {
  const iso = new LogTime('iso');
  t.equal(iso.iso(NOW), '2026-03-01T23:05:07.042Z');
  t.equal(iso.iso(NOW + 957.9), '2026-03-01T23:05:07.999Z');
  t.equal(iso.iso(NOW + 958), '2026-03-01T23:05:08.000Z');
  t.equal(iso.iso(NOW), '2026-03-01T23:05:07.042Z', 'a clock that was set back');
  const before = process.env.TZ;
  t.teardown(() => {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  });
  const inZone = (zone: string): string => {
    process.env.TZ = zone;
    return new LogTime('common').common(NOW);
  };
  t.equal(inZone('UTC'), '01/Mar/2026:23:05:07 +0000');
  t.equal(inZone('Asia/Kolkata'), '02/Mar/2026:04:35:07 +0530');
  t.equal(inZone('America/St_Johns'), '01/Mar/2026:19:35:07 -0330');
});

t.test('flags', async (t) => {
  t.equal(logFlags('done', 200, false, 1), '');
  t.equal(logFlags('done', 500, false, 1), '', 'an upstream’s own error is no flag');
  t.equal(logFlags('done', 200, false, 0), '');
  t.equal(logFlags('aborted', 499, false, 1), 'DC');
  t.equal(logFlags('fault', 418, false, 0), 'FI');
  t.equal(logFlags('no_route', 404, false, 0), 'NR');
  t.equal(logFlags('connect_failed', 503, false, 1), 'UF');
  t.equal(logFlags('upstream_closed', 200, false, 1), 'UC', 'a cut');
  t.equal(logFlags('done', 200, true, 2), 'SH');
  t.equal(logFlags('done', 200, true, 3), 'SH,RT');
  t.equal(logFlags('done', 404, false, 2), 'RT');
  t.equal(logFlags('done', 503, false, 2), 'URX');
  t.equal(logFlags('upstream_timeout', 504, true, 3), 'UT,SH,URX');
});

const PAGE = readFileSync(new URL('../../docs/access-log.md', import.meta.url), 'utf8');

/** The first two cells of the rows of the table under a heading. */
function rowsUnder(heading: string): [string, string][] {
  const part = PAGE.slice(PAGE.indexOf(`\n## ${heading}\n`) + 1).split('\n## ')[0]!;
  return [...part.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(([, name, text]) => [name!, text!]);
}

t.test('the page lists every flag and every field', async (t) => {
  const flags = new Set(Object.values(LOCAL_REPLIES).map(({ flag }): LogFlag => flag));
  const all = [...flags, 'DC', 'FI', ...Object.keys(REQUEST_FLAGS)];
  const rows = rowsUnder('Flags');
  t.strictSame(rows.map(([name]) => name).sort(), all.sort());
  for (const [name, text] of Object.entries(REQUEST_FLAGS)) t.equal(new Map(rows).get(name), text);
  const fields = Object.keys(JSON.parse(jsonLine(entry(FORWARDED), new LogTime('iso'), NOW)));
  t.strictSame(
    rowsUnder('JSON').map(([name]) => name),
    fields,
    'in the order of the log',
  );
});

t.test('an entry that is used again remembers nothing', async (t) => {
  const used = entry({ ...FORWARDED, sampled: true });
  used.clear();
  used.refused('192.0.2.1', 'bad_host', 400, 7);
  t.strictSame(
    jsonLine(used, new LogTime('iso'), NOW),
    jsonLine(entry({ status: 400, flags: 'DPE', bytesOut: 7 }), new LogTime('iso'), NOW),
  );
});
