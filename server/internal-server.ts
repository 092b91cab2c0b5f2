/** The listener that only operators reach: metrics, liveness, readiness. */
import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';

/** Serves /metrics from a registry, /healthz while the process runs, /readyz while it should get traffic. */
export function createInternalServer(
  registry: Pick<Registry, 'metrics' | 'contentType'>,
  isReady: () => boolean,
): Server {
  return createServer(async (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end();
    if (path === '/healthz') return void response.end('ok\n');
    if (path === '/readyz')
      return void response.writeHead(isReady() ? 200 : 503).end(isReady() ? 'ready\n' : 'not ready\n');
    if (path !== '/metrics')
      return void response.writeHead(404).end('known paths: /metrics /healthz /readyz\n');
    try {
      const text = await registry.metrics();
      response.writeHead(200, { 'content-type': registry.contentType }).end(text);
    } catch (error) {
      response.writeHead(500).end(`metrics failed: ${(error as Error).message}\n`);
    }
  });
}
