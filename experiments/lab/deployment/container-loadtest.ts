/** The simulator in a container of its own, beside the target's. */
import { parseResult } from '../../../loadtest/result/schema.ts';
import { type BoxRequest, startBox } from './container-box.ts';
import type { Engine } from './container-engine.ts';
import type { LoadtestOutcome, LoadtestProgress, LoadtestWatch } from './deployment.ts';
import { type LoadtestOptions, loadtestEnvironment } from './loadtest-options.ts';

const stopGraceMs = 3000;
const errorLinesMax = 10;

/** Runs the simulator to its end. `place` is everything about its container that the target decides. */
export async function runLoadtestBox(
  engine: Engine,
  place: Omit<BoxRequest, 'command' | 'environment' | 'ports' | 'onLine'>,
  options: LoadtestOptions,
  scrapeHost: string,
  watch: LoadtestWatch,
): Promise<LoadtestOutcome> {
  const errors: string[] = [];
  let resultText: string | null = null;
  const { metricsPort } = options;
  const box = await startBox(engine, {
    ...place,
    command: ['loadtest/main.ts'],
    environment: { ...loadtestEnvironment(options), LOADTEST_PROGRESS: 'json', LOADTEST_JSON: '-' },
    ports: metricsPort === undefined ? [] : [metricsPort],
    onLine: (line, stream) => {
      if (line.startsWith('{"schemaVersion":')) resultText = line;
      else if (line.startsWith('{"event":')) watch.onProgress(JSON.parse(line) as LoadtestProgress);
      else if (stream === 'stderr') errors.push(line);
    },
  });
  if (metricsPort !== undefined) watch.onScrapeAddress(`${scrapeHost}:${box.hostPort(metricsPort)}`);
  const timers: NodeJS.Timeout[] = [];
  const abort = () => {
    void box.signal('SIGINT');
    timers.push(setTimeout(() => void box.signal('SIGKILL'), stopGraceMs));
  };
  watch.signal.addEventListener('abort', abort);
  if (watch.signal.aborted) abort();
  const end = await box.exit;
  watch.signal.removeEventListener('abort', abort);
  for (const timer of timers) clearTimeout(timer);
  await box.remove();
  if (end.killedForMemory) errors.push(`It was killed for its memory (limit ${place.memoryMb} MiB).`);
  return {
    // 128 and more is a signal's end, but for 130, which the simulator itself says of an interruption.
    exitCode: end.code >= 128 && end.code !== 130 ? null : end.code,
    result: resultText === null ? null : parseResult(resultText, 'the simulator'),
    errorText: errors.slice(-errorLinesMax).join('\n'),
  };
}
