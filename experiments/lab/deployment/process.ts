/**
 * Programs as child processes of the lab on this machine. It needs nothing but Node. Where Linux has
 * `taskset` they run on CPUs of their own; nothing else is isolated, which the report says.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readCgroup } from '#host/cgroup.ts';
import { type Child, startChild, startChildUntil } from '#host/child-process.ts';
import { openDescriptors } from '#host/descriptors.ts';
import { childrenOf, readRunDelaySeconds, readTreeUsage, textOf } from '#host/process-tree.ts';
import { StartError } from '#host/readiness.ts';

import type { PartUsage } from './deployment.ts';
import { installPeer } from './peers.ts';

import type { FaultKind } from './services/service.ts';
import type { NodeRequest, SimulatorRequest, Site, SiteNode, SiteSimulator } from './site.ts';
import { listenHost } from './site.ts';

/** Files of Node programs with arguments that precede the flags; tests put fakes here. */
export type ProcessPrograms = { server: readonly string[]; simulator: readonly string[] };

const pathOf = (file: string) => fileURLToPath(new URL(`../../../${file}`, import.meta.url));
const realPrograms = { server: [pathOf('server/main.ts')], simulator: [pathOf('loadtest/main.ts')] };
/** Where a peer listens: free ports, as our server's. */
const peerAddress = { CHAT_HOST: '127.0.0.1', CHAT_PORT: '0', CHAT_INTERNAL_PORT: '0' };
/** Chosen, not measured: many times the time that a start takes on a busy machine. */
const listenDeadlineMs = 15_000;

/** The simulator of this checkout, and the server of that one. */
export function programsOf(serverRoot?: string): ProcessPrograms {
  if (serverRoot === undefined) return realPrograms;
  return { ...realPrograms, server: [join(serverRoot, 'server/main.ts')] };
}

export class ProcessSite implements Site, AsyncDisposable {
  readonly kind = 'process';
  readonly facts = {};
  readonly #scrapeHost: string;
  readonly #programs: ProcessPrograms;
  readonly #started = new AsyncDisposableStack();
  #simulator: Child | null = null;

  constructor(scrapeHost: string, programs: ProcessPrograms = realPrograms) {
    this.#scrapeHost = scrapeHost;
    this.#programs = programs;
  }

  async startNode(request: NodeRequest): Promise<SiteNode> {
    const { name, role, signal } = request;
    const options = await this.#optionsOf(request);
    const readiness = { name, readLine: readListening, deadlineMs: listenDeadlineMs, signal };
    const { child, ready } = await startChildUntil(options, readiness);
    this.#started.use(child);
    const { port } = new URL(ready.internal);
    return {
      name,
      role,
      chatUrl: ready.chat,
      directUrl: ready.chat,
      internalUrl: `http://127.0.0.1:${port}`,
      scrapeAddress: `${this.#scrapeHost}:${port}`,
      ended: child.ended,
      signal: async (signalName) => child.signal(signalName),
      setQuota: async () => {},
      freeze: async () => child.signalGroup('SIGSTOP'),
      thaw: async () => child.signalGroup('SIGCONT'),
      signalWorker: async (index, signalName) => {
        const pid = childrenOf(child.pid)[index];
        if (pid === undefined) throw new StartError(`${name} has no worker number ${index}.`);
        process.kill(pid, signalName);
      },
      limitDescriptors: (more) => limitDescriptors(child.pid, more),
      sample: async () => {
        // Children share the lab's cgroup: where that has a quota, it holds the node back.
        const cgroup = readCgroup();
        const throttledSeconds = cgroup?.cpuLimitCores === undefined ? null : cgroup.cpuThrottledSecondsTotal;
        const usage = readTreeUsage(child.pid);
        const runDelaySeconds = readRunDelaySeconds(child.pid) ?? undefined;
        const fault = child.howEnded();
        const health = { fault, faultKind: kindOf(fault) };
        return { name, role: 'server', ...usage, throttledSeconds, runDelaySeconds, ...health };
      },
      observeLimits: async () => {
        const cgroup = readCgroup();
        const { cpuLimitCores: cpuCores = null, memoryLimitBytes: memoryBytes = null } = cgroup ?? {};
        return { cpuCores, memoryBytes, cpuPeriodMs: cgroup?.cpuPeriodMs ?? null };
      },
    };
  }

