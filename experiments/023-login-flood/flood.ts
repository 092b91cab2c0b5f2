/** One trial: people who are in, a quiet time, and a flood of logins from a thread of its own. */
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { createAccounts, peopleNamed } from '../lab/people/accounts.ts';
import { Correspondence } from '../lab/people/correspondence.ts';
import { Device } from '../lab/people/device.ts';
import { quantileOf } from '../lab/people/quantile.ts';
import type { FigureContext, Figures } from '../lab/shapes/figures/figures.ts';
import type { FloodKind, FloodRequest, FloodResult } from './worker.ts';

export const people = 50;
export const ratePerSecond = 200;
export const floodSeconds = 8;
/** Accounts of the flood: each is hashed as by default, so that more would take long to make. */
const floodPeople = 200;
/** Of 1,000 logins per second that come by chance, four and more fall into one ms in 2 % of all ms. */
export const atOnceMax = 3;
const warmUpMs = 2000;
/**
 * Without the quota the code of logins is compiled by then. After 8 s of it the p99 in a flood of tokens was
 * 31 and 33 ms, after 20 s it was 16 and 18.
 */
export const compileSeconds = 20;
const settleMs = 5000;
/** A timer of so many ms tells how late the lab's own loop is. */
const clockMs = 1;

export type Flood = {
  kind: FloodKind;
  perSecond: number;
  onOpenConnections?: boolean;
};

export async function measureFlood(
  { kind, perSecond, onOpenConnections = false }: Flood,
  { deployment, signal, seed, enter }: FigureContext,
): Promise<Figures> {
  const url = deployment.nodes.at(-1)!.directUrl;
  const setQuota = (inForce: boolean) => Promise.all(deployment.nodes.map((node) => node.setQuota(inForce)));
  await setQuota(false);
  enter('connect');
  using correspondence = new Correspondence(
    { nodes: deployment.nodes.slice(0, 1), signal, seed },
    { prefix: 'p', count: people },
  );
  await correspondence.begin();
  const credentials = peopleNamed('f', floodPeople);
  await createAccounts(url, credentials, signal);
  const tokens = kind === 'token' ? await tokensOf(url, credentials) : [];
  const rate = { url, kind, perSecond, seconds: floodSeconds, atOnceMax, onOpenConnections };
  const known: FloodRequest = { ...rate, credentials, tokens };
  const request = kind === 'unknown' ? { ...known, credentials: peopleNamed('nobody', floodPeople) } : known;
  enter('warm-up');
  correspondence.write(ratePerSecond);
  // Failed logins would already meet their limits in the flood that is measured.
  const compiling = { ...known, kind: kind === 'token' ? kind : 'right', seconds: compileSeconds } as const;
  const { deliveryMs } = correspondence.ledger;
  const timesOf = async (during: () => Promise<FloodResult | null>) => {
    const before = deliveryMs.length;
    const lateness = monitorEventLoopDelay({ resolution: clockMs });
    lateness.enable();
    const result = await during();
    lateness.disable();
    const ownMsP99 = lateness.percentile(99) / 1e6 - clockMs;
    return { p99: quantileOf(deliveryMs.slice(before), 0.99), ownMsP99, result };
  };
  const first = await (async () => {
    await using prepared = await prepareFlood(compiling, signal);
    return await timesOf(() => prepared.run());
  })();
  await using prepared = await prepareFlood(request, signal);
  await setQuota(true);
  await sleep(warmUpMs, undefined, { signal });
  enter('measure');
  const quiet = await timesOf(() => sleep(floodSeconds * 1000, null, { signal }));
  const [node] = await deployment.sample();
  const flood = await timesOf(() => prepared.run());
  const [nodeAfter] = await deployment.sample();
  correspondence.rest();
  enter('drain');
  await correspondence.settle(settleMs);
  const { offered, skipped, ok, busy, failed, broken, loginMsP99 } = flood.result!;
  const perSecondOf = (count: number) => count / floodSeconds;
  return {
    loginsPerSecond: perSecondOf(ok),
    loginMsP99,
    busyPerSecond: perSecondOf(busy),
    failedPerSecond: perSecondOf(failed),
    quietMsP99: quiet.p99,
    floodMsP99: flood.p99,
    firstMsP99: first.p99,
    timesQuiet: quiet.p99 === null || flood.p99 === null ? null : flood.p99 / quiet.p99,
    offeredPerSecond: perSecondOf(offered),
    brokenPerSecond: perSecondOf(broken),
    skippedPerSecond: perSecondOf(skipped),
    ownMsP99: flood.ownMsP99,
    lost: correspondence.ledger.audit().lost,
    cpuCores: (nodeAfter!.cpuSeconds - node!.cpuSeconds) / floodSeconds,
  };
}

async function tokensOf(url: string, credentials: FloodRequest['credentials']): Promise<string[]> {
  const tokens: string[] = [];
  // One after the other: a server that hashes for others says that it is busy.
  for (const person of credentials) {
    const device = new Device(person, {});
    const ack = await device.logIn(url);
    if (ack.result !== 'ok')
      throw new Error(`The first login of ${person.user} was answered with ${ack.result}.`);
    tokens.push(device.token!);
    device.leave();
  }
  return tokens;
}

/** A thread that is ready to begin, and ends with the block that uses it. */
async function prepareFlood(request: FloodRequest, signal: AbortSignal) {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: request });
  const ended = once(worker, 'exit').then(() => {
    throw new Error('The thread of the flood ended before the flood did.');
  });
  ended.catch(() => {}); // Also where nobody waits for it.
  const message = async () =>
    (await Promise.race([once(worker, 'message', { signal }), ended]))[0] as unknown;
  const stop = async () => void (await worker.terminate());
  try {
    await message();
  } catch (error) {
    await stop();
    throw error;
  }
  const run = () => {
    worker.postMessage('begin');
    return message() as Promise<FloodResult>;
  };
  return { run, [Symbol.asyncDispose]: stop };
}
