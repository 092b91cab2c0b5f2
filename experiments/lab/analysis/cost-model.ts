/**
 * The CPU that a stage's messages cost, from its trials:
 *
 *     CPU = processes × (up + messages/s × entry) + writes/s × write + bytes/s × byte
 *
 * A process costs something for being up: its timers and its metrics. It reads every message (entry). A write
 * to a socket costs nearly the same whether it carries one frame or a hundred, so that deliveries alone say
 * little: in a busy room many frames share a write, in a quiet one none do. Pure.
 */
import type { LoadRun, TrialRecord } from '../records/schema.ts';
import { type CapacityFinding, capacityFindings } from './finding.ts';
import { fitLogarithms } from './least-squares.ts';
import { scalingFindings } from './scaling-law.ts';

/** One passing trial, as the model sees it. Rates are per second. */
export type Sample = {
  run: string;
  /** Processes that read every message: nodes, or workers. */
  processes: number;
  /** Of the servers, in cores. */
  cpuCores: number;
  serviceCpuCores: number;
  messages: number;
  deliveries: number;
  /** Null where the result does not hold it. */
  writes: number | null;
  frameBytes: number;
  payloadBytes: number;
  sessions: number;
  rooms: number;
  roomSize: number;
  messagesPerRoom: number;
  /** Whether most of its CPU is of messages. */
  isBusy: boolean;
};

export type CostModel = {
  /** Of those of its trials that it is fitted to. */
  samples: readonly Sample[];
  /** Cores of one process for being up; 0 where the trials cannot tell it. */
  upCores: number;
  /** CPU seconds of one process to read one message. */
  entrySeconds: number;
  /** CPU seconds of one write to a socket; of one delivery where writes are not known. */
  writeSeconds: number;
  byteSeconds: number;
  /** Of the services (Redis), in CPU seconds for each message and process. */
  serviceSeconds: number;
  /** Whether the results hold the number of writes. If not, each delivery is taken as one. */
  writesKnown: boolean;
  /** Costs that the trials cannot tell apart from the others, and that are 0 here. */
  inseparable: ('entry' | 'byte')[];
  /** Share of its cores that a stage uses at its safe load: the lowest of its variants. */
  safeShare: number;
  safeLoad: { load: number; unit: string; variant: string; isBound: boolean };
  /** The number of processes beyond which its scaling law predicts less capacity; null without a law. */
  peak: number | null;
  /** Memory of one process without sessions, and what each session adds. */
  idleBytes: number;
  sessionBytes: number;
};

/** A trial below this share of its cores is mostly the cost of being up. Chosen, not measured. */
const busyShare = 0.1;
/** Costs are told apart where the ratio of what they count spans this factor. Chosen, not measured. */
const separableSpan = 2;

/**
 * The model of a stage, without its variants behind a load balancer; null where no trial of it passed. All
 * runs must be capacity runs.
 */
export function costModelOf(runs: readonly LoadRun[], stage: string): CostModel | null {
  const findings = runs.flatMap((run) => {
    const ofStage = capacityFindings(run).filter(
      ({ variant }) => variant.stage === stage && !variant.balancer,
    );
    return ofStage.map((finding) => ({ ...finding, run }));
  });
  const trials = runs.flatMap((run) => {
    const variants = run.record.variants.filter((variant) => variant.stage === stage && !variant.balancer);
    const names = variants.map(({ name }) => name);
    const passed = run.trials.filter((trial) => names.includes(trial.variant) && isSteady(trial));
    return passed.flatMap((trial) => sampleOf(run.record.run, trial) ?? []);
  });
  const safe = findings.flatMap((finding) => safeOf(finding) ?? []);
  const lowest = safe.toSorted((a, b) => a.share - b.share)[0];
  if (trials.length === 0 || lowest === undefined) return null;
  const counted = trials.filter(({ writes }) => writes !== null);
  // Without the number of writes: the quietest room, where a write carries the fewest frames.
  const busy = trials.filter(({ isBusy }) => isBusy);
  const quietest = (busy.length > 0 ? busy : trials)
    .toSorted((a, b) => a.messagesPerRoom - b.messagesPerRoom)
    .slice(0, 1);
  const samples = counted.length > 0 ? counted : quietest;
  const memory = findings.flatMap((finding) => memoryOf(finding) ?? []);
  const { share: safeShare, ...safeLoad } = lowest;
  const peaks = runs.flatMap((run) => {
    const ofStage = scalingFindings(run).filter(({ points: [first] }) => {
      return first!.variant.stage === stage && !first!.variant.balancer;
    });
    return ofStage.flatMap(({ law }) => law?.peak.middle ?? []);
  });
  return {
    ...fit(samples),
    samples,
    serviceSeconds: Math.max(...samples.map((one) => one.serviceCpuCores / one.messages / one.processes)),
    writesKnown: counted.length > 0,
    safeShare: Math.min(1, safeShare),
    safeLoad,
    peak: peaks.length === 0 ? null : Math.max(...peaks),
    idleBytes: Math.max(0, ...memory.map(({ idleBytes }) => idleBytes)),
    sessionBytes: Math.max(0, ...memory.map(({ sessionBytes }) => sessionBytes)),
  };
}

/** Frames per write at that rate in each room: of the busiest room measured up to it; 1 below all of them. */
export function framesPerWrite({ samples, writesKnown }: CostModel, messagesPerRoom: number): number {
  if (!writesKnown) return 1;
  const upTo = samples.filter((one) => one.messagesPerRoom <= messagesPerRoom);
  const [busiest] = upTo.toSorted((a, b) => b.messagesPerRoom - a.messagesPerRoom);
  return busiest === undefined ? 1 : Math.max(1, busiest.deliveries / busiest.writes!);
}

