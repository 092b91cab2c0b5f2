/** The simulator at either site: connected once, then driven step by step over its control channel. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ControlEvent, encodeCommand, parseEvent } from '../../../loadtest/result/control.ts';
import type { LoadtestResult } from '../../../loadtest/result/schema.ts';
import { workloadArguments } from '../../../loadtest/workload.ts';
import type { RunningSimulator, SimulatorOptions, SimulatorStep, SimulatorWatch } from './deployment.ts';
import type { SimulatorRequest, Site } from './site.ts';

/** Chosen, not measured: several times what closing the connections or writing a partial result takes. */
const stopGraceMs = 3000;
const errorLinesMax = 10;

/** A simulator that refused its input or ended before its result; the message holds its last lines. */
export class SimulatorError extends Error {
  /** 2 for input that it refused, 130 for an interruption; null where a signal ended it. */
  readonly exitCode: number | null;

  constructor(exitCode: number | null, errorText: string) {
    super(errorText);
    this.exitCode = exitCode;
  }
}

/** Resolves when all users are connected and probed. Rejects with a `SimulatorError` where it ends before. */
export async function startSimulator(
  site: Site,
  place: Omit<SimulatorRequest, 'flags' | 'metricsPort' | 'onLine'>,
  { limits, lagLimitMs, metricsPort, ...workload }: SimulatorOptions,
  watch: SimulatorWatch,
): Promise<RunningSimulator> {
  const errors: string[] = [];
  const idle = Promise.withResolvers<'idle'>();
  let pending: PromiseWithResolvers<LoadtestResult> | undefined;
  const onEvent = (event: ControlEvent) => {
    if (event.event === 'step') pending?.resolve(event.result);
    else if (event.event === 'refused') pending?.reject(new SimulatorError(2, event.reason));
    else if (event.event !== 'progress') watch.onProgress(event);
    if (event.event === 'phase' && event.phase === 'idle') idle.resolve('idle');
  };
  const lag = lagLimitMs === undefined ? [] : ['--lag-limit', `${lagLimitMs}ms`];
  const judged = [...limits.flatMap((limit) => ['--limit', limit]), ...lag];
  const program = await site.startSimulator({
    ...place,
    // No quota in addition to whole CPUs of its own: the kernel would throttle the simulator for single
    // milliseconds that it accounts late, and each of those would make a trial void.
    cpus: place.pinnedCpus !== undefined && Number.isInteger(place.cpus) ? undefined : place.cpus,
    flags: [...workloadArguments(workload), ...judged, '--control'],
    metricsPort,
    onLine: (line, stream) => {
      const event = stream === 'stdout' ? parseEvent(line) : undefined;
      if (event !== undefined) onEvent(event);
      else if (stream === 'stderr') errors.push(line);
    },
  });
  const ended = program.exit.then(({ code, fault }) => {
    if (fault !== null) errors.push(fault);
    return new SimulatorError(code, errors.slice(-errorLinesMax).join('\n'));
  });
  const failed = ended.then((error) => Promise.reject(error));
  failed.catch(() => {}); // Until a step waits for it, its end is no error.
  const interrupt = () => {
    void program.signal('SIGINT');
    const kill = setTimeout(() => void program.signal('SIGKILL'), stopGraceMs);
    void ended.then(() => clearTimeout(kill));
  };
  watch.signal.addEventListener('abort', interrupt);
  if (watch.signal.aborted) interrupt();
  const stop = async () => {
    program.write(encodeCommand({ command: 'end' }));
    await Promise.race([ended, sleep(stopGraceMs, undefined, { ref: false })]);
    watch.signal.removeEventListener('abort', interrupt);
    await program[Symbol.asyncDispose]();
  };
  if (program.scrapeAddress !== null) watch.onScrapeAddress(program.scrapeAddress);
  try {
    await Promise.race([idle.promise, failed]);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    step: async (step: SimulatorStep) => {
      pending = Promise.withResolvers();
      program.write(encodeCommand({ command: 'step', ...step }));
      return await Promise.race([pending.promise, failed]);
    },
    [Symbol.asyncDispose]: stop,
  };
}
