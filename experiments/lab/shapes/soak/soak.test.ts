import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soakTest } from '../../../020-soak/experiment.ts';
import { longTrial, soakRun } from '../../analysis/soak.fixture.ts';
import { listStages } from '../../deployment/list-stages.ts';
import { compactRun } from '../../records/archive.ts';
import type { LoadRunRecord } from '../../records/schema.ts';
import { htmlReport } from '../../report/html.ts';
import { markdownReport } from '../../report/markdown.ts';
import type { RunOptions } from '../run-plan.ts';
import { soak } from './soak.ts';

const stages = await listStages();
const options: RunOptions = { target: 'process', stages: [], workload: {}, settings: {}, allocation: {} };
const seconds = 1200;

/** Half the capacity: flat. Four fifths: a leak, and one tip. */
function run() {
  const leak = {
    seconds,
    rss: (at: number) => 90e6 + 50e6 * (at / 3600) + 1e5 * (at % 7),
    p99: (at: number) => (at >= 300 && at < 304 ? 700 : 60),
  };
  return soakRun([longTrial({ seconds }, { share: 0.5 }), longTrial(leak, { share: 0.8 })]);
}

test('the answer of each long trial is flat, what grows and by how much, or how often it tips', () => {
  const { answer, summary } = soak.report(run());
  assert.equal(answer[0], '03-cursor, 50 %: is flat over 20 minutes, without a tip.');
  assert.match(
    answer[1]!,
    /^03-cursor, 80 %: tips 3 \([\d.]+ to [\d.]+\) times an hour: 1 in 20 minutes, the longest for 4 s; the memory grows by 50[\d.]* MB \([\d.]+ MB to [\d.]+ MB\) an hour\.$/,
  );
  assert.deepEqual(
    summary.rows.map((row) => row.at(-1)),
    ['flat', 'tips'],
  );
});

test('what tips have in common when they begin stands beside the whole trial', () => {
  const tips = longTrial({ seconds, p99: (at) => (at % 300 === 9 ? 700 : 60) }, { share: 0.8 });
  const server = { ...tips.server!, gcShare: 0.02, besideServerCpuCores: 0.01 };
  const during = () => ({ ...server, gcShare: 0.3, besideServerCpuCores: 0.04 });
  const { answer } = soak.report(soakRun([{ ...tips, server }], during));
  assert.equal(
    answer.at(-1),
    'When the tips of 03-cursor, 80 % began, 30 % of the time of the event loop went into garbage collection (median; 2 % over the whole trial), and 0.04 cores were used by others on its CPUs (median; 0.01 cores over the whole trial).',
  );
});

test('of a void trial nothing is said about the server, and a failed one says why', () => {
  const tips = { seconds, p99: () => 900 };
  const reasons = ['the simulator sent late'];
  const { answer, summary } = soak.report(
    soakRun([
      longTrial(tips, { outcome: 'void', reasons }),
      longTrial(tips, { outcome: 'fail', reasons: ['slow'] }),
    ]),
  );
  assert.equal(
    answer[0],
    '03-cursor, 5,000: void, so that nothing can be said of the server: the simulator sent late.',
  );
  assert.match(answer[1]!, /tips .* without an end\. The trial failed: slow\.$/);
  assert.equal(summary.rows[0]!.at(-1), 'void');
});

test('an archived run gives the same page as before, with its plot', async () => {
  const page = async (one: ReturnType<typeof run>) =>
    htmlReport(one, soak.report(one), await soak.plots!(one));
  const whole = await page(run());
  assert.ok(whole.includes('Over the long trials'));
  assert.equal(await page(compactRun(run(), soak.drawn(run()))), whole);
  const reported = { run: run(), content: soak.report(run()), question: 'Flat?' };
  assert.match(markdownReport(reported, [], [], ''), /\| 03-cursor \| 80.{1,6}% \|/);
});

test('it plans a long trial at each share after a search, or at the loads that are given', () => {
  const planned = soak.plan(soakTest, stages, { ...options, minutes: 5 });
  const { method } = planned.fields as LoadRunRecord;
  assert.deepEqual(method, { kind: 'soak', minutes: 5, shares: [0.5, 0.8], loads: [] });
  assert.deepEqual(
    planned.variants.map(({ name }) => name),
    ['03-cursor', '05-backplane', '06-partitioned', '07-mailbox'],
  );
  const given = soak.plan(soakTest, stages, { ...options, minutes: 5, loads: [300, 600, 900] });
  assert.deepEqual((given.fields as LoadRunRecord).method, {
    ...{ kind: 'soak', minutes: 5, shares: [], loads: [300, 600, 900] },
  });
  assert.deepEqual(given.estimate, { trials: 12, secondsPerTrial: 305 });
});
