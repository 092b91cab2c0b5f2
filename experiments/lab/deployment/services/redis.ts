/**
 * How the lab gets a Redis. Beside containers it is a container. Beside processes it is the one that
 * REDIS_URL names; else a server from PATH; else a container; else, on Debian as root, the package. Only what
 * was started here is stopped.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { readTreeUsage } from '#host/process-tree.ts';
import { StartError } from '#host/readiness.ts';
import {
  appendOnly,
  canInstallRedis,
  findRedisBinary,
  installRedis,
  redisReadyText,
  startRedisServer,
  withoutPersistence,
} from '#host/redis-server.ts';
import { redact, splitUrls } from '#host/secrets.ts';
import type { Persistence, RunningService, ServiceProvider, ServiceRequest } from './service.ts';

const image = process.env.REDIS_IMAGE ?? 'redis:8';
/** Chosen, not measured: a start takes a fraction of a second. */
const answerDeadlineMs = 10_000;

const ways = [
  'Install redis-server or valkey-server (on Debian: apt-get install redis-server).',
  'Or name a running one: REDIS_URL=redis://host:6379.',
  `Or start a container engine; the lab then runs ${image}.`,
];

export const redisProvider: ServiceProvider = {
  name: 'redis',
  find: async (target = 'process') => {
    const source = await findSource(target);
    return source === null ? { found: false, ways } : { found: true, source: source.name };
  },
  start: async (request) => {
    const source = await findSource(request.target);
    if (source === null) throw new StartError(`There is no Redis. ${ways.join(' ')}`);
    return source.start(request);
  },
};

type Source = { name: string; start(request: ServiceRequest): Promise<RunningService> };

async function findSource(target: ServiceRequest['target']): Promise<Source | null> {
  const container = { name: `container ${image}`, start: startContainer };
  if (target === 'container') return container;
  const url = process.env.REDIS_URL;
  if (url) return { name: 'REDIS_URL', start: (request) => useGiven(url, request) };
  const binary = findRedisBinary();
  if (binary)
    return { name: `${binary} on PATH`, start: (request) => startProcess(binary, 'on PATH', request) };
  if (await engineAnswers()) return container;
  if (!canInstallRedis()) return null;
  return {
    name: 'apt-get install redis-server',
    start: async (request) => startProcess(await installRedis(), 'from apt-get', request),
  };
}

