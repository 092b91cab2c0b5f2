/** Results for tests, plausible in every field, so that a test names only the fields that it is about. */
import {
  encodeHistogram,
  histogramSlots,
  type LatencySummary,
  slotOf,
} from '../../../loadtest/record/histogram.ts';
import type { LoadtestResult } from '../../../loadtest/result/schema.ts';
import { defaultWorkload } from '../../../loadtest/workload.ts';
import type { CapacityAnswer, LoadRun, LoadRunRecord, TrialRecord, VariantRecord } from './schema.ts';

export function latencyFixture(p99: number): LatencySummary {
  return { count: 1000, mean: p99 / 3, p50: p99 / 4, p90: p99 / 2, p99, p999: p99 * 1.1, max: p99 * 1.2 };
}

/** A histogram of 1,000 values that rise evenly, with the p99 given in ms. */
function histogramFixture(p99: number): string {
  const counts = new Array<number>(histogramSlots).fill(0);
  for (let rank = 1; rank <= 1000; rank++) counts[slotOf(Math.ceil((rank / 990) * p99 * 1000))]! += 1;
  return encodeHistogram(counts);
}

export function loadtestFixture(
  load: number,
  p99: number,
  changes: Partial<LoadtestResult> = {},
): LoadtestResult {
  const zero = latencyFixture(0);
  const seconds = [-1, 0, 1, 2];
  const each = (value: number) => seconds.map(() => value);
  return {
    schemaVersion: 1,
    verdict: 'pass',
    reasons: [],
    workload: {
      ...defaultWorkload,
      ...{ clients: 1000, sendersPerRoom: 1000, ratePerSecond: load, workers: 1 },
      ...{ warmUpSeconds: 1, durationSeconds: 2, drainSeconds: 1 },
    },
    startedAt: '2026-01-02T03:04:05.000Z',
    limits: [{ expression: 'p99<250ms', held: p99 < 250, observed: p99 }],
    audit: { expected: 1000, delivered: 1000, ...noFaults },
    late: 0,
    backlogGrowthMs: 0,
    orderedPairs: 1000,
    recoveredSeconds: 0,
    sent: load * 2,
    offeredPerSecond: load,
    achievedPerSecond: load,
    deliveriesPerSecond: load * 1000,
    deliveryLatencyMs: latencyFixture(p99),
    serviceLatencyMs: latencyFixture(p99),
    scheduleLagMs: zero,
    histograms: { deliveryLatencyUs: histogramFixture(p99), serviceLatencyUs: '', scheduleLagUs: '' },
    connections: {
      asked: 1000,
      opened: 1000,
      recipients: 1000,
      refused: {},
      closedEarly: {},
      silent: 0,
      connectMs: zero,
    },
    unsent: { closed: 0, blocked: 0, absent: 0 },
    stalled: { opened: 0, closed: 0, closedAfterMs: [] },
    misroutedOfOtherRuns: 0,
    churn: { asked: 0, opened: 0, refused: {}, connectMs: zero },
    interrupted: false,
    instrument: {
      cpuSeconds: 0.8,
      workerUtilizationMax: 0.4,
      eventLoopLagMsMax: 1,
      turnMs: zero,
      loopUtilizationMax: 0.4,
      saturatedShare: 0,
      throttledSeconds: 0,
      rssBytes: 9e7,
      rssBytesPerClient: 5000,
    },
    series: {
      atSeconds: seconds,
      sentPerSecond: each(load),
      deliveriesPerSecond: each(load * 1000),
      deliveryLatencyMsP50: each(p99 / 4),
      deliveryLatencyMsP99: each(p99),
      deliveryLatencyMsMax: each(p99 * 1.2),
      scheduleLagMsP99: each(0),
      instrumentCpuCores: each(0.4),
      sessionsOpen: each(1000),
    },
    environment: environmentFixture,
    ...changes,
  };
}

const noFaults = { lost: 0, duplicated: 0, reordered: 0, misrouted: 0, corrupted: 0 };

const environmentFixture: LoadtestResult['environment'] = {
  node: 'v24.0.0',
  platform: 'linux 6.0 x64',
  cpuModel: 'Test CPU',
  cpus: 4,
  memoryBytes: 8 * 2 ** 30,
  cgroupCpuCores: null,
  cgroupMemoryBytes: null,
  gitCommit: '0123456789abcdef',
  gitDirty: false,
};

const answered = { sent: 4, answered: 4, failed: 0, bytes: 9000 };

