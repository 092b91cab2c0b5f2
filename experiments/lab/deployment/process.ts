/**
 * The process target: server nodes and simulator as children of the lab on this machine. It needs nothing but Node. Where
 * Linux has `taskset` they run on CPUs of their own, as the limits ask; nothing else is isolated, which the report says.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCgroup } from '#host/cgroup.ts';
import { type Child, startChild } from '#host/child-process.ts';
import { readTreeUsage } from '#host/process-tree.ts';
import { readResult } from '../../../loadtest/result/schema.ts';
import {
  type LoadtestOutcome,
  type LoadtestProgress,
  type NodeSample,
  type RunningService,
  type RunningTarget,
  type ServerNode,
  TargetError,
  type TargetRequest,
} from './deployment.ts';
import { loadtestArguments } from './loadtest-options.ts';
import { describePins, pinnableCpus, pinnedServerCores, pinning } from './pinning.ts';
import { serviceProviders } from './services/services.ts';

const serverMain = fileURLToPath(new URL('../../../server/main.ts', import.meta.url));
const loadtestMain = fileURLToPath(new URL('../../../loadtest/main.ts', import.meta.url));
const listenDeadlineMs = 15_000;
const serverStopGraceMs = 1500;
const loadtestStopGraceMs = 3000;

/** Which programs are run; tests put fakes here. */
export type ProcessPrograms = { server: readonly string[]; loadtest: readonly string[] };

type ProcessNode = ServerNode & { child: Child };

