/** What phase 10 does for a request: the request table, and a line of the access log in each format. */
import { newWorkerMemory } from '../../src/model/counters.ts';
import { RequestHead } from '../../src/proxy/http1/request-head.ts';
import { combinedLine } from '../../src/proxy/record/log-combined.ts';
import { LogEntry } from '../../src/proxy/record/log-entry.ts';
import { escapeJson } from '../../src/proxy/record/log-escape.ts';
import { jsonLine } from '../../src/proxy/record/log-json.ts';
import { LogTime } from '../../src/proxy/record/log-time.ts';
import { RequestCounts } from '../../src/proxy/record/request-counts.ts';
import { report } from './harness.ts';
import { LIMITS, NAMES } from './samples.ts';

const counts = new RequestCounts(newWorkerMemory().requests);
NAMES.include(['user-agent', 'referer']);
const userAgent = NAMES.idOf('user-agent');
const referer = NAMES.idOf('referer');
const head = new RequestHead(LIMITS, NAMES);
const bytes = Buffer.from(
  'GET /catalogue/items/4711?page=2 HTTP/1.1\r\nHost: shop.example.com\r\nReferer: https://shop.example.com/catalogue\r\n' +
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\r\n',
);
head.parse(bytes, 0, bytes.length);
const entry = new LogEntry();
const ID = '0123456789abcdef'.repeat(2);
const fill = (): LogEntry => {
  entry.begin(head, '192.0.2.17', ID, userAgent, referer);
  entry.status = 200;
  entry.bytesOut = 5_120;
  entry.duration = 12.345678;
  entry.upstream = 11.987654;
  entry.route = 'catalogue';
  entry.service = 'shop';
  entry.version = 'v2';
  entry.lane = 'canary';
  entry.endpoint = 'http://10.0.0.12:3001';
  entry.attempts = 1;
  return entry;
};
const iso = new LogTime('iso');
const common = new LogTime('common');
const now = Date.UTC(2026, 2, 1, 9, 5, 7, 42);
const odd = '/search?q="grün"\\'.repeat(4);
// Joined as the writer joins them, so that the cost of putting a line together is not left to somebody else.
const flat = (line: string): number => Buffer.from(line, 'latin1').length;

report([
  {
    name: 'record: request table',
    run: () => {
      counts.requestEnded(3, 200, 12.3);
      counts.attemptAnswered(3, 11.9);
    },
  },
  {
    name: 'record: entry of a request',
    run: () => {
      fill().clear();
    },
  },
  { name: 'record: JSON line', run: () => flat(jsonLine(fill(), iso, now)) },
  { name: 'record: combined line', run: () => flat(combinedLine(fill(), common, now)) },
  { name: 'record: text that must be escaped', run: () => flat(escapeJson(odd)) },
]);
