/** One run of the simulator at either site, from its flags to its outcome. */
import { parseProgress } from '../../../loadtest/result/progress.ts';
import { parseResult } from '../../../loadtest/result/schema.ts';
import { workloadArguments } from '../../../loadtest/workload.ts';
import type { SimulatorOptions, SimulatorOutcome, SimulatorWatch } from './deployment.ts';
import type { SimulatorRequest, Site } from './site.ts';

/** Chosen, not measured: several times the time in which a partial result is written. */
const stopGraceMs = 3000;
const errorLinesMax = 10;

/** Runs it to its end. An abort interrupts it first and kills it after a grace. */
export async function runSimulator(
  site: Site,
  place: Omit<SimulatorRequest, 'flags' | 'metricsPort' | 'onLine'>,
  { limits, metricsPort, ...workload }: SimulatorOptions,
  watch: SimulatorWatch,
): Promise<SimulatorOutcome> {
  const errors: string[] = [];
  let resultText: string | null = null;
  const metrics = metricsPort === undefined ? [] : ['--metrics-port', String(metricsPort)];
  const judged = limits.flatMap((limit) => ['--limit', limit]);
  await using simulator = await site.startSimulator({
    ...place,
    // No quota in addition to whole CPUs of its own: the kernel would throttle the simulator for single
    // milliseconds that it accounts late, and each of those would make a trial void.
    cpus: place.pinnedCpus !== undefined && Number.isInteger(place.cpus) ? undefined : place.cpus,
    flags: [...workloadArguments(workload), ...judged, ...metrics, '--progress', 'json', '--json', '-'],
    metricsPort,
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
