/** Whether a run fits this machine, before the first connection: files, ports, memory, and how many workers it takes. Pure. */

import { visitorsMax } from '../model/assignment.ts';

export type MachineLimits = {
  /** Files that one process may open, or null where unknown. */
  filesMax: number | null;
  /** Local ports of one source address towards one destination, or null where unknown. */
  portsPerAddress: number | null;
  /** Memory that the simulator may take for its audit. */
  auditBytesMax: number;
  /** What the workers may fill, see `coresToFill`. */
  cores: number;
};

export type Demand = {
  clients: number;
  rooms: number;
  stalledReaders: number;
  churnPerSecond: number;
  urls: number;
  sourceAddresses: number;
  ratePerSecond: number;
  seconds: number;
  workers: number | undefined;
};

/** Files that a worker needs beside its sockets: standard streams, IPC, epoll, code; chosen with room to spare. */
const filesReserved = 64;
/** What one worker takes in with ease; half of what it took against 03-cursor on two cores. */
const deliveriesPerWorker = 5_000_000;
/** What one worker says with ease; less than half of what it said to 100 rooms of 10 (experiments/007-nodes). */
const messagesPerWorker = 30_000;

/**
 * Cores that the workers may fill. Who was given a part of the machine (by CPU affinity or a container's limit) has it to
 * himself; on a whole machine half is left to what else runs there, the server under test perhaps.
 */
export function coresToFill(available: number, machine: number): number {
  return available < machine ? available : Math.floor(available / 2);
}

/** The number of workers, or why the run cannot fit: the arithmetic, and what would help. */
export function planWorkers(demand: Demand, limits: MachineLimits): { workers: number; problems: string[] } {
  const problems: string[] = [];
  const connections = demand.clients + demand.stalledReaders + visitorsMax(demand.churnPerSecond);
  const perProcess = (limits.filesMax ?? 1024) - filesReserved;
  const bySockets = Math.ceil(connections / perProcess);
  const deliveriesPerSecond = (demand.ratePerSecond * demand.clients) / demand.rooms;
  const work = Math.max(deliveriesPerSecond / deliveriesPerWorker, demand.ratePerSecond / messagesPerWorker);
  const byLoad = Math.min(Math.ceil(work), limits.cores);
  const workers = demand.workers ?? Math.max(1, bySockets, byLoad);
  if (workers < bySockets)
    problems.push(
      `${connections} connections need ${bySockets} workers: a process may open ${limits.filesMax} files, ${perProcess} of them sockets; raise --workers (given: ${workers}) or ulimit -n`,
    );
  if (workers > demand.clients)
    problems.push(`--workers must be at most --clients (${demand.clients}); given: ${workers}`);
  problems.push(...checkPorts(connections, demand, limits.portsPerAddress));
  const audit = auditBytes(demand);
  if (audit > limits.auditBytesMax)
    problems.push(
      `the audit keeps one bit per message and recipient: ${demand.ratePerSecond}/s × ${demand.seconds} s × ${demand.clients / demand.rooms} recipients ÷ 8 = ${mebibytes(audit)} MiB, more than the ${mebibytes(limits.auditBytesMax)} MiB it may take; lower --rate, --duration or --clients`,
    );
  return { workers, problems };
}

/**
 * A system that chooses the source address reuses a port towards another target. One that was told the address takes a
 * port for good when it binds, before it knows the target; so targets do not multiply then.
 */
function checkPorts(connections: number, demand: Demand, ports: number | null): string[] {
  const { sourceAddresses, urls } = demand;
  const pools = sourceAddresses === 0 ? urls : sourceAddresses;
  if (ports === null || connections <= ports * pools) return [];
  const what = sourceAddresses === 0 ? 'target' : 'source address';
  const needed = Math.ceil(connections / ports);
  return [
    `${connections} connections need as many local ports; there are ${ports} per ${what} × ${pools} = ${ports * pools}; give ${needed} times --source-address (such as 127.0.0.2)`,
  ];
}

/** Bytes of the audit's bits at the end of a run. */
function auditBytes(demand: Demand): number {
  return (demand.ratePerSecond * demand.seconds * (demand.clients / demand.rooms)) / 8;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
