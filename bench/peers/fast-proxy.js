/** fast-proxy in its default mode: node:http to the upstream, through its own keep-alive agent. */
import http from 'node:http';
import fastProxy from 'fast-proxy';

const [port, upstream] = process.argv.slice(2);
const { proxy } = fastProxy({ base: upstream, keepAlive: true });

const server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  proxy(request, response, request.url, {});
});
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
