/** Whether a run fits this machine, before the first connection: files, ports, memory, and how many workers it takes. Pure. */

export type MachineLimits = {
  /** Files that one process may open, or null where unknown. */
  filesMax: number | null;
  /** Local ports of one source address towards one destination, or null where unknown. */
  portsPerAddress: number | null;
  /** Memory that the simulator may take for its audit. */
  auditBytesMax: number;
  cores: number;
};

export type Demand = {
  clients: number;
  rooms: number;
  stalledReaders: number;
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

/** The number of workers, or why the run cannot fit: the arithmetic, and what would help. */
export function planWorkers(demand: Demand, limits: MachineLimits): { workers: number; problems: string[] } {
  const problems: string[] = [];
  const connections = demand.clients + demand.stalledReaders;
  const perProcess = (limits.filesMax ?? 1024) - filesReserved;
  const bySockets = Math.ceil(connections / perProcess);
  const deliveriesPerSecond = (demand.ratePerSecond * demand.clients) / demand.rooms;
  const byLoad = Math.min(Math.ceil(deliveriesPerSecond / deliveriesPerWorker), Math.floor(limits.cores / 2));
  const workers = demand.workers ?? Math.max(1, bySockets, byLoad);
  if (workers < bySockets)
    problems.push(
      `${connections} connections need ${bySockets} workers: a process may open ${limits.filesMax} files, ${perProcess} of them sockets; raise --workers (given: ${workers}) or ulimit -n`,
    );
  if (workers > demand.clients)
    problems.push(`--workers must be at most --clients (${demand.clients}); given: ${workers}`);
  const pairs = Math.max(1, demand.sourceAddresses) * demand.urls;
  const ports = limits.portsPerAddress;
  if (ports !== null && connections > ports * pairs)
    problems.push(
      `${connections} connections need ${connections} ports: ${ports} per source address and target × ${pairs} = ${ports * pairs}; add ${Math.ceil(connections / (ports * demand.urls)) - Math.max(1, demand.sourceAddresses)} more --source-address (such as 127.0.0.2) or another --url`,
    );
  const audit = auditBytes(demand);
  if (audit > limits.auditBytesMax)
    problems.push(
      `the audit keeps one bit per message and recipient: ${demand.ratePerSecond}/s × ${demand.seconds} s × ${demand.clients / demand.rooms} recipients ÷ 8 = ${mebibytes(audit)} MiB, more than the ${mebibytes(limits.auditBytesMax)} MiB it may take; lower --rate, --duration or --clients`,
    );
  return { workers, problems };
}

/** Bytes of the audit's bits at the end of a run. */
function auditBytes(demand: Demand): number {
  return (demand.ratePerSecond * demand.seconds * (demand.clients / demand.rooms)) / 8;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
