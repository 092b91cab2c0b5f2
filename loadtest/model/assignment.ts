/** Which user is in which room, in which worker, behind which address. Pure, the same in every process. */
import { globalRoom, pathOfRoom, roomOfPath } from '#protocol';
import type { ResolvedWorkload } from '../workload.ts';
import type { Seal } from './stamp.ts';

/** Everything that all workers of a run must agree on. */
export type Assignment = {
  workload: ResolvedWorkload;
  /** The run id of the first step; even. */
  firstRunId: number;
  seal: Seal;
  /** Where each of the workload's URLs leads: host names are looked up once for all workers. */
  addresses: Address[];
  /** Extra headers of the handshake, by name. */
  headers: Record<string, string>;
};

/** IP address and port. */
export type Address = { address: string; port: number };

/** Everything that one connection needs to reach its target. */
export type Endpoint = Address & {
  url: URL;
  /** Undefined where the system chooses. */
  sourceAddress: string | undefined;
  headers: Readonly<Record<string, string>>;
};

/** Indices [from, to), such as those of users. */
export type IndexRange = { from: number; to: number };

/** The users of a room. They are neighbours, so that a room lies in as few workers as possible. */
export function usersOfRoom(
  { clients, rooms }: Pick<ResolvedWorkload, 'clients' | 'rooms'>,
  room: number,
): IndexRange {
  return shareOf(room, clients, rooms);
}

/** The users of one worker. */
export function usersOfWorker(
  { clients, workers }: Pick<ResolvedWorkload, 'clients' | 'workers'>,
  worker: number,
): IndexRange {
  return shareOf(worker, clients, workers);
}

/** The stalled readers of one worker, numbered from 0. */
export function stalledReadersOfWorker(workload: ResolvedWorkload, worker: number): IndexRange {
  return shareOf(worker, workload.stalledReaders, workload.workers);
}

/** Churn users at the same time at most: each stays one second; half as many again may connect or close. */
export function churnUsersMax(churnPerSecond: number): number {
  return Math.ceil(churnPerSecond * 1.5);
}

/** How many users of a room send: as asked, at most all of them. */
export function sendersOfRoom(workload: ResolvedWorkload, room: number): number {
  const { from, to } = usersOfRoom(workload, room);
  return Math.min(workload.sendersPerRoom, to - from);
}

/**
 * The user that sends message `number` of a room. Its senders take turns. They are spread evenly over the
 * users of the room, and so over workers; and where there are users enough, over all targets.
 */
export function senderOf(workload: ResolvedWorkload, room: number, number: number): number {
  const { from, to } = usersOfRoom(workload, room);
  const senders = sendersOfRoom(workload, room);
  const sender = number % senders;
  const at = Math.floor((sender * (to - from)) / senders);
  const next = Math.floor(((sender + 1) * (to - from)) / senders);
  const targets = workload.urls.length;
  const shift = (((sender - at) % targets) + targets) % targets;
  return from + at + (at + shift < next ? shift : 0);
}

/** The name of a room: with one only, that of the URL. */
export function nameOfRoom({ rooms, urls }: ResolvedWorkload, room: number): string {
  if (rooms > 1) return `load-${room}`;
  return roomOfPath(new URL(urls[0]!).pathname) ?? globalRoom;
}

/** The endpoint of a connection, numbered over all workers: connections take the targets in turn. */
export function endpointOf(assignment: Assignment, connection: number, room: number): Endpoint {
  const { workload, addresses, headers } = assignment;
  const { urls, rooms, sourceAddresses } = workload;
  const target = connection % urls.length;
  const url = new URL(urls[target]!);
  if (rooms > 1) url.pathname = url.pathname.replace(/\/ws\/?$/, pathOfRoom(nameOfRoom(workload, room)));
  // A source address takes all targets before the next one begins, so that all pairs of the two occur.
  const sourceAddress = sourceAddresses[Math.floor(connection / urls.length) % sourceAddresses.length];
  return { ...addresses[target]!, url, sourceAddress, headers };
}

function shareOf(part: number, amount: number, parts: number): IndexRange {
  return { from: Math.floor((part * amount) / parts), to: Math.floor(((part + 1) * amount) / parts) };
}
