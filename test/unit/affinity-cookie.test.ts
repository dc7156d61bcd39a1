import t from 'tap';
import { RandomRequestIds } from '../../src/proxy/request-ids.ts';
import { cookieValue } from '../../src/proxy/route/cookies.ts';
import { SessionCookie, sessionId } from '../../src/proxy/route/session-cookie.ts';

t.test('the line that issues a session', async (t) => {
  const cookie = new SessionCookie('sluice_session', 3_600_000);
  const id = '0123456789abcdef0123456789abcdef';
  t.equal(
    cookie.issue(id, false),
    `Set-Cookie: sluice_session=${id}; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax\r\n`,
  );
  t.equal(
    cookie.issue(id, true),
    `Set-Cookie: sluice_session=${id}; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax; Secure\r\n`,
  );
  t.match(new SessionCookie('s', 1_500).issue(id, false), 'Max-Age=2;');
  t.match(new SessionCookie('s', 1).issue(id, false), 'Max-Age=1;', 'never 0, which would delete the cookie');
});

t.test('what is issued is what is read', async (t) => {
  const line = new SessionCookie('sid', 60_000).issue('abc', false);
  const pair = line.slice('Set-Cookie: '.length, line.indexOf(';'));
  t.equal(cookieValue(`theme=dark; ${pair}`, 'sid'), 'abc');
});

t.test('ids are 32 hexadecimal digits, and different ones', async (t) => {
  const ids = new RandomRequestIds();
  const seen = new Set(Array.from({ length: 1_000 }, () => sessionId(ids.next())));
  t.equal(seen.size, 1_000);
  for (const id of seen) if (!/^[0-9a-f]{32}$/.test(id)) t.fail(id);
});

t.test('the cookie is sent again when half of its time is over, and where this worker never sent it', async (t) => {
  const cookie = new SessionCookie('sid', 60_000);
  t.notOk(cookie.isDue(1_000, 30_999));
  t.ok(cookie.isDue(1_000, 31_000));
  t.ok(cookie.isDue(Number.NEGATIVE_INFINITY, 0));
});
