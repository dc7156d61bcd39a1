/**
 * @fastify/http-proxy with its default undici pool, widened to the idle limit that the other proxies have.
 *
 * It copies the upstream's Connection header into the response, and so promises keep-alive on connections that Node then closes because the
 * client asked for it; a load generator rightly counts those as errors. The header is taken out, which is what a proxy has to do.
 */
import fastifyHttpProxy from '@fastify/http-proxy';
import fastify from 'fastify';

const [port, upstream] = process.argv.slice(2);
const app = fastify({ logger: false, keepAliveTimeout: 60_000, bodyLimit: 64 * 1024 * 1024 });
app.register(fastifyHttpProxy, {
  upstream,
  undici: { connections: 1024, pipelining: 1 },
  replyOptions: {
    rewriteHeaders(headers) {
      delete headers.connection;
      return headers;
    },
  },
});
await app.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
