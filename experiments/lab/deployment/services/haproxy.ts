/**
 * A load balancer in front of the nodes: HAProxy with the committed haproxy/haproxy.cfg, as the compose file
 * runs it. Beside containers it is a container; beside processes it is the program on PATH.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startChildUntil } from '#host/child-process.ts';
import { freePorts } from '#host/free-ports.ts';
import { readTreeUsage } from '#host/process-tree.ts';
import { type BalancedNode, configOf } from './haproxy-config.ts';
import type { DeployedBalancer, NodeSample, ServiceFinder, ServiceRequest } from './service.ts';

const image = process.env.HAPROXY_IMAGE ?? 'haproxy:3.2';
const committed = new URL('../../../../haproxy/haproxy.cfg', import.meta.url);
/** In the directory that the image reads. */
const containerConfig = '/usr/local/etc/haproxy/haproxy.cfg';
const readyText = 'Loading success';
/** Chosen, not measured: a start takes a fraction of a second. */
const startDeadlineMs = 10_000;

export const haproxyFinder: ServiceFinder = {
  name: 'haproxy',
  find: async (target = 'process') => {
    if (target === 'container') return { found: true, source: `container ${image}` };
    const onPath = await promisify(execFile)('haproxy', ['-v']).then(
      () => true,
      () => false,
    );
    if (onPath) return { found: true, source: 'haproxy on PATH' };
    const ways = [
      'Install haproxy (on Debian: apt-get install haproxy).',
      `Or start a container engine and choose --target container; the lab then runs ${image}.`,
    ];
    return { found: false, ways };
  },
};

export type BalancerRequest = ServiceRequest & {
  nodes: readonly BalancedNode[];
  /** At which address of this machine /metrics listens where it is a process. */
  metricsHost: string;
};

/** A started balancer; disposing it stops it. */
export type RunningBalancer = DeployedBalancer &
  AsyncDisposable & {
    /** Port of this machine at which /metrics answers. */
    metricsPort: number;
    /** Version and source. */
    fact: string;
    sample(): Promise<NodeSample>;
  };

/** Resolves once it listens; rejects with a `StartError`. Every node counts as ready until a check fails. */
export async function startBalancer(request: BalancerRequest): Promise<RunningBalancer> {
  const inContainers = request.target === 'container';
  const [chatPort, metricsPort] = await (inContainers
    ? (await request.containers()).takePorts(2)
    : freePorts(2));
  const ports = { chat: chatPort!, observatory: metricsPort! };
  const start = inContainers ? startContainer : startProcess;
  await using started = new AsyncDisposableStack();
  const program = started.use(await start(request, ports));
  const url = `ws://127.0.0.1:${ports.chat}/ws`;
  const fact = `HAProxy ${await versionAt(ports.observatory)} (${program.source})`;
  const owned = started.move();
  return {
    name: 'haproxy',
    url,
    metricsPort: ports.observatory,
    fact,
    sample: program.sample,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

type Ports = { chat: number; observatory: number };

async function startContainer({ nodes, containers, signal }: BalancerRequest, { chat, observatory }: Ports) {
  const site = await containers();
  const binds = { chat: `:${chat}`, observatory: `:${observatory}` };
  const content = configOf(readFileSync(committed, 'utf8'), nodes, binds);
  const container = await site.startService({
    name: 'haproxy',
    image,
    command: commandLine(containerConfig),
    files: [{ target: containerConfig, content }],
    ports: [chat, observatory],
    readyText,
    signal,
  });
  return {
    source: `container ${image}`,
    sample: () => container.sample('haproxy', 'proxy'),
    [Symbol.asyncDispose]: () => container[Symbol.asyncDispose](),
  };
}

async function startProcess({ nodes, metricsHost, launcher, signal }: BalancerRequest, ports: Ports) {
  await using started = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'chat-haproxy-'));
  started.defer(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'haproxy.cfg');
  const binds = { chat: `127.0.0.1:${ports.chat}`, observatory: `${metricsHost}:${ports.observatory}` };
  writeFileSync(path, configOf(readFileSync(committed, 'utf8'), nodes, binds));
  const [command, ...args] = [...launcher, ...commandLine(path)];
  const readLine = (line: string) => line.includes(readyText) || undefined;
  const readiness = { name: 'HAProxy', readLine, deadlineMs: startDeadlineMs, signal };
  const { child } = await startChildUntil({ command: command!, args }, readiness);
  started.use(child);
  const owned = started.move();
  return {
    source: 'haproxy on PATH',
    sample: async (): Promise<NodeSample> => {
      const usage = readTreeUsage(child.pid);
      const fault = child.howEnded();
      return { name: 'haproxy', role: 'proxy', ...usage, throttledSeconds: null, fault };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A master that says when it is ready, and its worker, both in the foreground. */
function commandLine(configPath: string): string[] {
  return ['haproxy', '-W', '-db', '-f', configPath];
}

/** As its own metrics say. */
async function versionAt(port: number): Promise<string> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return /^haproxy_process_build_info\{version="([^"]+)"/m.exec(text)?.[1] ?? 'of unknown version';
}
