/** What a goal costs on a stage: processes, cores, memory, egress and money, from its cost model. Pure. */
import { isPerCore, isScalable, type StageInfo } from '../deployment/list-stages.ts';
import { type CostModel, frameBytesOf, framesPerWrite, type Sample } from './cost-model.ts';
import type { Goal } from './goal.ts';

/** `prices.json`: money for an hour of a core and of a GiB, and for a GB (10⁹ B) that leaves. */
export type Prices = {
  note: string;
  asOf: string;
  currency: string;
  coreHour: number;
  gibibyteHour: number;
  egressGigabyte: number;
};

/** A goal in rates, per second and all rooms together. */
export type Demand = {
  sessions: number;
  rooms: number;
  roomSize: number;
  messagesPerRoom: number;
  messages: number;
  deliveries: number;
  framesPerWrite: number;
  writes: number;
  payloadBytes: number;
  frameBytes: number;
};

export type StageCost = {
  stage: string;
  model: CostModel;
  demand: Demand;
  /** Nodes, or workers of one machine. Where the goal cannot be met: as many as it can use. */
  processes: number;
  /** Of one process, as the stage bounds them by default; infinite where it does not. */
  sessionsMax: number;
  /** Of the servers, for the demand at the safe share. */
  cores: number;
  /** Of the services beside them, such as Redis. */
  serviceCores: number;
  memoryBytes: number;
  egressBytesPerSecond: number;
  /** Of a month; null where the goal cannot be met. */
  money: { cores: number; memory: number; egress: number; total: number } | null;
  /** Why this stage cannot meet the goal; null where it can. */
  unmet: Unmet | null;
};

/** `one process`: it uses one core at most, or is full. `entry`: reading all messages fills every process. */
export type Unmet =
  | { cause: 'one process'; coresNeeded: number; sessionsMax: number }
  | { cause: 'entry'; coresNeeded: number };

/** A quantity of the goal that lies outside the measured ones. */
export type Extrapolation = { what: string; asked: number; min: number; max: number };

export const hoursPerMonth = 730;
/** Rates that were achieved differ from those offered by less than this share. */
const nearly = 0.01;
export const secondsPerMonth = hoursPerMonth * 3600;

/** The goal on a stage. Whatever it leaves open is as in the trials of the model. */
export function costOf(goal: Goal, stage: StageInfo, model: CostModel, prices: Prices): StageCost {
  const demand = demandOf(goal, model);
  const sessionsMax = stage.limits.sessionsMax ?? Number.POSITIVE_INFINITY;
  const { processes, unmet } = processesFor(demand, stage, model, sessionsMax);
  const cores = coresOf(demand, model, processes) / model.safeShare;
  const serviceCores = model.serviceSeconds * demand.messages * processes;
  const memoryBytes = processes * model.idleBytes + demand.sessions * model.sessionBytes;
  const egressBytesPerSecond = demand.deliveries * demand.frameBytes;
  const figures = { processes, sessionsMax, cores, serviceCores, memoryBytes, egressBytesPerSecond };
  const money = unmet === null ? moneyOf(figures, prices) : null;
  return { stage: stage.name, model, demand, ...figures, money, unmet };
}

/** Cores that the demand takes on so many processes, all together. */
function coresOf(demand: Demand, model: CostModel, processes: number): number {
  return processes * ownCores(demand, model) + sharedCores(demand, model);
}

/** The part that each process has for itself. */
function ownCores({ messages }: Demand, { upCores, entrySeconds }: CostModel): number {
  return upCores + messages * entrySeconds;
}

/** The part that more processes share. */
function sharedCores({ writes, deliveries, frameBytes }: Demand, model: CostModel): number {
  return writes * model.writeSeconds + deliveries * frameBytes * model.byteSeconds;
}

