/** docs/events.md says what the program does: the list of types, and how a signature is checked. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { EVENT_TYPES } from '../../src/control/events/event.ts';
import { webhookHeaders } from '../../src/control/notify/signature.ts';
import { Secret } from '../../src/model/secret.ts';

const page = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8');

t.test('the page lists every type with its meaning', async (t) => {
  const section = /^## Types\n(.*?)\n\n`data`/ms.exec(page)?.[1] ?? '';
  const rows = [...section.matchAll(/^\| `([^`]+)` \| (.*) \|$/gm)].map(([, type, meaning]) => [type, meaning]);
  t.strictSame(rows, Object.entries(EVENT_TYPES));
});

t.test('the code that checks a signature takes ours and no other', async (t) => {
  const code = /^```js\n(.*?)^```/ms.exec(page)?.[1] ?? '';
  const { isGenuine } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  const body = '{"message":"Grüße"}';
  const delivery = { id: 'abc-7', timestamp: 1_700_000_000, body };
  const headers = webhookHeaders(new Secret('env:X', 'kéy'), delivery);
  const now = 1_700_000_100_000;
  t.equal(isGenuine(headers, body, 'kéy', now), true);
  t.equal(isGenuine(headers, `${body} `, 'kéy', now), false, 'another body');
  t.equal(isGenuine(headers, body, 'key', now), false, 'another key');
  t.equal(isGenuine({ ...headers, 'webhook-id': 'abc-8' }, body, 'kéy', now), false, 'another event');
  t.equal(isGenuine(headers, body, 'kéy', now + 400_000), false, 'too old');
  t.equal(isGenuine(webhookHeaders(undefined, delivery), body, 'kéy', now), false, 'not signed');
  t.equal(isGenuine({}, body, 'kéy', now), false, 'nothing at all');
});

t.test('the published example of Standard Webhooks', async (t) => {
  const headers = webhookHeaders(new Secret('env:X', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'), {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestamp: 1_614_265_330,
    body: '{"test": 2432232314}',
  });
  t.equal(headers['webhook-signature'], 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});
