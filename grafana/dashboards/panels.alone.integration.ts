import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { WebSocket } from 'ws';
import { freePorts } from '#host/free-ports.ts';
import { instrumentCores } from '../../experiments/lab/analysis/cpu.ts';
import { findEngine } from '../../experiments/lab/deployment/container-engine.ts';
import type { Deployment } from '../../experiments/lab/deployment/deployment.ts';
import { listStages } from '../../experiments/lab/deployment/list-stages.ts';
import { startDeployment } from '../../experiments/lab/deployment/start.ts';
import { TrialSession } from '../../experiments/lab/trial/session.ts';
import type { TrialRequest } from '../../experiments/lab/trial/trial.ts';
import { startPhaseMetrics } from '../../experiments/lab/watch/phase-metrics.fixture.ts';
import type { PhaseMetrics } from '../../experiments/lab/watch/phase-metrics.ts';
import { findPrometheus, startPrometheus } from '../../testing/prometheus.ts';
import { dashboards } from './generate.ts';

/** Means of scrapes against exact counts: rates over 5 s blur the ends of the phase. Chosen, not measured. */
const tolerance = 0.05;
const stage = '03-cursor';
const clients = 50;
const measureSeconds = 12;
/** Prometheus finds the simulator after up to 2 s, and its rates then need their window of 5 s. */
const settledSeconds = 8;

const engine = await findEngine();
const source = await findPrometheus();
const skip = !engine.found
  ? `throttling and memory limits need a container engine: ${engine.why}`
  : source === null && 'neither prometheus on PATH nor its image in the container engine';
const { signal } = new AbortController();

