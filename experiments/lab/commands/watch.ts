/** What a person may watch while an experiment runs: a live page, and the dashboards of the compose file. */
import type { Command } from 'commander';
import type { LiveEnd, LivePage } from '../../../loadtest/page/live-page.ts';
import type { Run } from '../records/schema.ts';
import { type PlannedRun, type RunObserver, runPlan } from '../shapes/runner.ts';
import type { Experiment } from '../shapes/shape.ts';
import type { TrialContext, TrialObserver } from '../trial/trial.ts';
import { openDashboards } from '../watch/dashboards.ts';
import * as value from './option-values.ts';

export type WatchFlags = { live?: number; dashboards?: true };

/** Opened before the run; disposing it closes the page and stops the dashboards that it has started. */
type Watch = AsyncDisposable & {
  /** Runs a plan, and shows it. */
  run(planned: PlannedRun, context: TrialContext, live: RunObserver): Promise<Run>;
  /** The page becomes the report. */
  ended(report: LiveEnd): Promise<void>;
  /** Resolves at once without dashboards. */
  untilInterrupted(): Promise<void>;
};

export function addWatchOptions(command: Command): void {
  const live = command.createOption(
    '--live [port]',
    'show the run on a page at 127.0.0.1 (default: a free port)',
  );
  command
    .addOption(live.argParser(value.anyPort).preset('0'))
    .option('--dashboards', 'start Prometheus and Grafana for the run, and keep them until Ctrl-C');
}

/** Throws an `InputError` where the port of the page cannot be used. */
export async function openWatch(
  { name, question }: Experiment,
  flags: WatchFlags,
  signal: AbortSignal,
  print: (line: string) => void,
): Promise<Watch> {
  // The code of the page is read only where it is asked for.
  const pages = flags.live === undefined ? null : await import('../watch/live-run.ts');
  const page = (await pages?.openLivePage(flags.live!, name, question)) ?? null;
  if (page !== null) print(`live: ${page.url}`);
  const dashboards = flags.dashboards ? await openDashboards(signal, print) : null;
  return {
    run: (planned, context, live) => showRun(planned, context, live, page),
    ended: async (report) => page?.end(report),
    untilInterrupted: async () => dashboards?.untilInterrupted(),
    [Symbol.asyncDispose]: async () => {
      await page?.[Symbol.asyncDispose]();
      await dashboards?.[Symbol.asyncDispose]();
    },
  };
}

async function showRun(
  planned: PlannedRun,
  context: TrialContext,
  live: RunObserver,
  page: LivePage | null,
): Promise<Run> {
  if (page === null) return runPlan(planned, context, live);
  const { LiveRun } = await import('../watch/live-run.ts');
  const variants = planned.variants.map(({ name, stage }) => ({ name, stage: stage.name }));
  using shown = new LiveRun(page, { variants, estimate: planned.plan.estimate });
  const observer: TrialObserver = {
    phase: (phase, title) => {
      context.observer.phase(phase, title);
      shown.phase(phase, title);
    },
    second: (progress) => {
      context.observer.second(progress);
      shown.second(progress);
    },
    started: (deployment, address) => {
      context.observer.started(deployment, address);
      shown.started(deployment);
    },
  };
  return await runPlan(
    planned,
    { ...context, observer },
    {
      started: (record) => shown.runStarted(record),
      trialEnded: (line, trial) => {
        live.trialEnded(line, trial);
        shown.trialEnded(trial);
      },
      variantEnded: (line) => {
        live.variantEnded(line);
        shown.variantEnded();
      },
    },
  );
}
