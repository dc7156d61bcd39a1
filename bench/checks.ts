/**
 * Is it a proxy at all? Asked before anything is measured, because a wrong answer is often a fast one.
 *
 * One table: each check sends through the proxy and says what is wrong, or null. They are the things that the scenarios rest on
 * (status, headers, bodies both ways, chunked bodies, HEAD, keep-alive), not a conformance suite.
 */
import { createHash } from 'node:crypto';
import { Agent, type IncomingHttpHeaders, request as send } from 'node:http';
import type { Scenario } from './scenarios.ts';
import { downloadBytes, patternBody } from './upstream/origin.ts';

interface Ask {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly chunked?: boolean;
  readonly agent?: Agent;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The client's port: equal ports of two answers mean one connection. */
  readonly localPort: number | undefined;
}

type Check = (port: number) => Promise<string | null>;

const uploadBody = patternBody(300_001);

const checks: Readonly<Record<string, Check>> = {
  'a request header and a query arrive': async (port) => {
    const { status, headers, body } = await ask(port, { path: '/inspect?a=1&b=%20', headers: { 'x-probe': 'v 1' } });
    if (status !== 200 || headers['x-origin'] !== 'inspect') return `status ${status}, x-origin ${headers['x-origin']}`;
    const seen = JSON.parse(body.toString()) as { target: string; headers: IncomingHttpHeaders };
    if (seen.target !== '/inspect?a=1&b=%20') return `target became ${seen.target}`;
    return seen.headers['x-probe'] === 'v 1' ? null : 'the header was lost';
  },
  'an upload with Content-Length arrives whole': (port) => checkUpload(port, false),
  'a chunked upload arrives whole': (port) => checkUpload(port, true),
  'a download arrives whole': async (port) => {
    const { status, headers, body } = await ask(port, { path: '/download' });
    if (status !== 200 || headers['x-origin'] !== 'download') return `status ${status}`;
    return sha256(body) === sha256(patternBody(downloadBytes)) ? null : `${body.length} other bytes`;
  },
  'a chunked response arrives whole': async (port) => {
    const { status, body } = await ask(port, { path: '/chunked' });
    return status === 200 && body.equals(patternBody(5000)) ? null : `status ${status}, ${body.length} bytes`;
  },
  'a 404 and its body pass': async (port) => {
    const { status, body } = await ask(port, { path: '/nowhere' });
    return status === 404 && body.toString() === 'missing\n' ? null : `status ${status}, ${body.length} bytes`;
  },
  'HEAD has a length and no body': async (port) => {
    const { status, headers, body } = await ask(port, { method: 'HEAD', path: '/download' });
    const right = status === 200 && body.length === 0 && headers['content-length'] === String(downloadBytes);
    return right ? null : `status ${status}, length ${headers['content-length']}, ${body.length} bytes`;
  },
  'the connection is kept': async (port) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const first = await ask(port, { path: '/inspect', agent });
    const second = await ask(port, { path: '/inspect', agent });
    agent.destroy();
    return first.localPort === second.localPort ? null : 'the second request needed a new connection';
  },
};

/** Every check against a proxy in front of the origin; the first fault, or null. */
export async function checkAnswers(port: number): Promise<string | null> {
  for (const [name, check] of Object.entries(checks)) {
    const fault = await check(port).catch((error: Error) => error.message);
    if (fault !== null) return `not so: ${name} (${fault})`;
  }
  return null;
}

/** One request as the scenario sends them; the fault, or null. */
export async function checkScenario(port: number, scenario: Scenario): Promise<string | null> {
  const headers: Record<string, string> = {};
  for (const line of scenario.headers) headers[line.slice(0, line.indexOf(':'))] = line.slice(line.indexOf(':') + 2);
  const upload = scenario.uploadBytes > 0 ? { method: 'POST', body: patternBody(scenario.uploadBytes) } : {};
  try {
    const { status, body } = await ask(port, { path: scenario.path, headers, ...upload });
    if (status === 200 && body.length === scenario.responseBytes) return null;
    return `one request was answered with status ${status} and ${body.length} bytes`;
  } catch (error) {
    return `one request failed: ${(error as Error).message}`;
  }
}

async function checkUpload(port: number, chunked: boolean): Promise<string | null> {
  const { status, body } = await ask(port, { method: 'POST', path: '/inspect', body: uploadBody, chunked });
  if (status !== 200) return `status ${status}`;
  const seen = JSON.parse(body.toString()) as { method: string; bytes: number; sha256: string };
  if (seen.method !== 'POST' || seen.bytes !== uploadBody.length) return `${seen.method} with ${seen.bytes} bytes`;
  return seen.sha256 === sha256(uploadBody) ? null : 'other bytes';
}

function ask(port: number, { method = 'GET', path, headers = {}, body, chunked = false, agent }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const framing: Record<string, string> = body === undefined || chunked ? {} : { 'content-length': `${body.length}` };
    const request = send(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        headers: { 'content-type': 'application/octet-stream', ...headers, ...framing },
        agent: agent ?? false,
        timeout: 5000,
      },
      (response) => {
        const localPort = response.socket.localPort;
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(parts),
            localPort,
          }),
        );
      },
    );
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error('no answer within 5 s')));
    // Two writes and an end: the body of a chunked upload then really has several chunks.
    if (body !== undefined) {
      request.write(body.subarray(0, 1000));
      request.write(body.subarray(1000));
    }
    request.end();
  });
}

function sha256(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}
