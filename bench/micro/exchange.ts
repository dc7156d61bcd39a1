/**
 * A whole exchange over loopback sockets within one thread: client, proxy and upstream together, pipelined so that the sockets' own
 * cost is spread. The figure is only good for comparing two states of the code with each other.
 */
import net from 'node:net';
import { compileSnapshot } from '../../src/control/config/compile.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import { DataPlane } from '../../src/proxy/data-plane.ts';

const EXCHANGES = 30_000;
const PIPELINED = 16;
const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: now\r\n\r\nok';

const upstream = net.createServer({ noDelay: true }, (socket) => {
  socket.on('data', () => socket.write(RESPONSE, 'latin1'));
  socket.on('error', () => {});
});
await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
const { port } = upstream.address() as net.AddressInfo;
const text = `services: { app: { versions: { v1: { endpoints: ["http://127.0.0.1:${port}"] } } } }\nlisten: 127.0.0.1:0\n`;
const plane = new DataPlane({ snapshot: compileSnapshot(parseConfig(text, 'bench.yaml', {}), 1) });
const address = await plane.listen({ host: '127.0.0.1', port: 0 }, false);

const client = net.connect(address.port, address.host);
let answered = 0;
let rest = '';
const done = new Promise<void>((resolve) => {
  client.setEncoding('latin1');
  client.on('data', (data: string) => {
    const parts = (rest + data).split('\r\n\r\nok');
    rest = parts.pop()!;
    answered += parts.length;
    if (answered >= EXCHANGES) resolve();
    else if (answered % PIPELINED === 0) client.write(REQUEST.repeat(PIPELINED));
  });
});
const before = process.cpuUsage();
client.write(REQUEST.repeat(PIPELINED));
await done;
const used = process.cpuUsage(before);
console.log(
  `${'exchange: client, proxy and upstream in one thread'.padEnd(56)} ${(((used.user + used.system) * 1000) / answered).toFixed(1).padStart(10)} ns CPU`,
);
client.destroy();
plane.close();
upstream.close();
