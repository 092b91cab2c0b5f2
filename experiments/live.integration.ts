/** `--live`: the page of a real short run, from its first trial to the report. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposableSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import type { LiveEnd } from '../loadtest/page/live-page.ts';
import type { PageEvent } from '../loadtest/page/state.ts';
import { listRuns, readRun } from './lab/records/store.ts';
import { pageStateOf } from './lab/report/page-state.ts';

test('a page sees every trial second by second, and ends as the report of the files', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'lab-live-'));
  const common = ['--target', 'process', '--results', directory.path, '--metrics-port', '0', '--live'];
  const short = ['--stage', '03', '--duration', '2s', '--warm-up', '0.2s'];
  const main = join(import.meta.dirname, 'main.ts');
  const child = spawn(process.execPath, [main, 'run', 'slow-reader', ...short, ...common], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const lines = createInterface({ input: child.stdout });
  const events = Promise.withResolvers<{ name: string; data: unknown }[]>();
  lines.on('line', (line) => {
    const url = /^live: (http:\S+)$/.exec(line)?.[1];
    if (url !== undefined) readEvents(url).then(events.resolve, events.reject);
  });
  const seen = await events.promise;
  const [code] = await closed;
  assert.ok([0, 1, 3].includes(code as number), `code ${code}`);
  const [name] = listRuns(directory.path);
  const run = readRun(join(directory.path, name!));

  const messages = seen.filter((one) => one.name === 'message').map(({ data }) => data as PageEvent);
  const phases = messages.flatMap((one) => (one.event === 'phase' ? [one.phase] : []));
  for (const phase of ['start', 'connect', 'measure', 'drain']) assert.ok(phases.includes(phase), phase);
  const seconds = messages.filter((one) => one.event === 'second');
  assert.ok(seconds.length >= 4, `${seconds.length} seconds of two trials`);
  assert.ok(seconds.some(({ readings }) => readings.some(({ cpuCores }) => cpuCores > 0)));
  assert.ok(messages.some((one) => one.event === 'clock' && one.leftSeconds !== null));
  const ended = messages.flatMap((one) =>
    one.event === 'trial' && one.trial.outcome !== 'running' ? [one.trial] : [],
  );
  // Over the wire, a field that is undefined is absent.
  const final = JSON.parse(JSON.stringify(pageStateOf(run)));
  assert.deepEqual(ended, final.trials);
  const end = seen.at(-1)!;
  assert.equal(end.name, 'end');
  const report = end.data as LiveEnd;
  assert.deepEqual(report.state, final);
  const file = readFileSync(join(directory.path, name!, 'report.html'), 'utf8');
  assert.ok(file.includes(report.before) && file.includes(report.after));
});

/** All events until the connection ends. */
async function readEvents(url: string): Promise<{ name: string; data: unknown }[]> {
  const text = await (await fetch(new URL('events', url))).text();
  return text.split('\n\n').flatMap((block) => {
    const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
    return name === undefined ? [] : [{ name, data: JSON.parse(data!) }];
  });
}