  /** The command of our server, or of that of others, which takes its addresses from its environment. */
  async #optionsOf({ flags, peer, environment, pinnedCpus, signal }: NodeRequest) {
    const internalHost = listenHost(this.#scrapeHost);
    if (peer !== undefined) {
      const runtime = await installPeer(peer, signal);
      const command = commandLine(pinnedCpus, runtime, [pathOf(`experiments/${peer.files[0]}`)]);
      return { ...command, env: { ...process.env, ...peerAddress, CHAT_INTERNAL_HOST: internalHost } };
    }
    const address = ['--host', '127.0.0.1', '--port', '0'];
    const internal = ['--internal-host', internalHost, '--internal-port', '0'];
    const args = [...this.#programs.server, ...flags, ...address, ...internal];
    return {
      ...commandLine(pinnedCpus, process.execPath, args),
      env: { ...process.env, ...environment },
    };
  }

  async startSimulator({ flags, pinnedCpus, metricsPort, onLine }: SimulatorRequest): Promise<SiteSimulator> {
    const host = ['--metrics-host', listenHost(this.#scrapeHost)];
    const metrics = metricsPort === undefined ? [] : ['--metrics-port', String(metricsPort)];
    const args = [...this.#programs.simulator, ...flags, ...metrics, ...host];
    const options = commandLine(pinnedCpus, process.execPath, args);
    const child = this.#started.use(await startChild({ ...options, onLine, takesInput: true }));
    this.#simulator = child;
    return {
      scrapeAddress: metricsPort === undefined ? null : `${this.#scrapeHost}:${metricsPort}`,
      exit: child.exit.then((code) => ({ code, fault: null })),
      write: child.write,
      signal: async (name) => child.signal(name),
      [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    };
  }

  async simulatorUsage(): Promise<PartUsage | null> {
    if (this.#simulator === null || this.#simulator.howEnded() !== null) return null;
    const usage = readTreeUsage(this.#simulator.pid);
    return { name: 'simulator', role: 'simulator', ...usage, throttledSeconds: null };
  }

  async labAddress() {
    return { listenHost: '127.0.0.1', reachedAs: '127.0.0.1' };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#started.disposeAsync();
  }
}

/** The soft limit alone: the hard one stays, so that it can be lifted again. */
async function limitDescriptors(pid: number, more: number | null): Promise<void> {
  const open = openDescriptors(`/proc/${pid}/fd`);
  const hard = /^Max open files +\S+ +(\S+)/m.exec(textOf(`/proc/${pid}/limits`))?.[1] ?? 'unlimited';
  const soft = more === null ? hard : String(open + more);
  await promisify(execFile)('prlimit', ['--pid', String(pid), `--nofile=${soft}:`]);
}

/** A command line, on those CPUs only. */
function commandLine(pinnedCpus: string | undefined, command: string, args: readonly string[]) {
  return pinnedCpus === undefined
    ? { command, args }
    : { command: 'taskset', args: ['--cpu-list', pinnedCpus, command, ...args] };
}

/** Node aborts a process whose heap is full. */
function kindOf(howEnded: string | null): FaultKind | undefined {
  if (howEnded === null) return undefined;
  return howEnded === 'killed by SIGABRT' ? 'memory' : 'exit';
}

/** The addresses in the server's log line `listening`; undefined for any other line. */
function readListening(line: string): { chat: string; internal: string } | undefined {
  return line.includes('"event":"listening"') ? JSON.parse(line) : undefined;
}
