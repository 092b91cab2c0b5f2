/**
 * The media server of a stage: our own server in its role `media`, on a directory that outlives a kill and is
 * removed in the end. Beside containers it is a container of the image of the nodes; else a process.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChildUntil } from '#host/child-process.ts';
import { freePorts } from '#host/free-ports.ts';
import { readTreeUsage } from '#host/process-tree.ts';
import { StartError } from '#host/readiness.ts';
import type { DeployedMedia, NodeSample, ServiceRequest } from './service.ts';

export type MediaRequest = ServiceRequest & {
  /** Arguments of Node that precede the flags, where it is a process. */
  program: readonly string[];
  /** Those of the stage and the role, and its own settings. */
  flags: readonly string[];
  /** At which address of this machine /metrics listens where it is a process. */
  metricsHost: string;
};

/** A started media server; disposing it stops it, and removes the images. */
export type RunningMedia = DeployedMedia &
  AsyncDisposable & {
    /** Where it runs, and its settings. */
    fact: string;
    /** Settings of the nodes: its address, and the key by which they sign uploads. */
    environment: Readonly<Record<string, string>>;
    sample(): Promise<NodeSample>;
  };

const readyText = '"event":"listening"';
/** Chosen, not measured: many times the time that a start takes on a busy machine. */
const startDeadlineMs = 15_000;
/** The image has it for this, and it belongs to the user of the server. */
const containerDirectory = '/media';
const keyBytes = 32;

type Place = {
  ports: readonly [images: number, internal: number];
  args: readonly string[];
  /** With the key: every user of a machine sees the arguments of its processes. */
  environment: Readonly<Record<string, string>>;
};

/** Resolves once it listens; rejects with a `StartError`. */
export async function startMedia(request: MediaRequest): Promise<RunningMedia> {
  const inContainers = request.target === 'container';
  const taken = await (inContainers ? (await request.containers()).takePorts(2) : freePorts(2));
  const ports = [taken[0]!, taken[1]!] as const;
  const args = [...request.flags, '--port', String(ports[0]), '--internal-port', String(ports[1])];
  const environment = { CHAT_MEDIA_SECRET: randomBytes(keyBytes).toString('hex') };
  const start = inContainers ? startContainer : startProcess;
  const media = await start(request, { ports, args, environment });
  const [url, internalUrl] = ports.map(urlOf);
  return {
    ...media,
    name: 'media',
    url: url!,
    internalUrl: internalUrl!,
    environment: { ...environment, CHAT_MEDIA_URL: url! },
    fact: `${request.target}, ${request.flags.join(' ')}`,
  };
}

type Started = Pick<RunningMedia, 'signal' | 'restart' | 'quarantined' | 'sample'> & AsyncDisposable;

async function startProcess(
  { program, metricsHost, launcher, signal }: MediaRequest,
  { args, environment }: Place,
): Promise<Started> {
  await using started = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'chat-media-'));
  started.defer(() => rmSync(directory, { recursive: true, force: true }));
  const here = ['--host', '127.0.0.1', '--internal-host', metricsHost, '--media-directory', directory];
  const [command, ...before] = [...launcher, process.execPath, ...program];
  const options = { command: command!, args: [...before, ...args, ...here] };
  const readLine = (line: string) => line.includes(readyText) || undefined;
  const start = async (aborted?: AbortSignal) => {
    const readiness = { name: 'The media server', readLine, deadlineMs: startDeadlineMs, signal: aborted };
    const env = { ...process.env, ...environment };
    return (await startChildUntil({ ...options, env }, readiness)).child;
  };
  let child = await start(signal);
  started.defer(() => child[Symbol.asyncDispose]());
  const owned = started.move();
  return {
    signal: async (name) => child.signal(name),
    restart: async () => {
      await child[Symbol.asyncDispose]();
      child = await start();
    },
    quarantined: async () => readdirSync(join(directory, 'quarantine')).length,
    sample: async () => {
      const usage = readTreeUsage(child.pid);
      const fault = child.howEnded();
      return { name: 'media', role: 'media', ...usage, throttledSeconds: null, fault };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startContainer(
  { containers, signal }: MediaRequest,
  { ports, args, environment }: Place,
): Promise<Started> {
  const site = await containers();
  const container = await site.startService({
    name: 'media',
    image: site.serverImage,
    command: ['server/main.ts', ...args],
    environment: { ...environment, CHAT_MEDIA_DIRECTORY: containerDirectory },
    ports,
    readyText,
    signal,
  });
  const list = `import { readdirSync } from 'node:fs';
    console.log(readdirSync('${containerDirectory}/quarantine').length);`;
  return {
    signal: (name) => container.signal(name),
    restart: async () => {
      await container.restart();
      await untilReady(urlOf(ports[1]));
    },
    quarantined: async () => Number(await container.runScript(list)),
    sample: () => container.sample('media', 'media'),
    [Symbol.asyncDispose]: () => container[Symbol.asyncDispose](),
  };
}

const urlOf = (port: number) => `http://127.0.0.1:${port}`;

/** The output of a container that is started again is not followed: its readiness is asked. */
async function untilReady(internalUrl: string): Promise<void> {
  const deadlineAtMs = performance.now() + startDeadlineMs;
  const isReady = () =>
    fetch(`${internalUrl}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) {
    if (performance.now() > deadlineAtMs)
      throw new StartError(`The media server was not ready again within ${startDeadlineMs / 1000} s.`);
    await sleep(30);
  }
}
