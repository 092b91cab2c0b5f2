/**
 * How the lab gets a Redis. Beside containers it is a container. Beside processes it is the one that
 * REDIS_URL names; else a server from PATH; else a container; else, on Debian as root, the package. Only what
 * was started here is stopped.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { startChildUntil } from '#host/child-process.ts';
import { freePorts } from '#host/free-ports.ts';
import { readTreeUsage } from '#host/process-tree.ts';
import { StartError } from '#host/readiness.ts';
import type { RunningService, ServiceProvider, ServiceRequest } from './service.ts';

/** A Redis process on this machine, which may be frozen, killed and started again at its port. */
export type RedisServer = AsyncDisposable & {
  url: string;
  port: number;
  pid: number;
  signal(name: NodeJS.Signals): void;
  /** Null while it runs. */
  howEnded(): string | null;
};

const image = process.env.REDIS_IMAGE ?? 'redis:8';
const containerPort = 6379;
const withoutPersistence = ['--save', '', '--appendonly', 'no'];
const readyText = 'Ready to accept connections';
/** Chosen, not measured: a start takes a fraction of a second. */
const startDeadlineMs = 10_000;
const stopGraceMs = 1000;

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
  if (url) return { name: 'REDIS_URL', start: () => useGiven(url) };
  const binary = findBinary();
  if (binary)
    return { name: `${binary} on PATH`, start: ({ signal }) => startProcess(binary, 'on PATH', signal) };
  if (await engineAnswers()) return container;
  if (!canInstall()) return null;
  return {
    name: 'apt-get install redis-server',
    start: async ({ signal }) => startProcess(await install(), 'from apt-get', signal),
  };
}

/** Path of a server that may be frozen and killed: from PATH, else installed where possible, else null. */
export async function ownRedisBinary(): Promise<string | null> {
  return findBinary() ?? (canInstall() ? install() : null);
}

/** Starts a server without persistence, at a free port where none is given. Rejects with a `StartError`. */
export async function startRedisServer(
  binary: string,
  port?: number,
  signal?: AbortSignal,
): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'chat-redis-'));
  const removeDirectory = () => rmSync(directory, { recursive: true, force: true });
  const usedPort = port ?? (await freePorts(1))[0]!;
  const address = ['--bind', '127.0.0.1', '--port', String(usedPort)];
  const readLine = (line: string) => line.includes(readyText) || undefined;
  const { child } = await startChildUntil(
    { command: binary, args: [...address, '--dir', directory, ...withoutPersistence] },
    { name: 'The Redis server', readLine, deadlineMs: startDeadlineMs, signal },
  ).catch((error: Error) => {
    removeDirectory();
    throw error;
  });
  return {
    url: `redis://127.0.0.1:${usedPort}`,
    port: usedPort,
    pid: child.pid,
    signal: (name) => child.signal(name),
    howEnded: () => child.howEnded(),
    [Symbol.asyncDispose]: async () => {
      // A frozen server would not handle SIGTERM.
      child.signal('SIGCONT');
      await child.stop('SIGTERM', stopGraceMs);
      removeDirectory();
    },
  };
}

async function startProcess(binary: string, from: string, signal: AbortSignal): Promise<RunningService> {
  await using started = new AsyncDisposableStack();
  let server = await startRedisServer(binary, undefined, signal);
  started.defer(() => server[Symbol.asyncDispose]());
  const { url, port } = server;
  const description = await described(url, `${binary} ${from}`);
  const owned = started.move();
  return {
    ...description,
    owned: true,
    nodeUrl: url,
    signal: async (name) => server.signal(name),
    restart: async () => {
      await server[Symbol.asyncDispose]();
      server = await startRedisServer(binary, port);
    },
    sample: async () => {
      const usage = readTreeUsage(server.pid);
      return { name: 'redis', role: 'redis', ...usage, throttledSeconds: null, fault: server.howEnded() };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startContainer({ target, containers, signal }: ServiceRequest): Promise<RunningService> {
  const site = await containers();
  // Chosen here, because the engine would choose another one at a restart.
  const [port] = await freePorts(1);
  const ports = [{ container: containerPort, host: port! }];
  const program = { name: 'redis', image, command: withoutPersistence, ports, readyText };
  const container = await site.startService({ ...program, signal });
  const url = `redis://127.0.0.1:${port}`;
  return {
    ...(await described(url, `container ${image}`)),
    owned: true,
    nodeUrl: target === 'container' ? `redis://${container.name}:${containerPort}` : url,
    signal: (name) => container.signal(name),
    restart: async () => {
      await container.restart();
      await versionOf(url);
    },
    sample: () => container.sample('redis', 'redis'),
    [Symbol.asyncDispose]: () => container[Symbol.asyncDispose](),
  };
}

async function useGiven(url: string): Promise<RunningService> {
  const refuse = async () => {
    throw new StartError('The Redis that REDIS_URL names is not the lab’s to stop or restart.');
  };
  const usage = { cpuSeconds: 0, rssBytes: 0, throttledSeconds: null, processes: 0, fault: null };
  return {
    ...(await described(url, 'REDIS_URL')),
    owned: false,
    nodeUrl: url,
    signal: refuse,
    restart: refuse,
    sample: async () => ({ name: 'redis', role: 'redis', ...usage }),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function described(url: string, source: string) {
  const version = await versionOf(url);
  return { name: 'redis', role: 'redis' as const, url, fact: `${version} (${source})` };
}

function findBinary(): string | undefined {
  const directories = (process.env.PATH ?? '').split(delimiter);
  return ['redis-server', 'valkey-server']
    .flatMap((name) => directories.map((directory) => join(directory, name)))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

async function engineAnswers(): Promise<boolean> {
  const { getContainerRuntimeClient } = await import('testcontainers');
  return getContainerRuntimeClient().then(
    () => true,
    () => false,
  );
}

function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && existsSync('/usr/bin/apt-get');
}

async function install(): Promise<string> {
  console.error('lab: no Redis found; installing the package redis-server with apt-get (it stays installed)');
  const run = promisify(execFile);
  // RUNLEVEL=1 keeps the package from starting a service. Another test may hold the lock of apt meanwhile.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const apt = ['-q', '-y', '-o', 'DPkg::Lock::Timeout=120'];
  try {
    await run('apt-get', [...apt, 'update'], { env });
    await run('apt-get', [...apt, 'install', '--no-install-recommends', 'redis-server'], { env });
  } catch (error) {
    const why = (error as Error).message;
    throw new StartError(`apt-get could not install redis-server: ${why} ${ways.join(' ')}`);
  }
  const binary = findBinary();
  if (!binary) throw new StartError('apt-get installed redis-server, but it is not on PATH.');
  return binary;
}

/** Resolves to e.g. `Redis 7.0.15` or `Valkey 8.0.1` once the server answers. */
async function versionOf(url: string): Promise<string> {
  const deadlineAtMs = performance.now() + startDeadlineMs;
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
        throw new StartError(`Redis at ${url} does not answer: ${failure}`);
      await sleep(30);
    } finally {
      client.disconnect();
    }
  }
}
