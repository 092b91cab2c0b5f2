/** One trial: mailboxes are filled, then their people come, at once or one after the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createAccounts, peopleNamed } from '../lab/people/accounts.ts';
import { Correspondence } from '../lab/people/correspondence.ts';
import { Device } from '../lab/people/device.ts';
import { quantileOf } from '../lab/people/quantile.ts';
import type { FigureContext, Figures } from '../lab/shapes/figures/figures.ts';

export type Return = {
  people: number;
  /** Messages that wait for each. */
  waiting: number;
  /** Left out: all at once. */
  comePerSecond?: number;
  /** Others who write to each other meanwhile. */
  background?: { ratePerSecond: number; people: number };
};

const senders = 20;
/** Messages of one sender that have no answer yet. Chosen: enough to keep the server busy. */
const windowMessages = 50;
const handshakesMax = 256;
const text = 'x'.repeat(128);
/** Chosen: three trials of these bounds stay below five minutes together, with their starts. */
const fillMsMax = 60_000;
const returnMsMax = 40_000;
const settleMs = 5000;
const attemptsMax = 20;
const retryMs = 250;

type Comer = {
  device: Device;
  askedAtMs: number;
  inAtMs: number;
  allAtMs: number;
  seen: Set<number>;
  doubled: number;
};

export async function measureReturn(wanted: Return, context: FigureContext): Promise<Figures> {
  const { deployment, signal, enter } = context;
  const url = deployment.nodes[0]!.directUrl;
  const setQuota = (inForce: boolean) => Promise.all(deployment.nodes.map((node) => node.setQuota(inForce)));
  await setQuota(false);
  enter('connect');
  const comers = await enroll(url, wanted, signal);
  enter('warm-up');
  const storedPerSecond = await fill(url, comers, wanted.waiting, signal);
  using others = await backgroundOf(wanted, context);
  await setQuota(true);
  if (wanted.background !== undefined) others?.write(wanted.background.ratePerSecond);
  await sleep(2000, undefined, { signal });
  enter('measure');
  const heardBefore = others?.ledger.deliveryMs.length ?? 0;
  const beganAtMs = performance.now();
  const refused = await comeBack(url, comers, wanted, signal);
  await until(() => comers.every(({ allAtMs }) => allAtMs > 0), beganAtMs + returnMsMax, signal);
  const othersMs = others?.ledger.deliveryMs.slice(heardBefore) ?? [];
  others?.rest();
  enter('drain');
  await others?.settle(settleMs);
  for (const { device } of comers) device.drop();
  const done = comers.filter(({ allAtMs }) => allAtMs > 0);
  const isComplete = done.length === comers.length;
  const allMs = Math.max(...done.map(({ allAtMs }) => allAtMs)) - beganAtMs;
  const received = comers.reduce((sum, { seen }) => sum + seen.size, 0);
  const times = (of: (comer: Comer) => number) =>
    comers.map((comer) => Math.max(0, of(comer)) || Number.POSITIVE_INFINITY);
  const known = (ms: number | null) => (ms === null || Number.isFinite(ms) ? ms : null);
  const collectMs = times(({ allAtMs, askedAtMs }) => allAtMs - askedAtMs);
  return {
    loginMsP99: known(
      quantileOf(
        times(({ inAtMs, askedAtMs }) => inAtMs - askedAtMs),
        0.99,
      ),
    ),
    collectMsP50: known(quantileOf(collectMs, 0.5)),
    collectMsP99: known(quantileOf(collectMs, 0.99)),
    allMs: isComplete ? allMs : null,
    deliveriesPerSecond: isComplete ? received / (allMs / 1000) : null,
    missing: comers.length * wanted.waiting - received,
    doubled: comers.reduce((sum, { doubled }) => sum + doubled, 0),
    refused,
    othersMsP99: quantileOf(othersMs, 0.99),
    othersLost: others?.ledger.audit().lost ?? null,
    storedPerSecond,
  };
}

