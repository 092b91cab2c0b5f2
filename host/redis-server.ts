/** A redis-server process of our own on this machine: finds the program or installs it, and starts it. */
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { type Child, startChildUntil } from './child-process.ts';
import { freePorts } from './free-ports.ts';
import { StartError } from './readiness.ts';

/** A process that may be frozen, killed and started again at its port. Disposing it removes its files too. */
export type RedisServer = AsyncDisposable & {
  url: string;
  port: number;
  process: Child;
};

/** Options of every Redis that is started here, as a process or in a container: nothing is kept on disk. */
export const withoutPersistence = ['--save', '', '--appendonly', 'no'];
/** Options after those: an append-only file, synced to the disk once a second, or before each answer. */
export function appendOnly(sync: 'everysec' | 'always'): readonly string[] {
  return ['--appendonly', 'yes', '--appendfsync', sync];
}
/** Part of the line of output that says that Redis is ready. */
export const redisReadyText = 'Ready to accept connections';
/** Chosen, not measured: a start takes a fraction of a second. */
const startDeadlineMs = 10_000;
const stopGraceMs = 1000;

/** Path of redis-server or valkey-server on PATH. */
export function findRedisBinary(): string | undefined {
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

/** True as root on Debian. */
export function canInstallRedis(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && existsSync('/usr/bin/apt-get');
}

/** Installs the package; resolves with the path of the server. Rejects with a `StartError`. */
export async function installRedis(): Promise<string> {
  console.error('no Redis found; installing the package redis-server with apt-get (it stays installed)');
  const run = promisify(execFile);
  // RUNLEVEL=1 keeps the package from starting a service. Another test may hold the lock of apt meanwhile.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const apt = ['-q', '-y', '-o', 'DPkg::Lock::Timeout=120'];
  try {
    await run('apt-get', [...apt, 'update'], { env });
    await run('apt-get', [...apt, 'install', '--no-install-recommends', 'redis-server'], { env });
  } catch (error) {
    const why = (error as Error).message;
    const ways = 'Install redis-server or valkey-server, or set REDIS_URL=redis://host:6379.';
    throw new StartError(`apt-get could not install redis-server: ${why} ${ways}`);
  }
  const binary = findRedisBinary();
  if (!binary) throw new StartError('apt-get installed redis-server, but it is not on PATH.');
  return binary;
}

/** Path of a server: from PATH, else installed where possible, else null. */
export async function ownRedisBinary(): Promise<string | null> {
  return findRedisBinary() ?? (canInstallRedis() ? installRedis() : null);
}

export type RedisOptions = {
  port?: number;
  /** Precedes its command line, such as `taskset --cpu-list 0`. */
  launcher?: readonly string[];
  /** More options of the server, such as `--dir`: the last of two holds. */
  args?: readonly string[];
  signal?: AbortSignal;
};

/** Starts a server without persistence, at a free port where none is given. Rejects with a `StartError`. */
export async function startRedisServer(
  binary: string,
  { port, launcher = [], args: more = [], signal }: RedisOptions = {},
): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'chat-redis-'));
  const removeDirectory = () => rmSync(directory, { recursive: true, force: true });
  const usedPort = port ?? (await freePorts(1))[0]!;
  const address = ['--bind', '127.0.0.1', '--port', String(usedPort)];
  const readLine = (line: string) => line.includes(redisReadyText) || undefined;
  const given = ['--dir', directory, ...withoutPersistence, ...more];
  const [command, ...args] = [...launcher, binary, ...address, ...given];
  const { child } = await startChildUntil(
    { command: command!, args },
    { name: 'The Redis server', readLine, deadlineMs: startDeadlineMs, signal },
  ).catch((error: Error) => {
    removeDirectory();
    throw error;
  });
  return {
    url: `redis://127.0.0.1:${usedPort}`,
    port: usedPort,
    process: child,
    [Symbol.asyncDispose]: async () => {
      // A frozen server would not handle SIGTERM.
      child.signal('SIGCONT');
      await child.stop('SIGTERM', stopGraceMs);
      removeDirectory();
    },
  };
}