test('every panel has data of a real trial, and agrees with the result of the trial', { skip }, async () => {
  await using observatory = await startObservatory();
  const { trial, others } = await runObservedTrial(observatory.metrics);
  await others;
  assert.equal(trial.fault, null);
  assert.notEqual(trial.loadtest, null, trial.reasons.join(' '));
  const [startedAtSeconds, endedAtSeconds] = [Date.parse(trial.startedAt) / 1000, Date.now() / 1000];
  const { range, instant } = queries(observatory.url);

  const empty: string[] = [];
  for (const [file, dashboard] of Object.entries(dashboards))
    for (const panel of dashboard.panels!.filter(({ type }) => type !== 'row'))
      for (const target of (panel as Panel).targets as unknown as { expr: string; instant?: boolean }[]) {
        const expr = target.expr
          .replaceAll(/\$(left|right|stage|variant)\b/g, stage)
          .replaceAll(/\$(node|run)\b/g, '.*')
          .replaceAll('$__range', `${Math.ceil(endedAtSeconds - startedAtSeconds)}s`);
        const values = target.instant
          ? await instant(expr, endedAtSeconds)
          : await range(expr, startedAtSeconds, endedAtSeconds);
        if (!values.some(Number.isFinite))
          empty.push(`${file}, ${(panel as { title: string }).title}: ${expr}`);
      }
  assert.deepEqual(empty, []);

  const measuredFrom = startedAtSeconds + secondsUntil(trial, 'measure');
  const measuredTo = measuredFrom + measureSeconds - 1;
  const measured = async (expr: string) => {
    const values = await range(expr, measuredFrom + settledSeconds, measuredTo);
    assert.ok(values.length > 0, `${expr} has no data while the trial measured`);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  const result = trial.loadtest!;
  const labels = `{stage="${stage}"}`;
  close(await measured(`stage:loadtest_messages_sent:rate5s${labels}`), result.achievedPerSecond);
  close(await measured(`stage:loadtest_deliveries:rate5s${labels}`), result.deliveriesPerSecond);
  close(await measured(`stage:chat_deliveries:rate5s${labels}`), result.deliveriesPerSecond);
  close(await measured(`stage:chat_fan_out_factor:ratio_rate5s${labels}`), clients);
  closeCores(await measured(`stage:process_cpu_cores:rate5s${labels}`), trial.server!.cpuCores);
  assert.equal(await measured(`stage:loadtest_sessions:sum${labels}`), clients);
  assert.equal(await measured(`stage:chat_cgroup_cpu_limit_cores:sum${labels}`), 0.5);
  const p99Ms = 1000 * (await measured(`stage:loadtest_delivery_latency_seconds:p99_rate5s${labels}`));
  const p99MsOfResult = result.deliveryLatencyMs.p99;
  assert.ok(sameBucket(p99Ms, p99MsOfResult), `${p99Ms} ms, ${p99MsOfResult} ms`);
  assert.deepEqual(await instant('sum(loadtest_audit_total)', measuredTo), [0]);
  const cpuCores = (node: string) =>
    measured(`stage_node:experiment_container_cpu_cores:rate5s{stage="${stage}", node="${node}"}`);
  closeCores(await cpuCores('node-1'), trial.server!.cpuCores);
  closeCores(await cpuCores('simulator'), instrumentCores(result));
  closeCores(await cpuCores('haproxy'), trial.server!.serviceCpuCores);
  const held = `stage_node:experiment_container_throttled:rate5s{stage="${stage}", node="node-1"}`;
  assert.ok(Math.abs((await measured(held)) - trial.server!.throttledShare!) < 0.05);
  assert.equal(await measured('sum(haproxy_server_current_sessions{server="node-1"})'), clients);
});

/** Prometheus with the configuration of the project; its only targets are those of the lab's target file. */
async function startObservatory() {
  const directory = mkdtempSync(join(tmpdir(), 'chat-observatory-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o755);
  const prometheusFolder = fileURLToPath(new URL('../../prometheus/', import.meta.url));
  cpSync(join(prometheusFolder, 'rules'), join(directory, 'rules'), { recursive: true });
  mkdirSync(join(directory, 'targets'));
  const config = readFileSync(join(prometheusFolder, 'prometheus.yml'), 'utf8');
  // Without the ports that the compose file publishes: a stack that runs on this machine must not be seen.
  const withoutPorts = config.slice(0, config.indexOf('  # What docker-compose'));
  writeFileSync(join(directory, 'prometheus.yml'), withoutPorts);
  const metrics = stack.use(await startPhaseMetrics(join(directory, 'targets', 'lab.json')));
  const cadvisor = stack.use(await startCadvisor());
  const targets = [{ targets: [cadvisor.address], labels: { job: 'cadvisor' } }];
  writeFileSync(join(directory, 'targets', 'cadvisor.json'), JSON.stringify(targets));
  const [prometheusPort] = await freePorts(1);
  const prometheus = stack.use(await startPrometheus(source!, directory, prometheusPort!));
  const owned = stack.move();
  return { url: prometheus.url, metrics, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Answers in the place of cAdvisor: two lines of each metric as its documentation names them. */
async function startCadvisor() {
  const containers = ['id="/docker/abc",image="haproxy:3.2",name="chat-haproxy"', 'id="/",image="",name=""'];
  const exported = (seconds: number) =>
    containers.flatMap((labels) => [
      `container_cpu_usage_seconds_total{cpu="total",${labels}} ${0.5 * seconds}`,
      `container_memory_working_set_bytes{${labels}} 1e+06`,
      `container_cpu_cfs_throttled_seconds_total{${labels}} ${0.1 * seconds}`,
    ]);
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(`${exported(performance.now() / 1000).join('\n')}\n`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { address: `127.0.0.1:${port}`, [Symbol.dispose]: close };
}

/** One trial as the lab runs it, while clients in another room are refused, evicted and closed. */
async function runObservedTrial(metrics: PhaseMetrics) {
  const setup = {
    name: stage,
    stage: (await listStages()).find(({ name }) => name === stage)!,
    settings: { 'heartbeat-interval': '1s' },
    nodes: 1,
    balancer: true,
    allocation: { serverCpus: 0.5, serverMemoryMb: 256 },
  };
  const request: TrialRequest = {
    number: 1,
    variant: stage,
    stage,
    about: '40 messages/s',
    load: 40,
    purpose: 'fixed',
    seed: 1,
    workload: { clients, ratePerSecond: 40, payloadBytes: 128 },
    timing: { warmUpSeconds: 2, measureSeconds, drainSeconds: 1 },
    limits: ['p99<30s'],
  };
  let others: Promise<void> | undefined;
  const sites = { target: 'container', simulator: 'container' } as const;
  await using session = new TrialSession(setup, {
    deploy: (asked) => startDeployment(sites, { ...asked, scrapeHost: '127.0.0.1', signal }),
    simulatorMetricsPort: 9464,
    signal,
    observer: {
      phase: (phase, of) => metrics.phase(phase, of),
      second: () => {},
      started: (target, address) => {
        metrics.started(target, address);
        others ??= misbehave(target);
      },
    },
  });
  const trial = await session.run(request);
  return { trial, others };
}

/** Each fault twice with a pause between: a counter that changes only before its first scrape has no rate. */
async function misbehave(target: Deployment): Promise<void> {
  const room = new URL('/ws/aside', target.nodes[0]!.chatUrl);
  for (let round = 0; round < 2; round++) {
    const lost = new WebSocket(new URL('/nowhere', room));
    const rude = new WebSocket(room).on('open', () => rude.send('not JSON'));
    const dead = new WebSocket(room, { autoPong: false });
    await Promise.all([lost, rude, dead].map(closed));
    await sleep(1500);
  }
}

function closed(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => socket.on('error', () => {}).on('close', () => resolve()));
}

function secondsUntil(trial: { phases: { phase: string; atSeconds: number }[] }, phase: string): number {
  return trial.phases.find((mark) => mark.phase === phase)!.atSeconds - trial.phases[0]!.atSeconds;
}

/** PromQL over HTTP; an answer is the values of all series. */
function queries(url: string) {
  const ask = async (path: string, parameters: Record<string, string>) => {
    const search = new URLSearchParams(parameters);
    const answer = (await (await fetch(`${url}/api/v1/${path}?${search}`)).json()) as {
      status: string;
      error?: string;
      data: { result: { value?: [number, string]; values?: [number, string][] }[] };
    };
    assert.equal(answer.status, 'success', `${parameters.query}: ${answer.error}`);
    return answer.data.result.flatMap((series) =>
      (series.values ?? [series.value!]).map(([, value]) => Number(value)),
    );
  };
  const range = (query: string, start: number, end: number) =>
    ask('query_range', { query, start: String(start), end: String(end), step: '1' });
  const instant = (query: string, time: number) => ask('query', { query, time: String(time) });
  return { range, instant };
}

function close(observed: number, expected: number, within = tolerance): void {
  const off = Math.abs(observed - expected) / expected;
  const offPercent = (100 * off).toFixed(1);
  assert.ok(off <= within, `Prometheus says ${observed}, the result ${expected}: ${offPercent} % off`);
}

/**
 * CPU: a rate over 5 s begins before what the result counts, when a process that has just begun uses more.
 * So a few hundredths of a core are no difference.
 */
function closeCores(observed: number, expected: number): void {
  close(observed, expected, Math.max(0.25, 0.03 / expected));
}

/** A quantile of a histogram is exact to the width of a bucket. */
function sameBucket(oneMs: number, otherMs: number): boolean {
  const bounds = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000];
  const bucket = (ms: number) => bounds.findIndex((bound) => ms <= bound);
  return Math.abs(bucket(oneMs) - bucket(otherMs)) <= 1;
}