/** Starts the nodes of a stage, and the services it needs, on this machine. */
export async function startProcessTarget(
  request: TargetRequest,
  needs: readonly string[],
  programs: ProcessPrograms = { server: [serverMain], loadtest: [loadtestMain] },
): Promise<RunningTarget> {
  await using started = new AsyncDisposableStack();
  const services: RunningService[] = [];
  for (const need of needs) services.push(started.use(await startService(need, request.signal)));
  const nodes: ProcessNode[] = [];
  const { serverCpus, loadtestCpus } = request.limits;
  const pins = pinning(pinnableCpus(), Array(request.nodes).fill(serverCpus), loadtestCpus);
  for (const [index, cpus] of pins.servers.entries()) {
    const node = await startNode(`node-${index + 1}`, request, services, pinned(programs.server, cpus));
    started.defer(() => node.child.stop('SIGTERM', serverStopGraceMs));
    nodes.push(node);
  }
  const directory = mkdtempSync(join(tmpdir(), 'chat-lab-'));
  started.defer(() => rmSync(directory, { recursive: true, force: true }));
  const owned = started.move();
  const loadtestUrls = nodes.map((node) => node.chatUrl);
  return {
    kind: 'process',
    stage: request.stage,
    servers: nodes,
    loadtestUrls,
    observedLimits: nodes.map(() => {
      const cgroup = readCgroup();
      return { cpuCores: cgroup?.cpuLimitCores ?? null, memoryBytes: cgroup?.memoryLimitBytes ?? null };
    }),
    pinnedServerCores: pinnedServerCores(pins),
    facts: {
      'pinned CPUs': describePins(pins),
      ...Object.fromEntries(services.map((service) => [service.name, service.fact])),
    },
    sample: async () => [...nodes.map(sampleNode), ...services.map(sampleService)],
    runLoadtest: (options, watch) => {
      const metricsHost = listenHost(request.scrapeHost);
      const args = loadtestArguments({ ...options, urls: loadtestUrls, metricsHost });
      if (options.metricsPort !== undefined)
        watch.onScrapeAddress(`${request.scrapeHost}:${options.metricsPort}`);
      return runLoadtest([...pinned(programs.loadtest, pins.simulator), ...args], directory, watch);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A program of Node as a command line, on those CPUs only. */
function pinned(program: readonly string[], cpus: string | undefined): [string, ...string[]] {
  const command = [process.execPath, ...program] as const;
  return cpus === undefined ? [...command] : ['taskset', '--cpu-list', cpus, ...command];
}

async function startService(name: string, signal: AbortSignal): Promise<RunningService> {
  const provider = serviceProviders.find((candidate) => candidate.name === name);
  if (provider === undefined) throw new TargetError(`This lab does not know how to provide ${name}.`);
  return provider.start(signal);
}

async function startNode(
  name: string,
  request: TargetRequest,
  services: readonly RunningService[],
  [command, ...program]: readonly [string, ...string[]],
): Promise<ProcessNode> {
  const internalHost = listenHost(request.scrapeHost);
  const settings = Object.entries(request.settings).flatMap(([flag, value]) => [`--${flag}`, value]);
  const serviceFlags = services.flatMap((service) => [`--${service.name}-url`, service.url]);
  const address = [
    '--host',
    '127.0.0.1',
    '--port',
    '0',
    '--internal-host',
    internalHost,
    '--internal-port',
    '0',
  ];
  const listening = Promise.withResolvers<{ chat: string; internal: string }>();
  const child = await startChild({
    command,
    args: [...program, '--stage', request.stage, ...address, ...settings, ...serviceFlags],
    onLine: (line) => {
      const event = parseEvent(line);
      if (event?.event === 'listening')
        listening.resolve({ chat: String(event.chat), internal: String(event.internal) });
    },
  });
  const refuse = (why: string) =>
    listening.reject(new TargetError(`${request.stage} ${why}. It said:\n${child.lastLines()}`));
  // Whoever loses the race between listening, ending and aborting must not become an unhandled rejection.
  listening.promise.catch(() => {});
  child.exit.then(() => refuse(`ended before it listened (${child.ended()})`));
  const timer = setTimeout(
    () => refuse(`did not listen within ${listenDeadlineMs / 1000} s`),
    listenDeadlineMs,
  );
  const abort = () => listening.reject(request.signal.reason);
  request.signal.addEventListener('abort', abort);
  try {
    request.signal.throwIfAborted();
    const { chat, internal } = await listening.promise;
    const { port } = new URL(internal);
    const internalUrl = `http://127.0.0.1:${port}`;
    return { name, chatUrl: chat, internalUrl, scrapeAddress: `${request.scrapeHost}:${port}`, child };
  } catch (error) {
    await child.stop('SIGTERM', serverStopGraceMs);
    throw error;
  } finally {
    clearTimeout(timer);
    request.signal.removeEventListener('abort', abort);
  }
}

function listenHost(scrapeHost: string): string {
  return scrapeHost === '127.0.0.1' ? scrapeHost : '0.0.0.0';
}

function sampleNode(node: ProcessNode): NodeSample {
  const ended = node.child.ended();
  const usage = readTreeUsage(node.child.pid);
  return { name: node.name, role: 'server', ...usage, throttledSeconds: throttledSeconds(), fault: ended };
}

/** Children share the lab's cgroup: where the lab itself runs under a quota, that is what holds the server back. */
function throttledSeconds(): number | null {
  const cgroup = readCgroup();
  return cgroup?.cpuLimitCores === undefined ? null : cgroup.cpuThrottledSecondsTotal;
}

function sampleService(service: RunningService): NodeSample {
  const usages = service.pids.map((pid) => readTreeUsage(pid));
  const sum = (field: 'cpuSeconds' | 'rssBytes' | 'processes') =>
    usages.reduce((total, usage) => total + usage[field], 0);
  const usage = { cpuSeconds: sum('cpuSeconds'), rssBytes: sum('rssBytes'), processes: sum('processes') };
  return { name: service.name, role: service.role, ...usage, throttledSeconds: null, fault: null };
}

async function runLoadtest(
  [command, ...args]: readonly [string, ...string[]],
  directory: string,
  watch: { onProgress: (progress: LoadtestProgress) => void; signal: AbortSignal },
): Promise<LoadtestOutcome> {
  const file = join(directory, 'loadtest.json');
  rmSync(file, { force: true });
  const errorLines: string[] = [];
  const child = await startChild({
    command,
    args: [...args, '--progress', 'json', '--json', file],
    onLine: (line, stream) => {
      const event = parseEvent(line);
      if (event?.event === 'phase' || event?.event === 'second') watch.onProgress(event as LoadtestProgress);
      else if (stream === 'stderr') errorLines.push(line);
    },
  });
  const abort = () => void child.stop('SIGINT', loadtestStopGraceMs);
  watch.signal.addEventListener('abort', abort);
  if (watch.signal.aborted) abort();
  const exitCode = await child.exit;
  watch.signal.removeEventListener('abort', abort);
  const result = existsSync(file) ? readResult(file) : null;
  return { exitCode, result, errorText: errorLines.slice(-10).join('\n') };
}

function parseEvent(line: string): Record<string, unknown> | null {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
}
