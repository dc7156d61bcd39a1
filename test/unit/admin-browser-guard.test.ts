import t from 'tap';
import { securityHeaders } from '../../src/control/admin/answer-headers.ts';
import { type BrowserFacts, guardRules, hostFault, originFault } from '../../src/control/admin/browser-guard.ts';
import type { AdminConfig } from '../../src/model/admin-config.ts';
import { Secret } from '../../src/model/secret.ts';

const config = (changes: Partial<AdminConfig> = {}): AdminConfig => ({
  listen: { host: '127.0.0.1', port: 9901 },
  tokens: [],
  hosts: [],
  origins: [],
  publicMetrics: false,
  ...changes,
});

const TOKENS = [{ name: 'ci', role: 'admin', secret: new Secret('env:X', 'x') }] as const;
const ANYWHERE = { listen: { host: '0.0.0.0', port: 9901 }, tokens: TOKENS };

t.test('names that a Host field may have', async (t) => {
  const cases: [changes: Partial<AdminConfig>, host: string | undefined, right: boolean][] = [
    [{}, 'localhost:9901', true],
    [{}, 'LOCALHOST', true],
    [{}, '127.0.0.1:1234', true],
    [{}, '[::1]:9901', true],
    [{}, 'localhost.:9901', true],
    [{}, '10.0.0.5:9901', true],
    [{}, 'evil.example:9901', false],
    [{}, '127.0.0.1.evil.example', false],
    [{}, 'localhost.evil.example', false],
    [{}, 'localhost@evil.example', false],
    [{}, 'localhost:x', false],
    [{}, '', false],
    [{}, undefined, false],
    [{ hosts: ['sluice.internal'] }, 'Sluice.Internal:80', true],
    [{ hosts: ['sluice.internal'] }, 'other.internal', false],
    [{ tokens: TOKENS }, 'evil.example', false],
    [ANYWHERE, 'lb.example.com', true],
    [{ ...ANYWHERE, hosts: ['a.example'] }, 'lb.example.com', false],
    [{ ...ANYWHERE, hosts: ['a.example'] }, 'a.example', true],
    [{ ...ANYWHERE, hosts: ['a.example'] }, '10.0.0.5:9901', true],
  ];
  for (const [changes, host, right] of cases) {
    t.equal(
      hostFault(guardRules(config(changes)), host, '10.0.0.5') === null,
      right,
      `${host} ${JSON.stringify(changes)}`,
    );
  }
});

t.test('origins that may call', async (t) => {
  const facts: BrowserFacts = {
    method: 'GET',
    path: '/api/v1/status',
    host: 'localhost:9901',
    origin: undefined,
    fetchSite: undefined,
    fetchMode: undefined,
  };
  const tls = { tls: { cert: '', key: '' } };
  const ops = { origins: ['https://ops.example.com'] };
  const cases: [changes: Partial<AdminConfig>, facts: Partial<BrowserFacts>, right: boolean, why: string][] = [
    [{}, {}, true, 'curl'],
    [{}, { origin: 'http://localhost:9901' }, true, 'its own page'],
    [{}, { origin: 'http://localhost:9901', fetchSite: 'same-origin' }, true, 'its own page'],
    [{}, { origin: 'http://127.0.0.1:9901' }, false, 'another name is another origin'],
    [{}, { origin: 'http://localhost:3000' }, false, 'another port'],
    [{}, { origin: 'https://localhost:9901' }, false, 'another scheme'],
    [tls, { origin: 'https://localhost:9901' }, true, 'under TLS'],
    [tls, { origin: 'https://localhost', host: 'localhost:443' }, true, 'the default port may be left out'],
    [{}, { origin: 'null' }, false, 'a sandboxed page'],
    [{}, { origin: 'http://evil.example' }, false, 'a foreign page'],
    [{}, { origin: 'http://localhost:9901.evil.example' }, false, 'looks like it'],
    [ops, { origin: 'https://ops.example.com', fetchSite: 'cross-site' }, true, 'configured'],
    [ops, { origin: 'https://ops.example.com.evil.example' }, false, 'not configured'],
    [ops, { origin: 'http://ops.example.com' }, false, 'configured with TLS'],
    [{}, { fetchSite: 'cross-site' }, false, 'an image'],
    [{}, { fetchSite: 'same-site' }, false, 'a page of another port of localhost'],
    [{}, { fetchSite: 'none' }, true, 'typed into the address bar'],
    [{}, { fetchSite: 'cross-site', fetchMode: 'navigate' }, false, 'a link into the API'],
    [{}, { fetchSite: 'cross-site', fetchMode: 'navigate', path: '/docs' }, true, 'a link to the documentation'],
    [{}, { fetchSite: 'cross-site', fetchMode: 'navigate', path: '/' }, true, 'a link to the first page'],
    [{}, { fetchSite: 'cross-site', fetchMode: 'no-cors', path: '/' }, false, 'an image of the first page'],
    [{}, { fetchSite: 'cross-site', fetchMode: 'navigate', path: '/docsx' }, false, 'not the documentation'],
    [{}, { fetchSite: 'cross-site', fetchMode: 'navigate', path: '/', method: 'POST' }, false, 'a form'],
    [{}, { fetchSite: 'cross-site', origin: 'http://localhost:9901' }, false, 'contradicts itself'],
  ];
  for (const [changes, more, right, why] of cases) {
    const fault = originFault(guardRules(config(changes)), { ...facts, ...more });
    t.equal(fault === null, right, `${why}: ${fault}`);
  }
});

t.test('protective fields', async (t) => {
  const api = securityHeaders('/api/v1/status', true, 'ops.example.com:9901');
  t.match(api['content-security-policy'], /default-src 'none'.*frame-ancestors 'none'/);
  t.equal(api['cache-control'], 'no-store');
  t.equal(api['strict-transport-security'], 'max-age=31536000');
  t.match(securityHeaders('/docs/', false, undefined)['content-security-policy'], /script-src 'self';/);
  for (const host of ['localhost:9901', '127.0.0.1:9901', '[::1]:9901']) {
    t.notOk(securityHeaders('/', true, host)['strict-transport-security'], `${host} is shared with other servers`);
  }
  t.notOk(securityHeaders('/', false, 'ops.example.com')['strict-transport-security']);
});
