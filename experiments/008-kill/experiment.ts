/** What do people lose, and for how long, when a worker, a node, Redis or the network between them fails? */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readEnvironment } from '../../loadtest/result/environment.ts';
import type { LoadtestResult } from '../../loadtest/result/schema.ts';
import { ownRedisBinary } from '../lab/deployment/services/redis.ts';
import { replaceBetweenMarkers } from '../lab/report/markdown.ts';
import { type StrikeRecord, strike } from '../lab/shapes/faults/inject-fault.ts';
import { killMarkdown, killText } from '../lab/shapes/faults/report.ts';
import { scenarios } from '../lab/shapes/faults/scenarios.ts';
import type { Procedure, ProcedureOptions, ProcedureOutcome } from '../lab/shapes/procedure.ts';

export type KillRun = {
  schemaVersion: 1;
  run: string;
  startedAt: string;
  options: { repetitions: number; people: number; messagesPerSecond: number; reconnectWaitMsMax: number };
  environment: LoadtestResult['environment'];
  /** The server that was frozen and killed; null where none was to be had. */
  redis: string | null;
  interrupted: boolean;
  strikes: StrikeRecord[];
  /** Failures that could not be tried, and why. */
  skipped: string[];
};

const load = { people: 100, messagesPerSecond: 2, calmMs: 1500, aftermathMs: 5000, reconnectWaitMsMax: 1000 };
const reportMarker = 'tables';
const noRedis =
  'it needs a redis-server that may be frozen and killed: install redis-server or valkey-server, or run as root on Debian';

export const kill: Procedure = {
  name: '008-kill',
  question:
    'What do people lose, and for how long, when a worker, a node, Redis or the network between them fails?',
  run,
  refresh,
};

async function run(options: ProcedureOptions, signal: AbortSignal): Promise<ProcedureOutcome> {
  const redis = await ownRedisBinary();
  const killRun = newRun(options.repetitions ?? 1, redis);
  const directory = join(options.resultsDirectory, killRun.run);
  const path = join(directory, 'kill.json');
  const save = () => writeFileSync(path, `${JSON.stringify(killRun)}\n`);
  mkdirSync(directory, { recursive: true });
  for (const scenario of scenarios) {
    const needsRedis = scenario.stage === '05-backplane';
    if (needsRedis && redis === null) {
      killRun.skipped.push(`${scenario.name} was skipped: ${noRedis}.`);
      continue;
    }
    for (let repetition = 1; repetition <= killRun.options.repetitions && !signal.aborted; repetition++) {
      options.print(`${scenario.name} (${scenario.stage}), ${repetition} of ${killRun.options.repetitions}`);
      try {
        killRun.strikes.push(await strike(scenario, needsRedis ? redis : null, { ...load, signal }));
      } catch (error) {
        if (!signal.aborted) throw error;
      }
      killRun.interrupted = signal.aborted;
      save();
    }
  }
  save();
  writeFileSync(join(directory, 'report.md'), `${killMarkdown(killRun)}\n`);
  return { text: killText(killRun), path, exitCode: exitCodeOf(killRun) };
}

function newRun(repetitions: number, redis: string | null): KillRun {
  const now = new Date();
  const { people, messagesPerSecond, reconnectWaitMsMax } = load;
  return {
    schemaVersion: 1,
    run: `${now.toISOString().slice(0, 19).replaceAll(':', '-')}-${kill.name}`,
    startedAt: now.toISOString(),
    options: { repetitions, people, messagesPerSecond, reconnectWaitMsMax },
    environment: readEnvironment(),
    redis,
    interrupted: false,
    strikes: [],
    skipped: [],
  };
}

/** A limit broke when somebody missed something in silence, heard it twice or out of order, or was not well in the end. */
function exitCodeOf({ interrupted, strikes }: KillRun): ProcedureOutcome['exitCode'] {
  if (interrupted) return 130;
  const held = strikes.every(
    ({ lostSilently, duplicated, reordered, wellAfterMs }) =>
      lostSilently + duplicated + reordered === 0 && wellAfterMs !== null,
  );
  return held ? 0 : 1;
}

function refresh(directory: string): string | null {
  const results = join(directory, 'results');
  if (!existsSync(results)) return null;
  const kept = readdirSync(results)
    .sort()
    .reverse()
    .map((name) => JSON.parse(readFileSync(join(results, name), 'utf8')) as KillRun);
  const path = join(directory, 'REPORT.md');
  const skeleton = `# ${kill.name}\n\n${kill.question}\n\n<!-- ${reportMarker}:begin -->\n<!-- ${reportMarker}:end -->\n`;
  const text = existsSync(path) ? readFileSync(path, 'utf8') : skeleton;
  const refreshed = replaceBetweenMarkers(text, reportMarker, kept.map(killMarkdown).join('\n\n'));
  if (refreshed === null) throw new Error(`${path} has no markers for its ${reportMarker}`);
  writeFileSync(path, refreshed);
  return path;
}