async function startProcess(
  binary: string,
  from: string,
  { launcher, persistence, signal }: ServiceRequest,
): Promise<RunningService> {
  await using started = new AsyncDisposableStack();
  // It outlives the process, so that a restart finds what Redis has saved, if it has.
  const directory = mkdtempSync(join(tmpdir(), 'chat-redis-data-'));
  started.defer(() => rmSync(directory, { recursive: true, force: true }));
  const args = ['--dir', directory, ...kept(persistence)];
  let server = await startRedisServer(binary, { launcher, args, signal });
  started.defer(() => server[Symbol.asyncDispose]());
  const { url, port } = server;
  const description = await described(url, `${binary} ${from}${persistenceText(persistence)}`);
  const owned = started.move();
  return {
    ...description,
    owned: true,
    signal: async (name) => server.process.signal(name),
    restart: async () => {
      await server[Symbol.asyncDispose]();
      server = await startRedisServer(binary, { launcher, args, port });
    },
    sample: async () => {
      const usage = readTreeUsage(server.process.pid);
      return {
        name: 'redis',
        role: 'redis',
        ...usage,
        throttledSeconds: null,
        fault: server.process.howEnded(),
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startContainer({ containers, persistence, signal }: ServiceRequest): Promise<RunningService> {
  const site = await containers();
  const [port] = await site.takePorts(1);
  // Its files are in a volume of its own, which is removed with it.
  const command = [...withoutPersistence, '--port', String(port), ...kept(persistence)];
  const program = { name: 'redis', image, command, ports: [port!], readyText: redisReadyText };
  const container = await site.startService({ ...program, signal });
  const url = `redis://127.0.0.1:${port}`;
  return {
    ...(await described(url, `container ${image}${persistenceText(persistence)}`)),
    owned: true,
    signal: (name) => container.signal(name),
    restart: async () => {
      await container.restart();
      await versionOf(url);
    },
    sample: () => container.sample('redis', 'redis'),
    [Symbol.asyncDispose]: () => container[Symbol.asyncDispose](),
  };
}

/** `given`: the URL of one, or of nodes of a cluster. CPU is read of the nodes that it names. */
async function useGiven(given: string, { persistence }: ServiceRequest): Promise<RunningService> {
  if (persistence !== 'none')
    throw new StartError(
      'Unset REDIS_URL: what a Redis keeps on disk can be set of one that the lab starts.',
    );
  const refuse = async () => {
    throw new StartError('The Redis that REDIS_URL names is not the lab’s to stop or restart.');
  };
  const urls = splitUrls(given);
  const source = urls.length === 1 ? 'REDIS_URL' : `cluster, ${urls.length} nodes in REDIS_URL`;
  const description = await described(urls[0]!, source);
  // On another machine it takes nothing from this one.
  const readings = urls.filter((url) => localHosts.includes(new URL(url).hostname)).map(cpuReader);
  return {
    ...description,
    url: given,
    owned: false,
    signal: refuse,
    restart: refuse,
    sample: async () => {
      const seconds = await Promise.all(readings.map(({ read }) => read()));
      const cpuSeconds = seconds.reduce((sum, one) => sum + one, 0);
      const usage = { cpuSeconds, rssBytes: 0, throttledSeconds: null, processes: 0, fault: null };
      return { name: 'redis', role: 'redis', ...usage };
    },
    [Symbol.asyncDispose]: async () => {
      for (const { client } of readings) client.disconnect();
    },
  };
}

function kept(persistence: Persistence): readonly string[] {
  return persistence === 'none' ? [] : appendOnly(persistence);
}

function persistenceText(persistence: Persistence): string {
  return persistence === 'none' ? '' : `, appendonly yes, appendfsync ${persistence}`;
}

/** Reads the CPU seconds of a server since its start. */
function cpuReader(url: string) {
  const client = new Redis(url, { maxRetriesPerRequest: 0 });
  client.on('error', () => {}); // It connects again by itself; until then the last reading stands.
  let cpuSeconds = 0;
  const read = async () => {
    cpuSeconds = await client.info('cpu').then(readCpuSeconds, () => cpuSeconds);
    return cpuSeconds;
  };
  return { client, read };
}

const localHosts = ['localhost', '127.0.0.1', '[::1]'];

function readCpuSeconds(info: string): number {
  const used = info.matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm).map(([, seconds]) => Number(seconds));
  return used.reduce((sum, seconds) => sum + seconds, 0);
}

async function described(url: string, source: string) {
  const version = await versionOf(url);
  return { name: 'redis', role: 'redis' as const, url, fact: `${version} (${source})` };
}

async function engineAnswers(): Promise<boolean> {
  const { getContainerRuntimeClient } = await import('testcontainers');
  return getContainerRuntimeClient().then(
    () => true,
    () => false,
  );
}

/** Resolves to e.g. `Redis 7.0.15` or `Valkey 8.0.1` once the server answers. */
export async function versionOf(url: string): Promise<string> {
  const deadlineAtMs = performance.now() + answerDeadlineMs;
  for (;;) {
    const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 2000 });
    let failure = 'no answer';
    client.on('error', (error: Error) => {
      failure = error.message;
    });
    try {
      await client.connect();
      const info = await client.info('server');
      const valkey = /^valkey_version:(\S+)/m.exec(info)?.[1];
      if (valkey !== undefined) return `Valkey ${valkey}`;
      return `Redis ${/^redis_version:(\S+)/m.exec(info)?.[1] ?? 'of unknown version'}`;
    } catch {
      if (performance.now() > deadlineAtMs)
        throw new StartError(`Redis at ${redact(url)} does not answer: ${redact(failure)}`);
      await sleep(30);
    } finally {
      client.disconnect();
    }
  }
}
