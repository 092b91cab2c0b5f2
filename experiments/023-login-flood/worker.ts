/**
 * A thread that offers logins at a rate, each over a connection of its own, or on connections that are open.
 * It says when it is ready, and begins when it is told.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { lowerOwnPriority } from '#host/thread-priority.ts';
import type { Credentials } from '#protocol';
import { quantileOf } from '../lab/people/quantile.ts';
import { logInAnew } from './new-connection.ts';
import { OpenConnections } from './open-connections.ts';

/** What the logins come with. */
export type FloodKind = 'right' | 'wrong' | 'unknown' | 'token';

export type FloodRequest = {
  url: string;
  kind: FloodKind;
  perSecond: number;
  seconds: number;
  /** Logins that begin in one tick of 1 ms, where the thread is late: the others follow in the next ones. */
  atOnceMax: number;
  /** Logins are frames on connections that stay, where nobody is let in; with passwords only. */
  onOpenConnections: boolean;
  credentials: readonly Credentials[];
  /** Of these people, in their order; for `token`. */
  tokens: readonly string[];
};

/** Logins by their end. Skipped: due while too many others were open. Broken: closed without an answer. */
export type FloodResult = {
  offered: number;
  skipped: number;
  ok: number;
  busy: number;
  failed: number;
  broken: number;
  loginMsP99: number | null;
};

const openMax = 2000;
/** Devices of each person in turn, so that a login does not end the one before it. */
const devicesOfPerson = 8;
const tickMs = 1;
const answerMsMax = 5000;

const { url, kind, perSecond, seconds, atOnceMax, onOpenConnections, credentials, tokens } =
  workerData as FloodRequest;
const counts = { offered: 0, skipped: 0, ok: 0, busy: 0, failed: 0, broken: 0 };
const loginMs: number[] = [];
let open = 0;

// The clients of the people share the core with this thread: they go first.
lowerOwnPriority();
const connections = onOpenConnections ? await OpenConnections.open(url) : undefined;
parentPort!.postMessage('ready');
await once(parentPort!, 'message');
const beganMs = performance.now();
const endMs = beganMs + seconds * 1000;
let due = 0;
while (performance.now() < endMs) {
  const wanted = ((performance.now() - beganMs) / 1000) * perSecond;
  for (const end = Math.min(wanted, due + atOnceMax); due < end; due++) {
    if (open >= openMax || connections?.isFree === false) counts.skipped++;
    else void offer(due);
  }
  await sleep(tickMs);
}
// What is answered after the flood is not part of it.
parentPort!.postMessage({ ...counts, loginMsP99: quantileOf(loginMs, 0.99) } satisfies FloodResult);

async function offer(number: number): Promise<void> {
  counts.offered++;
  open++;
  const index = number % credentials.length;
  const { user, password } = credentials[index]!;
  const person = { user, password: kind === 'wrong' ? `not the ${password}` : password };
  const name = `f${Math.floor(number / credentials.length) % devicesOfPerson}`;
  const token = tokens[index];
  const askedAtMs = performance.now();
  try {
    const { result } = connections
      ? await connections.logIn(person, name, answerMsMax)
      : await logInAnew(url, token === undefined ? { ...person, device: name } : { token }, answerMsMax);
    if (result === 'fail') counts.failed++;
    else counts[result]++;
    if (result === 'ok') loginMs.push(performance.now() - askedAtMs);
  } catch (error) {
    if (/\b503\b/.test((error as Error).message)) counts.busy++;
    else counts.broken++;
  }
  open--;
}
