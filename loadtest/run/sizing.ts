/** Whether a run fits this machine (files, ports, memory), and how many workers it needs. Pure. */
import { churnUsersMax } from '../model/assignment.ts';
import { recipientsOf, type Workload } from '../workload.ts';

export type MachineLimits = {
  /** Files that one process may open; null if unknown. */
  filesMax: number | null;
  /** Local ports of one source address towards one destination; null if unknown. */
  portsPerAddress: number | null;
  /** Memory that the simulator may use for its audit. */
  auditBytesMax: number;
  /** Cores that the workers may use, see `coresToFill`. */
  cores: number;
};

/** Files that a worker needs beside its sockets: standard streams, IPC, epoll, code. Chosen. */
const filesReserved = 64;
/** Deliveries per second of one worker: half of its maximum against 03-cursor on two cores. */
const deliveriesPerWorker = 5_000_000;
/** Messages per second of one worker: less than half of its maximum in experiments/007-nodes. */
const messagesPerWorker = 30_000;
/**
 * The same of people: each message is answered, received, and its receipt goes back. Half of what one worker
 * carried while it was 63 % busy, against the server of `self-test/mailbox-server.ts` on two cores.
 */
const directMessagesPerWorker = 5000;

/**
 * Cores that the workers may use. A part of a machine (by CPU affinity or a container's limit) is used whole;
 * of a whole machine one half is left to other processes, such as the server under test.
 */
export function coresToFill(available: number, machine: number): number {
  return available < machine ? available : Math.floor(available / 2);
}

/** The number of workers, or why the run does not fit: the arithmetic, and what would help. */
export function planWorkers(
  workload: Workload,
  limits: MachineLimits,
): { workers: number; problems: string[] } {
  const { clients, ratePerSecond } = workload;
  const problems: string[] = [];
  const connections = clients + workload.stalledReaders + churnUsersMax(workload.churnPerSecond);
  const perProcess = (limits.filesMax ?? 1024) - filesReserved;
  const bySockets = Math.ceil(connections / perProcess);
  const deliveriesPerSecond = ratePerSecond * recipientsOf(workload);
  const messagesMax = workload.people > 0 ? directMessagesPerWorker : messagesPerWorker;
  const work = Math.max(deliveriesPerSecond / deliveriesPerWorker, ratePerSecond / messagesMax);
  const byLoad = Math.min(Math.ceil(work), limits.cores);
  const workers = workload.workers ?? Math.max(1, bySockets, byLoad);
  if (workers < bySockets)
    problems.push(
      `${connections} connections need ${bySockets} workers: a process may open ${limits.filesMax} files, ${perProcess} of them sockets; raise --workers (given: ${workers}) or ulimit -n`,
    );
  if (workers > clients) problems.push(`--workers must be at most --clients (${clients}); given: ${workers}`);
  problems.push(...checkPorts(connections, workload, limits.portsPerAddress));
  problems.push(...checkAudit(workload, workers, limits.auditBytesMax));
  return { workers, problems };
}

/**
 * A system that chooses the source address uses a port again towards another target. A given source address
 * takes its port before the target is known, so that more targets do not give more ports.
 */
function checkPorts(connections: number, workload: Workload, ports: number | null): string[] {
  const { sourceAddresses, urls } = workload;
  const isChosen = sourceAddresses.length > 0;
  const pools = isChosen ? sourceAddresses.length : urls.length;
  if (ports === null || connections <= ports * pools) return [];
  const needed = Math.ceil(connections / ports);
  return [
    `${connections} connections need as many local ports; there are ${ports} per ${isChosen ? 'source address' : 'target'} × ${pools} = ${ports * pools}; give ${needed} times --source-address (such as 127.0.0.2)`,
  ];
}

/** The bits of the audit must fit in memory until the end of the run, and random due times beside them. */
function checkAudit(workload: Workload, workers: number, bytesMax: number): string[] {
  const { ratePerSecond, warmUpSeconds, durationSeconds, arrival } = workload;
  const seconds = Math.round((warmUpSeconds + durationSeconds) * 1000) / 1000;
  const recipients = recipientsOf(workload);
  const dueBytes = arrival === 'poisson' ? 8 * workers : 0;
  const bytes = ratePerSecond * seconds * (recipients / 8 + dueBytes);
  if (bytes <= bytesMax) return [];
  const perMessage =
    dueBytes === 0 ? `${recipients} recipients ÷ 8` : `(${recipients} recipients ÷ 8 + ${dueBytes} B)`;
  const dueTimes = dueBytes === 0 ? '' : ', and each worker the due time of each message';
  return [
    `the audit keeps one bit per message and recipient${dueTimes}: ${ratePerSecond}/s × ${seconds} s × ${perMessage} = ${mebibytes(bytes)} MiB, more than the ${mebibytes(bytesMax)} MiB it may take; lower --rate, --duration or --clients`,
  ];
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
