/** The listener for operators only: metrics, liveness, readiness. */
import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';

/**
 * Serves /metrics from a registry, /healthz while the process runs, /readyz while it should get traffic. A
 * scrape names its cost, `Server-Timing: cpu;dur=…`: CPU time of this thread in ms, in which the chat waits.
 */
export function createInternalServer(
  registry: Pick<Registry, 'metrics' | 'contentType'>,
  isReady: () => boolean,
): Server {
  let scraping: Promise<Scrape> | undefined;
  /** Scrapes that come while one is under way get the same answer: each costs the chat milliseconds. */
  const scrape = () => {
    scraping ??= readMetrics(registry).finally(() => {
      scraping = undefined;
    });
    return scraping;
  };
  return createServer(async (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end();
    if (path === '/healthz') return void response.end('ok\n');
    const [status, state] = isReady() ? [200, 'ready\n'] : [503, 'not ready\n'];
    if (path === '/readyz') return void response.writeHead(status).end(state);
    const known = 'known paths: /metrics /healthz /readyz\n';
    if (path !== '/metrics') return void response.writeHead(404).end(known);
    try {
      const { text, timing } = await scrape();
      const headers = { 'content-type': registry.contentType, 'server-timing': timing };
      response.writeHead(200, headers).end(text);
    } catch (error) {
      response.writeHead(500).end(`metrics failed: ${(error as Error).message}\n`);
    }
  });
}

type Scrape = { readonly text: string; readonly timing: string };

async function readMetrics(registry: Pick<Registry, 'metrics'>): Promise<Scrape> {
  const before = process.threadCpuUsage();
  const text = await registry.metrics();
  const { user, system } = process.threadCpuUsage(before);
  return { text, timing: `cpu;dur=${((user + system) / 1000).toFixed(3)}` };
}
