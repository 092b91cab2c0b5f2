/** One trial: people write, parts are killed again and again, and everything acknowledged is looked for. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Correspondence } from '../lab/people/correspondence.ts';
import { quantileOf } from '../lab/people/quantile.ts';
import { ownRedis } from '../lab/shapes/faults/scenarios.ts';
import type { FigureContext, Figures } from '../lab/shapes/figures/figures.ts';

export type Kill = 'node' | 'Redis' | 'node and Redis';
/** Resolves after so many ms; rejects where the trial is aborted. */
export type Wait = (ms: number) => Promise<void>;

// Chosen, not measured: enough messages that a loss of 10 ms shows, few enough for two cores.
export const people = 60;
export const presentAtFirst = 48;
export const ratePerSecond = 400;
export const kills = 3;
const steadyMs = 1500;
const redisDownMs = 700;
export const betweenMs = 2500;
export const settleMs = 15_000;

export const killed = `Redis is killed ${kills} times with SIGKILL, each time for ${redisDownMs} ms, and started again with its files; of the two nodes one is killed with SIGKILL once, and stays away.`;

export function measureKills(kill: Kill, context: FigureContext): Promise<Figures> {
  return measureMessages(context, (wait) => killParts(kill, context, wait));
}

/** The figures of messages: people write while the parts are killed, and for a while after it. */
export async function measureMessages(
  { deployment, signal, seed, enter }: FigureContext,
  killing: (wait: Wait) => Promise<void>,
): Promise<Figures> {
  using correspondence = new Correspondence(
    { nodes: deployment.nodes, signal, seed },
    { prefix: 'p', count: people },
  );
  enter('connect');
  await correspondence.begin(presentAtFirst);
  const wait: Wait = (ms) => sleep(ms, undefined, { signal });
  enter('warm-up');
  // Only who is connected writes: nobody who is away waits for an answer.
  correspondence.write(ratePerSecond, presentAtFirst);
  await wait(steadyMs);
  enter('measure');
  await killing(wait);
  await wait(betweenMs);
  correspondence.rest();
  enter('drain');
  await correspondence.come();
  await correspondence.settle(settleMs);
  const { ledger } = correspondence;
  const { written: _, ...audit } = ledger.audit();
  return {
    ...audit,
    ackMsP50: quantileOf(ledger.ackMs, 0.5),
    ackMsMax: quantileOf(ledger.ackMs, 1),
    deliveryMsMax: quantileOf(ledger.deliveryMs, 1),
    accountsLost: correspondence.people.reduce((sum, { accountsLost }) => sum + accountsLost, 0),
  };
}

async function killParts(kill: Kill, { deployment }: FigureContext, wait: Wait): Promise<void> {
  if (kill === 'node') return deployment.nodes[0]!.signal('SIGKILL');
  const redis = ownRedis(deployment);
  for (let turn = 0; turn < kills; turn++) {
    await redis.signal('SIGKILL');
    if (turn === 0 && kill === 'node and Redis') await deployment.nodes[0]!.signal('SIGKILL');
    await wait(redisDownMs);
    await redis.restart();
    await wait(betweenMs);
  }
}
