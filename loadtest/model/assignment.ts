/** Who is who in a run: which user is in which room, in which worker, behind which address. Pure arithmetic, the same in every process. */
import { pathOfRoom } from '#protocol';
import type { Timeline } from '../record/recorder.ts';
import type { ScheduleSettings } from './schedule.ts';

/** Everything that every worker must agree on. */
export type Plan = {
  runId: number;
  urls: string[];
  /** Where each of the urls leads. */
  targets: Target[];
  /** Headers of the handshake, each as `Name: value`. */
  headers: string[];
  clients: number;
  rooms: number;
  sendersPerRoom: number;
  payloadBytes: number;
  stalledReaders: number;
  churnPerSecond: number;
  workers: number;
  sourceAddresses: string[];
  connectPerSecond: number;
  connectTimeoutMs: number;
  probeTimeoutMs: number;
  schedule: ScheduleSettings;
  timeline: Timeline;
  /** Bound of the reference streams of one worker, for each of the interleavings in which its rooms are heard. */
  referenceBytesMax: number;
};

/** IP address and port. */
export type Target = { address: string; port: number };

/** Users [from, to) in order of their index. */
export type UserRange = { from: number; to: number };

/** Rooms hold neighbours, so that a room lies in as few workers as possible. */
export function usersOfRoom(plan: Plan, room: number): UserRange {
  return { from: divide(room, plan.clients, plan.rooms), to: divide(room + 1, plan.clients, plan.rooms) };
}

/** The users that one worker plays. */
export function usersOfWorker(plan: Plan, worker: number): UserRange {
  return {
    from: divide(worker, plan.clients, plan.workers),
    to: divide(worker + 1, plan.clients, plan.workers),
  };
}

/** The stalled readers that one worker plays, numbered on their own. */
export function stalledReadersOfWorker(plan: Plan, worker: number): UserRange {
  const { stalledReaders, workers } = plan;
  return { from: divide(worker, stalledReaders, workers), to: divide(worker + 1, stalledReaders, workers) };
}

/** Visitors at the same time at most: each stays a second, and half as many again may be on their way in or out. */
export function visitorsMax(churnPerSecond: number): number {
  return Math.ceil(churnPerSecond * 1.5);
}

/** How many users of a room speak: as asked, at most all. */
export function sendersOfRoom(plan: Plan, room: number): number {
  const { from, to } = usersOfRoom(plan, room);
  return Math.min(plan.sendersPerRoom, to - from);
}

/** The user whose turn it is to say message `number` of a room. */
export function senderOf(plan: Plan, room: number, number: number): number {
  return usersOfRoom(plan, room).from + (number % sendersOfRoom(plan, room));
}

/** Where a connection leads: connections take the targets in turn; with more than one room, the room is in the path. */
export function urlOf(plan: Plan, connection: number, room: number): URL {
  const url = new URL(plan.urls[connection % plan.urls.length]!);
  if (plan.rooms === 1) return url;
  url.pathname = url.pathname.replace(/\/ws\/?$/, pathOfRoom(`load-${room}`));
  return url;
}

/** The source address of a connection, or undefined for the system's choice. */
export function sourceAddressOf(plan: Plan, connection: number): string | undefined {
  const { sourceAddresses, urls } = plan;
  // One target after the other from each address, so that addresses and targets do not run in step.
  return sourceAddresses[Math.floor(connection / urls.length) % sourceAddresses.length];
}

function divide(part: number, amount: number, parts: number): number {
  return Math.floor((part * amount) / parts);
}