/** Bytes of a server's frame with a payload: its header is 2, 4 or 10 bytes (RFC 6455, section 5.2). */
export function frameBytesOf(payloadBytes: number): number {
  return payloadBytes + (payloadBytes < 126 ? 2 : payloadBytes < 65_536 ? 4 : 10);
}

function fit(samples: readonly Sample[]) {
  const writes = samples.map((one) => one.writes ?? one.deliveries);
  const entries = samples.map((one) => one.processes * one.messages);
  const bytes = samples.map((one) => one.deliveries * one.frameBytes);
  const isEntryKnown = spans(entries, writes);
  const isByteKnown = spans(bytes, writes) && spans(bytes, entries);
  const up = samples.map(({ processes }) => processes);
  // It is the smallest of the four: with as many trials as costs, it would only take up their noise.
  const isUpKnown = samples.length > 1 + Number(isEntryKnown) + Number(isByteKnown) && spans(writes, up);
  const columns = {
    writeSeconds: writes,
    ...(isEntryKnown && { entrySeconds: entries }),
    ...(isByteKnown && { byteSeconds: bytes }),
    ...(isUpKnown && { upCores: up }),
  };
  const fitted = fitLogarithms(
    samples.map(({ cpuCores }, index) => ({
      terms: Object.values(columns).map((column) => column[index]!),
      value: cpuCores,
    })),
  );
  const costs = Object.fromEntries(Object.keys(columns).map((name, index) => [name, fitted[index]!]));
  const inseparable: CostModel['inseparable'] = [];
  if (!isEntryKnown) inseparable.push('entry');
  if (!isByteKnown) inseparable.push('byte');
  return { writeSeconds: 0, entrySeconds: 0, byteSeconds: 0, upCores: 0, ...costs, inseparable };
}

function spans(a: readonly number[], b: readonly number[]): boolean {
  const ratios = a.map((value, index) => value / b[index]!);
  return Math.max(...ratios) >= separableSpan * Math.min(...ratios);
}

function sampleOf(run: string, trial: TrialRecord): Sample | null {
  const { server, loadtest } = trial;
  if (server === null || loadtest === null || loadtest.achievedPerSecond === 0) return null;
  const { clients, rooms, payloadBytes } = loadtest.workload;
  const messages = loadtest.achievedPerSecond;
  const { messagesPerWrite, bytesPerWrite } = server;
  const isCounted = messagesPerWrite && bytesPerWrite;
  return {
    run,
    processes: processesOf(trial),
    cpuCores: server.cpuCores,
    serviceCpuCores: server.serviceCpuCores,
    messages,
    deliveries: loadtest.deliveriesPerSecond,
    writes: isCounted ? loadtest.deliveriesPerSecond / messagesPerWrite : null,
    frameBytes: isCounted ? bytesPerWrite / messagesPerWrite : frameBytesOf(payloadBytes),
    payloadBytes,
    sessions: clients,
    rooms,
    roomSize: clients / rooms,
    messagesPerRoom: messages / rooms,
    isBusy: server.cpuCores >= busyShare * coresOf(trial),
  };
}

/** Share of its cores at the safe load, or at the load that is held at the least; null without a trial. */
function safeOf(finding: CapacityFinding & { run: LoadRun }) {
  const { run, variant, threshold, atLeast } = finding;
  if (threshold === null) return null;
  const load = atLeast ?? threshold.safeLoad.middle;
  const passed = run.trials.filter((trial) => trial.variant === variant.name && isSteady(trial));
  const known = passed.filter(({ server, load: tried }) => (server?.cpuCores ?? 0) > 0 && tried > 0);
  const distance = (trial: TrialRecord) => Math.abs(Math.log(trial.load / load));
  const [nearest] = known.toSorted((a, b) => distance(a) - distance(b));
  if (nearest === undefined) return null;
  const share = (nearest.server!.cpuCores * (load / nearest.load)) / coresOf(nearest);
  const { unit } = run.record.varied;
  return { share, load, unit, variant: variant.name, isBound: atLeast !== null };
}

function memoryOf({ server, typical, rssBytesPerSession }: CapacityFinding) {
  if (server === null || typical === null || rssBytesPerSession === null) return null;
  return { idleBytes: server.rssIdleBytes / processesOf(typical), sessionBytes: rssBytesPerSession };
}

/** A pass of a server that is warm and was not frozen. */
function isSteady({ outcome, purpose }: TrialRecord): boolean {
  return outcome === 'pass' && purpose !== 'warm-up' && purpose !== 'freeze';
}

/** Event loops: each is a process or a worker, and reads every message. */
function processesOf({ server, nodes }: TrialRecord): number {
  const servers = nodes.filter(({ role }) => role === 'server').length;
  return Math.max(1, server?.eventLoops ?? server?.processes ?? servers);
}

/** Cores that its event loops can use, under quotas and pins. */
function coresOf(trial: TrialRecord): number {
  const quotas = trial.observedLimits.map(({ cpuCores }) => cpuCores);
  const quota = quotas.includes(null)
    ? Number.POSITIVE_INFINITY
    : quotas.reduce((sum, one) => sum! + one!, 0)!;
  return Math.min(processesOf(trial), trial.pinnedServerCores ?? Number.POSITIVE_INFINITY, quota);
}

/** Whether a run can answer what a goal costs. */
export function isCapacityRun(run: { record: { shape: string } }): run is LoadRun {
  return run.record.shape === 'capacity' && (run as LoadRun).record.method.kind === 'capacity';
}
