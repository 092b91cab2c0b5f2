import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newDirectCounts } from '../record/direct-counts.ts';
import { DirectRecorder } from '../record/direct-recorder.ts';
import { Recorder } from '../record/recorder.ts';
import { Totals } from '../record/totals.ts';
import { Metrics } from './metrics.ts';

const timeline = { warmUpUs: 0, measureUs: 2e6, drainUs: 1e6 };

test('direct messages and logins are exported with their answers and times', async () => {
  const recorder = new Recorder(timeline);
  recorder.setRecipients(new Uint32Array(1));
  const totals = new Totals(1, timeline, 2);
  const times = new DirectRecorder();
  times.record('ack', 20_000);
  times.record('login', 400_000);
  const counts = { ...newDirectCounts(), sent: 7, acked: 5, busy: 2, delivered: 9, ackedEver: 5 };
  const direct = { ...counts, deliveredEver: 9, loginsMade: 3, duplicated: 1, unanswered: 2 };
  const nothing = { duplicated: 1, reordered: 0, misrouted: 0, corrupted: 0, foreign: 0, late: 0 };
  const sample = { sessionsOpen: 4, ...nothing, lastDeliveryUs: 0, cpuUs: 0, direct };
  const [second] = totals.addWindow(0, recorder.take(11), sample, times.take());
  assert.equal(totals.settled, false, 'two are not answered, and one has not come');
  assert.deepEqual(totals.audit(), {
    ...{ expected: 9, delivered: 9, lost: 0, duplicated: 1 },
    ...{ reordered: 0, misrouted: 0, corrupted: 0 },
  });
  const unanswered = { ...sample, direct: { ...direct, deliveredEver: 12 } };
  const settled = { ...sample, direct: { ...direct, deliveredEver: 10, unanswered: 0 } };
  const metrics = new Metrics();
  metrics.second('measure', second!, totals, 0);
  const text = await metrics.registry.metrics();
  for (const line of [
    'loadtest_direct_messages_sent_total 7',
    'loadtest_direct_deliveries_total 9',
    'loadtest_direct_answers_total{result="ok"} 5',
    'loadtest_direct_answers_total{result="busy"} 2',
    'loadtest_direct_logins_total{result="ok"} 3',
    'loadtest_direct_ack_seconds_bucket{le="0.025"} 1',
    'loadtest_direct_ack_seconds_bucket{le="0.01"} 0',
    'loadtest_direct_login_seconds_count 1',
    'loadtest_audit_total{outcome="duplicated"} 1',
  ])
    assert.ok(text.split('\n').includes(line), line);
  totals.addWindow(0, recorder.take(12), unanswered, times.take());
  assert.equal(totals.settled, false, 'they have come, and are not answered');
  totals.addWindow(0, recorder.take(13), settled, times.take());
  assert.equal(totals.settled, true);
});