/** A trial that passed; `changes` replace its fields. */
export function trialFixture(
  number: number,
  load: number,
  p99: number,
  changes: Partial<TrialRecord> = {},
): TrialRecord {
  const loadtest = changes.loadtest === undefined ? loadtestFixture(load, p99) : changes.loadtest;
  return {
    number,
    variant: '01-naive',
    stage: '01-naive',
    load,
    purpose: 'search',
    outcome: 'pass',
    reasons: [],
    seed: number,
    startedAt: '2026-01-02T03:04:05.000Z',
    phases: [
      { phase: 'start', atSeconds: -2 },
      { phase: 'measure', atSeconds: 0 },
      { phase: 'drain', atSeconds: 2 },
    ],
    observedLimits: [{ cpuCores: null, memoryBytes: null }],
    facts: {},
    fault: null,
    server: {
      cpuCores: 0.5,
      serviceCpuCores: 0,
      otherCpuCores: 0.01,
      processes: 1,
      eventLoops: 1,
      rssIdleBytes: 5e7,
      rssMaxBytes: 8e7,
      throttledShare: null,
      eventLoopLagMsP99: 12,
      scrapeMsMax: 5,
      scrapeCpuMs: 1.5,
      evictions: 0,
    },
    probes: [{ ...answered, path: '/metrics', answerMs: { mean: 4, p50: 4, p99: 6, max: 6 } }],
    nodes: [
      {
        name: 'node-1',
        role: 'server',
        atSeconds: [-1, 0, 1, 2],
        cpuCores: [0.1, 0.5, 0.5, 0.2],
        rssBytes: [5e7, 8e7, 8e7, 8e7],
        throttledShare: [null, null, null, null],
      },
    ],
    metrics: [
      {
        name: 'node-1',
        atSeconds: [0, 1, 2],
        scrapeMs: [3, 5, 4],
        eventLoopLagMsP99: [11, 12, 11],
        heapUsedBytes: [2e7, 2e7, 2e7],
        sessions: [1000, 1000, 1000],
        evictions: [0, 0, 0],
      },
    ],
    ...changes,
    loadtest,
  };
}

/** A precise answer around a capacity; null: no trial passed. */
export function answerFixture(
  capacity: number | null,
  end: CapacityAnswer['end'] = 'precise',
): CapacityAnswer {
  const around = (middle: number) => ({ low: middle / 1.1, middle, high: middle * 1.1 });
  const threshold =
    capacity === null ? null : { capacity: around(capacity), safeLoad: around(0.9 * capacity), slope: 0.05 };
  return { end, threshold, atLeast: null, trials: 6, voids: 0 };
}

export function variantFixture(name: string, changes: Partial<VariantRecord> = {}): VariantRecord {
  return {
    name,
    stage: name,
    summary: `the change of ${name}`,
    settings: {},
    nodes: 1,
    targetLimits: {},
    answer: null,
    bound: null,
    error: null,
    ...changes,
  };
}

/** A finished capacity run of the variants and trials given. */
export function runFixture(
  variants: VariantRecord[],
  trials: TrialRecord[],
  changes: Partial<LoadRunRecord> = {},
): LoadRun {
  const method = {
    kind: 'capacity',
    start: 100,
    loadMin: 1,
    loadMax: 1e5,
    precision: 0.15,
    trialsMax: 20,
  } as const;
  return {
    trials,
    record: {
      schemaVersion: 2,
      shape: 'capacity',
      run: '2026-01-02T03-04-05-001-ladder',
      experiment: '001-ladder',
      question: 'How much?',
      varied: { quantity: 'offered messages', unit: 'messages/s' },
      method,
      limits: ['p99<250ms', 'lost=0'],
      timing: { warmUpSeconds: 1, measureSeconds: 2, drainSeconds: 1 },
      workload: { clients: 1000, ratePerSecond: 1, payloadBytes: 128 },
      notes: ['A note.'],
      target: 'process',
      simulator: 'process',
      seed: 1,
      startedAt: '2026-01-02T03:04:05.000Z',
      seconds: 60,
      interrupted: false,
      environment: environmentFixture,
      variants,
      skipped: [],
      ...changes,
    },
  };
}

/** A trial at a share of a capacity, as the latency against load is made of. */
export function curveFixture(
  number: number,
  at: { variant: string; capacity: number; share: number; arrival: 'constant' | 'poisson' },
  p99: number,
): TrialRecord {
  const { variant, capacity, share, arrival } = at;
  const load = share * capacity;
  const constant = loadtestFixture(load, p99);
  const deliveryLatencyMs = { ...constant.deliveryLatencyMs, p50: Math.min(p99 / 4, 300) };
  const loadtest = { ...constant, deliveryLatencyMs, workload: { ...constant.workload, arrival } };
  const outcome = p99 < 250 ? 'pass' : 'fail';
  return trialFixture(number, load, p99, {
    ...{ variant, stage: variant, purpose: 'curve', share, loadtest, outcome },
  });
}

/** A trial in which the server was frozen for 300 ms; null: it never recovered. */
export function freezeFixture(
  number: number,
  at: { variant: string; capacity: number; share: number },
  recoveredSeconds: number | null,
): TrialRecord {
  const { variant, capacity, share } = at;
  const freeze = { atSeconds: 3, seconds: 0.3, recoveredSeconds };
  return trialFixture(number, share * capacity, 320, {
    ...{ variant, stage: variant, purpose: 'freeze', share, freeze, outcome: 'fail' },
  });
}
