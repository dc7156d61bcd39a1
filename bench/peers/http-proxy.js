/** The http-proxy package with a keep-alive agent and its own X-Forwarded-* option. */
import http from 'node:http';
import httpProxy from 'http-proxy';

const [port, upstream] = process.argv.slice(2);
const proxy = httpProxy.createProxyServer({
  target: upstream,
  agent: new http.Agent({ keepAlive: true, maxFreeSockets: 1024 }),
  xfwd: true,
});
// Without a listener a client that goes away at the end of a round would end the process.
proxy.on('error', (_error, _request, response) => {
  if (response.headersSent) response.destroy();
  else if (response.writeHead) response.writeHead(502).end();
});

const server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => proxy.web(request, response));
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