/** Accounts, and a first login of each device, which gives it its token; then it is away. */
async function enroll(url: string, { people, waiting }: Return, signal: AbortSignal): Promise<Comer[]> {
  const persons = peopleNamed('c', people);
  await createAccounts(url, persons, signal);
  const comers = persons.map((person): Comer => {
    const comer = { askedAtMs: 0, inAtMs: 0, allAtMs: 0, seen: new Set<number>(), doubled: 0 };
    const device = new Device(person, {
      message: ({ seq }) => {
        if (comer.seen.has(seq)) comer.doubled++;
        comer.seen.add(seq);
        if (comer.seen.size === waiting) comer.allAtMs = performance.now();
      },
    });
    return Object.assign(comer, { device });
  });
  await inParallel(comers, async ({ device }) => {
    await logIn(device, url, 'password', signal);
    device.leave();
  });
  return comers;
}

/** Resolves with the messages stored per second; rejects where that takes too long. */
async function fill(
  url: string,
  comers: readonly Comer[],
  waiting: number,
  signal: AbortSignal,
): Promise<number> {
  const persons = peopleNamed('s', senders);
  await createAccounts(url, persons, signal);
  const messages = function* () {
    for (let number = 0; number < waiting; number++)
      for (const { device } of comers)
        yield { to: device.person.user, id: `${number}.${device.person.user}` };
  };
  const total = comers.length * waiting;
  const queue = messages();
  let stored = 0;
  let refusal = '';
  const devices = persons.map(
    (person) =>
      new Device(person, {
        ack: ({ id, to, result }, device) => {
          if (result === 'busy') return void device.send(to, id, text);
          if (result === 'ok') stored++;
          else refusal = `${to} was not sent a message: ${result}`;
          sendNext(device);
        },
      }),
  );
  const sendNext = (device: Device) => {
    const next = queue.next();
    if (!next.done) device.send(next.value.to, next.value.id, text);
  };
  await Promise.all(devices.map((device) => logIn(device, url, 'password', signal)));
  const beganAtMs = performance.now();
  for (const device of devices) for (let sent = 0; sent < windowMessages; sent++) sendNext(device);
  await until(() => stored === total || refusal !== '', beganAtMs + fillMsMax, signal);
  for (const device of devices) device.leave();
  if (stored < total) throw new Error(refusal || `Only ${stored} of ${total} messages were stored in time.`);
  return total / ((performance.now() - beganAtMs) / 1000);
}

async function backgroundOf({ background }: Return, { deployment, signal, seed }: FigureContext) {
  if (background === undefined) return undefined;
  const who = { prefix: 'o', count: background.people };
  const others = new Correspondence({ nodes: deployment.nodes, signal, seed }, who);
  await others.begin();
  return others;
}

/** Resolves when all have asked and were answered, with the number of attempts that were refused. */
async function comeBack(
  url: string,
  comers: readonly Comer[],
  { comePerSecond }: Return,
  signal: AbortSignal,
) {
  let refused = 0;
  const come = async (comer: Comer) => {
    comer.askedAtMs = performance.now();
    refused += await logIn(comer.device, url, 'token', signal);
    comer.inAtMs = performance.now();
  };
  if (comePerSecond === undefined) await inParallel(comers, come);
  else {
    const coming = comers.map(async (comer, index) => {
      await sleep((index * 1000) / comePerSecond, undefined, { signal });
      await come(comer);
    });
    await Promise.all(coming);
  }
  return refused;
}

/** Resolves with the attempts that failed before; rejects after too many. */
async function logIn(
  device: Device,
  url: string,
  by: 'password' | 'token',
  signal: AbortSignal,
): Promise<number> {
  let why = '';
  for (let failed = 0; failed < attemptsMax; failed++) {
    const ack = await device.logIn(url, by).catch((error: Error) => {
      why = error.message;
    });
    if (ack?.result === 'ok') return failed;
    if (ack?.result === 'fail') throw new Error(`The login of ${device.person.user} failed.`);
    await sleep(ack?.result === 'busy' ? ack.retryAfterMs : retryMs, undefined, { signal });
  }
  throw new Error(`${device.person.user} could not log in: ${why || 'the server was busy'}`);
}

async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const queue = items.values();
  const one = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: handshakesMax }, one));
}

async function until(holds: () => boolean, deadlineAtMs: number, signal: AbortSignal): Promise<void> {
  while (!holds() && performance.now() < deadlineAtMs) await sleep(5, undefined, { signal });
}
