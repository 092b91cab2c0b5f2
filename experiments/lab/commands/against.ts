/** `compare --against`: the server of another commit and that of this checkout, in turns on this machine. */
import { join } from 'node:path';
import { interruption } from '#host/interruption.ts';
import { prepareContainers } from '../deployment/start.ts';
import { InputError } from '../input-error.ts';
import { readNoise } from '../records/noise-file.ts';
import type { Run } from '../records/schema.ts';
import { comparisonReport } from '../report/comparison.ts';
import { toTerminal } from '../report/printed.ts';
import type { Experiment, Registry } from '../shapes/shape.ts';
import type { TrialContext } from '../trial/trial.ts';
import type { Variant } from '../trial/variant.ts';
import { type Checkout, checkOut } from './checkout.ts';
import { compareRuns } from './comparing.ts';

import { type OutcomeFlags, writeComparison } from './outcome.ts';
import { type RunFlags, runExperiment } from './run.ts';
import { inTurns, runSides, type Side } from './sides.ts';

/** Turns of each side; what one search would do is shared among them. Two, for the order a b b a. */
const rounds = 2;
/** Of each variant, on both sides together. */
const turns = 2 * rounds;
const interruptedCode = 130;

/** Runs both, prints the comparison, and returns the exit code. */
export async function compareAgainst(
  ref: string,
  experiment: Experiment,
  flags: RunFlags & OutcomeFlags,
  registry: Registry,
): Promise<number> {
  const noise = readNoise(flags.results);
  const signal = interruption();
  try {
    using checkout = await checkOut(ref, signal, console.log);
    const sides: Side[] = [{ name: 'a', serverRoot: checkout.root, commit: checkout.commit }, { name: 'b' }];
    const [a, b] = await runExperiment(experiment, flagsOfTurn(flags), signal, {
      times: sides.length * rounds,
      run: async (planned, context, live) => {
        if (planned.target === 'container') await prepareImage(checkout, ref, signal);
        await checkServer(checkout, ref, planned.variants, context);
        return runSides(inTurns(sides, planned.variants, rounds), planned, context, live);
      },
    });
    if (signal.aborted) return interrupted([a, b], flags);
    const comparison = compareRuns(a!, b!, { registry, noise, anyway: false });
    console.log(`\n${comparisonReport(comparison.content, toTerminal)}`);
    for (const { record } of [a!, b!]) console.log(`result: ${join(flags.results, record.run)}`);
    writeComparison(flags, b!, comparison);
    return comparison.exitCode;
  } catch (error) {
    if (!signal.aborted || error instanceof InputError) throw error;
    return interrupted([], flags);
  }
}

function interrupted(runs: readonly (Run | undefined)[], { results }: OutcomeFlags): number {
  const kept = runs.flatMap((run) => (run === undefined ? [] : join(results, run.record.run)));
  console.log(`\ninterrupted${kept.length === 0 ? '' : `; the results until then: ${kept.join(', ')}`}`);
  return interruptedCode;
}

/** The bounds on the whole, shared among the turns. */
function flagsOfTurn(flags: RunFlags): RunFlags {
  const { trials, time: minutes } = flags;
  return {
    ...flags,
    ...(trials === undefined ? {} : { trials: Math.ceil(trials / rounds) }),
    ...(minutes === undefined ? {} : { time: minutes / turns, sharedBy: turns }),
  };
}

/** Starts the other server once for each variant: it may not know a stage, or a flag of today. */
async function checkServer(
  { root }: Checkout,
  ref: string,
  variants: readonly Variant[],
  context: TrialContext,
): Promise<void> {
  const mistakes: string[] = [];
  for (const { name, stage, settings, nodes, allocation, balancer } of variants) {
    try {
      const request = { stage, settings, nodes, allocation, balancer: balancer === true, serverRoot: root };
      await using _deployment = await context.deploy(request);
    } catch (error) {
      context.signal.throwIfAborted();
      const reason = (error as Error).message.replaceAll('\n', ' ');
      mistakes.push(`Choose stages and settings that the server of ${ref} knows; given ${name}: ${reason}`);
    }
  }
  if (mistakes.length > 0) throw new InputError(mistakes);
}

async function prepareImage({ root }: Checkout, ref: string, signal: AbortSignal): Promise<void> {
  const fault = await prepareContainers(signal, console.log, root);
  if (fault === null) return;
  throw new InputError([`Name a version whose image can be built: required a build; given ${ref}: ${fault}`]);
}