function demandOf(goal: Goal, model: CostModel): Demand {
  const measured = model.samples[0]!;
  const { sessions, roomSize = null } = goal;
  const size = roomSize ?? Math.min(sessions, measured.roomSize);
  const messagesPerRoom = goal.messagesPerSecond * (goal.per === 'session' ? size : 1);
  const rooms = sessions / size;
  const messages = rooms * messagesPerRoom;
  const deliveries = messages * size;
  const frames = framesPerWrite(model, messagesPerRoom);
  const payloadBytes = goal.payloadBytes ?? measured.payloadBytes;
  const frameBytes = goal.payloadBytes === null ? measured.frameBytes : frameBytesOf(payloadBytes);
  const sizes = { sessions, rooms, roomSize: size, payloadBytes, frameBytes };
  return {
    ...sizes,
    ...{ messagesPerRoom, messages, deliveries },
    ...{ framesPerWrite: frames, writes: deliveries / frames },
  };
}

/** The fewest processes that hold the demand at the safe share, each with one core at most. */
function processesFor(
  demand: Demand,
  stage: StageInfo,
  model: CostModel,
  sessionsMax: number,
): { processes: number; unmet: Unmet | null } {
  const forSessions = Math.max(1, Math.ceil(demand.sessions / sessionsMax));
  if (!isPerCore(stage) && !isScalable(stage)) {
    const coresNeeded = coresOf(demand, model, 1) / model.safeShare;
    const isMet = coresNeeded <= 1 && forSessions <= 1;
    return { processes: 1, unmet: isMet ? null : { cause: 'one process', coresNeeded, sessionsMax } };
  }
  const own = ownCores(demand, model);
  const left = model.safeShare - own;
  if (left <= 0) return { processes: forSessions, unmet: { cause: 'entry', coresNeeded: own } };
  // Rounded down by a trifle: 3.0000000001 of them are 3.
  const forCpu = Math.ceil(sharedCores(demand, model) / left - 1e-9);
  return { processes: Math.max(forSessions, forCpu), unmet: null };
}

type Figures = Pick<StageCost, 'cores' | 'serviceCores' | 'memoryBytes' | 'egressBytesPerSecond'>;

function moneyOf(figures: Figures, prices: Prices) {
  const { cores, serviceCores, memoryBytes, egressBytesPerSecond } = figures;
  const money = {
    cores: (cores + serviceCores) * hoursPerMonth * prices.coreHour,
    memory: (memoryBytes / 2 ** 30) * hoursPerMonth * prices.gibibyteHour,
    egress: (egressBytesPerSecond / 1e9) * secondsPerMonth * prices.egressGigabyte,
  };
  return { ...money, total: money.cores + money.memory + money.egress };
}

/** Where the estimate leaves what was measured. */
export function extrapolations({ model, demand, processes }: StageCost): Extrapolation[] {
  const row = (what: string, asked: number, of: (sample: Sample) => number) => {
    const values = model.samples.map(of);
    return { what, asked, min: Math.min(...values), max: Math.max(...values) };
  };
  const { roomSize, messagesPerRoom, payloadBytes, sessions, rooms } = demand;
  const either = [
    row('clients in each room', roomSize, (one) => one.roomSize),
    row('messages/s in each room', messagesPerRoom, (one) => one.messagesPerRoom),
    row('B of payload', payloadBytes, (one) => one.payloadBytes),
  ];
  // Fewer of these than measured cost nothing more.
  const upwards = [
    row('sessions in each process', sessions / processes, (one) => one.sessions / one.processes),
    row('rooms in each process', rooms / processes, (one) => one.rooms / one.processes),
    row('processes', processes, (one) => one.processes),
  ];
  const isAbove = ({ asked, max }: Extrapolation) => asked > max * (1 + nearly);
  const isBelow = ({ asked, min }: Extrapolation) => asked < min * (1 - nearly);
  return [...either.filter((one) => isAbove(one) || isBelow(one)), ...upwards.filter(isAbove)];
}
