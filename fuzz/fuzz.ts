/** Runs a target for a time, with its kept seeds first. */
import fc from 'fast-check';
import { keptSeeds } from './seeds.ts';
import type { Target } from './targets.ts';

/** Inputs that are tried again for each kept seed. */
const runsPerSeed = 1000;

/** Resolves with the number of inputs. Rejects with the smallest input that fails, and the seed to keep. */
export async function fuzz({ name, property }: Target, seed: number, forMs: number): Promise<number> {
  const seeds = keptSeeds[name] ?? [];
  const endAtMs = performance.now() + forMs;
  let inputs = 0;
  for (const one of seeds) inputs += await check(name, property(), { seed: one, numRuns: runsPerSeed });
  const interruptAfterTimeLimit = Math.max(1, endAtMs - performance.now());
  return inputs + (await check(name, property(), { seed, numRuns: 2 ** 31 - 1, interruptAfterTimeLimit }));
}

async function check(name: string, property: fc.IRawProperty<unknown>, options: fc.Parameters<unknown>) {
  const details = await fc.check(property, options);
  if (!details.failed || details.interrupted) return details.numRuns;
  const remedy = `Repair it, and keep the seed: add ${details.seed} to "${name}" in fuzz/seeds.ts.`;
  throw new Error(`${name}: ${await fc.asyncDefaultReportMessage(details)}\n\n${remedy}`);
}
