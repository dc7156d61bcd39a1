/** Texts of notifications: what is filled in, and that nothing from outside can do more than be read, in plain text and in Slack's. */
import t from 'tap';
import type { Telling } from '../../src/control/notify/recipient.ts';
import { COLOURS, escaped, LONGEST_TEXT, slackMessage } from '../../src/control/notify/slack.ts';
import { bounded, filledIn, templateFault } from '../../src/control/notify/template.ts';

const event = (part: Partial<Telling> = {}): Telling => ({
  ...{ id: 118, at: '2026-01-01T12:00:00.000Z', type: 'rollout.rolling-back', level: 'critical' },
  ...{ service: 'shop', version: 'v2', message: 'r-1: v2 is taken back', data: { rollout: 'r-1', weight: 5 } },
  ...part,
});
const plain = (template: string | null, part: Partial<Telling> = {}): string =>
  filledIn(template, event(part), (value) => value);

t.test('facts are filled in', async (t) => {
  t.equal(plain(null), 'r-1: v2 is taken back', 'the message, unless told otherwise');
  t.equal(
    plain('{{at}} {{severity}} {{type}} {{ service }}/{{version}}: {{message}}'),
    '2026-01-01T12:00:00.000Z critical rollout.rolling-back shop/v2: r-1: v2 is taken back',
  );
  t.equal(plain('{{data.rollout}} at {{data.weight}} %'), 'r-1 at 5 %');
  const data = { a: { b: [1, 2], c: true }, 'a.c': 'whole', none: null };
  t.equal(plain('{{data.a.b}} {{data.a.c}} {{data.a.b.1}} {{data.none}}|', { data }), '[1,2] whole 2 |');
});

t.test('what there is not is empty', async (t) => {
  const { service: _, version: __, data: ___, ...rest } = event();
  t.equal(
    filledIn('[{{service}}{{version}}{{data.x}}{{data.x.y}}]', rest, (value) => value),
    '[]',
  );
  t.equal(plain('[{{data.constructor}}{{data.__proto__}}{{data.rollout.length}}]'), '[]', 'nor what is only inherited');
});

t.test('a value is text and nothing else', async (t) => {
  t.equal(plain('{{message}}', { message: '{{service}} $& $1' }), '{{service}} $& $1', 'it is filled in once');
  t.equal(plain('{{message}}', { message: 'a\u001b[31mb\u0000\u202ec' }), 'a·[31mb··c');
  const long = plain('<{{message}}>', { message: 'x'.repeat(5_000) });
  t.equal(long.length, 1_002);
  t.equal(long.at(-2), '…');
});

t.test('what is too long is cut between characters', async (t) => {
  t.equal(bounded('abc', 3), 'abc');
  t.equal(bounded('abcd', 3), 'ab…');
  t.equal(bounded('a😀bcd', 3), 'a…', 'not within one');
});

t.test('names that there are not are faults', async (t) => {
  for (const name of ['message', 'type', 'service', 'version', 'severity', 'at', 'data.x', 'data.a.b', ' at ']) {
    t.equal(templateFault(`{{${name}}}`), null, name);
  }
  for (const name of ['mesage', 'data', '', 'env.HOME']) t.type(templateFault(`{{${name}}}`), 'string', name);
  t.match(templateFault('{{mesage}}'), /message/, 'and the fault says what it could be');
});

t.test('a message for Slack', async (t) => {
  t.strictSame(slackMessage(event(), null), {
    text: 'r-1: v2 is taken back',
    attachments: [
      {
        color: COLOURS.critical,
        fallback: 'r-1: v2 is taken back',
        fields: [
          { title: 'Severity', value: 'critical', short: true },
          { title: 'Service', value: 'shop', short: true },
          { title: 'Version', value: 'v2', short: true },
        ],
        footer: 'rollout.rolling-back · 118 · sluice notifications acknowledge 118',
        ts: Date.parse('2026-01-01T12:00:00.000Z') / 1000,
      },
    ],
  });
  const warning = slackMessage(event({ level: 'warning', endpoint: 'http://10.0.0.1:80' }), null);
  t.match(warning, {
    attachments: [{ color: COLOURS.warning, footer: 'rollout.rolling-back · 118' }],
  });
  t.match(JSON.stringify(warning), /"title":"Endpoint","value":"http:\/\/10.0.0.1:80","short":false/);
});

t.test('nobody calls a whole channel from outside, the operator may', async (t) => {
  const message = '<!channel> <https://evil.example|click> a & b &lt;';
  const { text } = slackMessage(event({ message, service: '<!here>' }), '<!subteam^S1> {{message}}') as {
    text: string;
  };
  t.equal(text, '<!subteam^S1> &lt;!channel&gt; &lt;https://evil.example|click&gt; a &amp; b &amp;lt;');
  t.notMatch(JSON.stringify(slackMessage(event({ message, service: '<!here>', version: '<!here>' }), null)), /[<>]/);
});

t.test('a text for Slack is bounded, and no escape is cut in two', async (t) => {
  for (let pad = 0; pad < 6; pad++) {
    const template = `${'x'.repeat(pad)}${'{{message}}'.repeat(5)}`;
    const { text } = slackMessage(event({ message: '<'.repeat(900) }), template) as { text: string };
    t.ok(text.length <= LONGEST_TEXT && text.length > LONGEST_TEXT - 6, `${text.length}`);
    t.match(text, /^x*(&lt;)+…$/);
  }
  t.equal(escaped('&amp;<'), '&amp;amp;&lt;');
});
