/**
 * How the lab gets a Redis: the one that REDIS_URL names; else a server of its own from PATH, on a port and in a directory
 * of its own; else a container; else, on a Debian as root, the package. Only what was started for the lab is stopped.
 */

import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { type Child, startChild } from '#host/child-process.ts';
import { freePorts } from '#host/free-ports.ts';
import { type RunningService, type ServiceProvider, TargetError } from '../deployment.ts';

/** A Redis process of the lab's own, which tests may freeze, kill and bring back. */
export type RedisServer = AsyncDisposable & {
  url: string;
  port: number;
  pid: number;
  version: string;
  signal(signal: NodeJS.Signals): void;
};

const image = process.env.LAB_REDIS_IMAGE ?? 'redis:8';
const binaries = ['redis-server', 'valkey-server'];
const startDeadlineMs = 10_000;

export const redisProvider: ServiceProvider = {
  name: 'redis',
  find: async () => {
    const source = await findSource();
    return source === null ? { found: false, ways: [...ways] } : { found: true, source: source.name };
  },
  start: async (signal) => {
    const source = await findSource();
    if (source === null) throw new TargetError(`There is no Redis. ${ways.join(' ')}`);
    return source.start(signal);
  },
};

const ways = [
  'Install redis-server or valkey-server (on Debian: apt-get install redis-server).',
  'Or name a running one: REDIS_URL=redis://host:6379.',
  `Or start a Docker engine; the lab then runs ${image}.`,
] as const;

type Source = { name: string; start(signal: AbortSignal): Promise<RunningService> };

async function findSource(): Promise<Source | null> {
  const url = process.env.REDIS_URL;
  if (url) return { name: 'REDIS_URL', start: () => useRunning(url) };
  const binary = findRedisBinary();
  if (binary) return { name: `${binary} on PATH`, start: () => useOwn(binary, 'on PATH') };
  if (await engineAnswers()) return { name: `container ${image}`, start: useContainer };
  if (canInstall()) return { name: 'apt-get install redis-server', start: useInstalled };
  return null;
}

/** Path of a Redis or Valkey server on PATH, undefined where there is none. */
function findRedisBinary(): string | undefined {
  const directories = (process.env.PATH ?? '').split(delimiter);
  return binaries.flatMap((name) => directories.map((path) => join(path, name))).find(isExecutable);
}

/** Starts a server without persistence; with a port, at that port. Rejects with a `TargetError` if it does not answer. */
export async function startRedisServer(binary: string, port?: number): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'chat-redis-'));
  const usedPort = port ?? (await freePorts(1))[0]!;
  const address = ['--bind', '127.0.0.1', '--port', String(usedPort)];
  const child = await startChild({
    command: binary,
    args: [...address, '--dir', directory, '--save', '', '--appendonly', 'no'],
    onLine: () => undefined,
  });
  const dispose = async () => {
    // A frozen server would not hear SIGTERM.
    child.signal('SIGCONT');
    await child.stop('SIGTERM', 1000);
    rmSync(directory, { recursive: true, force: true });
  };
  const url = `redis://127.0.0.1:${usedPort}`;
  try {
    const version = await awaitAnswer(url, () => child.ended() && describeEnd(child));
    const signal = (name: NodeJS.Signals) => child.signal(name);
    return { url, port: usedPort, pid: child.pid, version, signal, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function useRunning(url: string): Promise<RunningService> {
  const version = await awaitAnswer(url, () => null);
  const fact = `${version} (REDIS_URL)`;
  return { name: 'redis', role: 'redis', url, fact, pids: [], [Symbol.asyncDispose]: async () => undefined };
}

async function useOwn(binary: string, from: string): Promise<RunningService> {
  const server = await startRedisServer(binary);
  return {
    name: 'redis',
    role: 'redis',
    url: server.url,
    fact: `${server.version} (${binary} ${from})`,
    pids: [server.pid],
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function useContainer(): Promise<RunningService> {
  const { GenericContainer } = await import('testcontainers');
  const container = await new GenericContainer(image).withExposedPorts(6379).start();
  const url = `redis://${container.getHost()}:${container.getMappedPort(6379)}`;
  const version = await awaitAnswer(url, () => null);
  return {
    name: 'redis',
    role: 'redis',
    url,
    fact: `${version} (container ${image})`,
    pids: [],
    [Symbol.asyncDispose]: async () => void (await container.stop()),
  };
}

/** A server binary for who wants to freeze or kill it: from PATH, else installed where that is possible, else null. */
export async function ownRedisBinary(): Promise<string | null> {
  return findRedisBinary() ?? (canInstall() ? install() : null);
}

async function useInstalled(): Promise<RunningService> {
  return useOwn(await install(), 'from apt-get');
}

async function install(): Promise<string> {
  console.error('lab: no Redis found; installing the package redis-server with apt-get (it stays installed)');
  const run = promisify(execFile);
  // RUNLEVEL=1 keeps the package from starting a service of its own; the lock may be held by another test's install.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const apt = ['-q', '-y', '-o', 'DPkg::Lock::Timeout=120'];
  try {
    await run('apt-get', [...apt, 'update'], { env });
    await run('apt-get', [...apt, 'install', '--no-install-recommends', 'redis-server'], { env });
  } catch (error) {
    throw new TargetError(
      `apt-get could not install redis-server: ${(error as Error).message} ${ways.join(' ')}`,
    );
  }
  const binary = findRedisBinary();
  if (!binary) throw new TargetError('apt-get installed redis-server, but it is not on PATH.');
  return binary;
}

function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && existsSync('/usr/bin/apt-get');
}

async function engineAnswers(): Promise<boolean> {
  const { getContainerRuntimeClient } = await import('testcontainers');
  return getContainerRuntimeClient().then(
    () => true,
    () => false,
  );
}

/** Resolves to `Redis 7.0.15` or `Valkey 8.0.1` once the server answers. */
async function awaitAnswer(url: string, ended: () => string | null): Promise<string> {
  const deadlineAtMs = performance.now() + startDeadlineMs;
  for (;;) {
    const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 2000 });
    let failure = 'no answer';
    client.on('error', (error: Error) => {
      failure = error.message;
    });
    try {
      await client.connect();
      return describeVersion(await client.info('server'));
    } catch {
      const end = ended();
      if (end !== null) throw new TargetError(`The Redis server ${end}`);
      if (performance.now() > deadlineAtMs)
        throw new TargetError(`Redis at ${url} does not answer: ${failure}`);
      await sleep(30);
    } finally {
      client.disconnect();
    }
  }
}

function describeVersion(info: string): string {
  const valkey = /^valkey_version:(\S+)/m.exec(info);
  return valkey
    ? `Valkey ${valkey[1]}`
    : `Redis ${/^redis_version:(\S+)/m.exec(info)?.[1] ?? 'of unknown version'}`;
}

function describeEnd(child: Child): string {
  return `${child.ended()}. It said:\n${child.lastLines()}`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
