/** One run of the simulator at either site, from its flags to its outcome. */
import { parseProgress } from '../../../loadtest/result/progress.ts';
import { parseResult } from '../../../loadtest/result/schema.ts';
import { workloadArguments } from '../../../loadtest/workload.ts';
import type { Allocation, LoadtestOptions, LoadtestOutcome, LoadtestWatch } from './deployment.ts';
import type { Pins } from './pinning.ts';
import type { Site } from './site.ts';

/** Chosen, not measured: what a partial result takes to be written, several times over. */
const stopGraceMs = 3000;
const errorLinesMax = 10;

export type SimulatorPlace = { site: Site; allocation: Allocation; pins: Pins; nodesAreElsewhere: boolean };

/** Runs it to its end. An abort interrupts it first and kills it after a grace. */
export async function runSimulator(
  { site, allocation, pins, nodesAreElsewhere }: SimulatorPlace,
  options: LoadtestOptions,
  watch: LoadtestWatch,
): Promise<LoadtestOutcome> {
  const errors: string[] = [];
  let resultText: string | null = null;
  await using simulator = await site.startSimulator({
    flags: [...flagsOf(options), '--progress', 'json', '--json', '-'],
    cpus: quota(allocation.loadtestCpus, pins),
    memoryMb: allocation.loadtestMemoryMb,
    pinnedCpus: pins.simulator,
    metricsPort: options.metricsPort,
    nodesAreElsewhere,
    onLine: (line, stream) => {
      const progress = parseProgress(line);
      if (progress !== undefined) {
        if (progress.event !== 'progress') watch.onProgress(progress);
      } else if (line.startsWith('{"schemaVersion":')) resultText = line;
      else if (stream === 'stderr') errors.push(line);
    },
  });
  if (simulator.scrapeAddress !== null) watch.onScrapeAddress(simulator.scrapeAddress);
  let kill: NodeJS.Timeout | undefined;
  const interrupt = () => {
    void simulator.signal('SIGINT');
    kill = setTimeout(() => void simulator.signal('SIGKILL'), stopGraceMs);
  };
  watch.signal.addEventListener('abort', interrupt);
  if (watch.signal.aborted) interrupt();
  const { code, fault } = await simulator.exit;
  watch.signal.removeEventListener('abort', interrupt);
  clearTimeout(kill);
  if (fault !== null) errors.push(fault);
  return {
    exitCode: code,
    result: resultText === null ? null : parseResult(resultText, 'the simulator'),
    errorText: errors.slice(-errorLinesMax).join('\n'),
  };
}

function flagsOf({ limits, metricsPort, ...workload }: LoadtestOptions): string[] {
  const metrics = metricsPort === undefined ? [] : ['--metrics-port', String(metricsPort)];
  return [...workloadArguments(workload), ...limits.flatMap((limit) => ['--limit', limit]), ...metrics];
}

/**
 * Whole CPUs of its own are limit enough: with a quota beside them, the kernel would throttle the simulator
 * for the odd millisecond that it accounts late, and each of those would make a trial void.
 */
function quota(cores: number | undefined, pins: Pins): number | undefined {
  return pins.simulator !== undefined && Number.isInteger(cores) ? undefined : cores;
}
