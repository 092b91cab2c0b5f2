/** The proof of the audit across reconnects: servers that lie to users that come back are convicted. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import type { LoadtestResult } from '../result/schema.ts';
import { parseResult } from '../result/schema.ts';
import type { ResumeFlaw, ResumeReport } from './resuming-server.ts';
import { flawless, runSimulator, stopServer, tolerant } from './trial.fixture.ts';

const small = `--clients 20 --rate 400/s --duration 2s --resume --limit growth<10s ${tolerant}`;

/** Runs the simulator against a server that closes each connection after about that time. */
async function trial(flaw: ResumeFlaw, args: string, closeAfterMs = 900) {
  const child = fork(new URL('./resuming-server.ts', import.meta.url), [flaw, String(closeAfterMs)]);
  try {
    const [{ url }] = (await once(child, 'message')) as [{ url: string }];
    const service = url.replace(/^ws(.*)\/ws$/, 'http$1');
    const { code, stdout, stderr } = await runSimulator(url, args.replace('SERVICE', service));
    assert.ok(stdout.startsWith('{'), stderr);
    child.send('report');
    const [report] = (await once(child, 'message')) as [ResumeReport];
    return { code, result: parseResult(stdout, 'standard output'), report };
  } finally {
    await stopServer(child);
  }
}

function faultsOf({ audit }: LoadtestResult) {
  const { lost, duplicated, reordered, misrouted, corrupted } = audit;
  return { lost, duplicated, reordered, misrouted, corrupted };
}

describe('users that come back', { concurrency: 3 }, () => {
  test('a server that resumes passes: exactly once and in order, over many connections', async () => {
    for (const more of ['', ' --workers 2 --order one-for-all', ' --rooms 3 --think-time 20ms..60ms']) {
      const args = more.includes('think') ? small.replace('--rate 400/s ', '') : small;
      const { code, result, report } = await trial('none', args + more, 400);
      const { audit, resume } = result;
      assert.deepEqual(result.reasons, []);
      assert.equal(code, 0);
      assert.equal(audit.delivered, audit.expected);
      assert.ok(report.returns > 50 && resume!.recovered > 50, `${resume!.recovered} returns`);
      assert.ok(resume!.lateDeliveries > 100, `${resume!.lateDeliveries} late`);
      const { gaps, missed, misannounced, away } = resume!;
      assert.deepEqual(
        { gaps, missed, misannounced, away },
        { gaps: 0, missed: 0, misannounced: 0, away: 0 },
      );
      assert.deepEqual(result.connections.closedEarly, {});
      assert.ok(resume!.connectedMs.p50 >= 20 && resume!.caughtUpMs.p50 >= resume!.connectedMs.p50);
    }
  });

  test('it asks the connect service before each connection, and comes back after a 503', async () => {
    const { code, result } = await trial('none', `${small} --rooms 2 --connect SERVICE`, 400);
    const { connect, resume, connections } = result;
    assert.equal(code, 0, result.reasons.join());
    assert.deepEqual(connections.refused, {}, 'at first each asks again');
    const later = resume!.refused['connect: 503'] ?? 0;
    assert.ok(later > 0);
    assert.equal(connect!.refused['503'], later, 'those of the beginning are of no step');
    assert.equal(connect!.asked, connect!.answerMs.count + later);
  });

  test('a server that leaves out one late message of each return is convicted, and each is counted', async () => {
    const { code, result, report } = await trial('drop', small);
    assert.equal(code, 1);
    assert.ok(report.faults > 8, `${report.faults} faults`);
    assert.deepEqual(faultsOf(result), { ...flawless, lost: report.faults });
  });

  test('a server that repeats one late message of each return is convicted, and each is counted', async () => {
    const { code, result, report } = await trial('repeat', small);
    assert.equal(code, 1);
    assert.ok(report.faults > 8, `${report.faults} faults`);
    assert.equal(result.audit.duplicated, report.faults);
  });

  test('a server that swaps two late messages is convicted, and each swap is counted', async () => {
    const { code, result, report } = await trial('swap', `${small} --senders 1`);
    assert.equal(code, 1, JSON.stringify([result.unsent, result.sent, result.resume]));
    assert.ok(report.faults > 8, `${report.faults} faults`);
    assert.deepEqual(faultsOf(result), { ...flawless, reordered: report.faults });
  });

  test('a server that resumes from the log of another room is convicted, and each message is counted', async () => {
    const { code, result, report } = await trial('other-room', `${small} --rooms 2`);
    assert.equal(code, 1);
    assert.ok(report.faults > 8, `${report.faults} faults`);
    assert.deepEqual(faultsOf(result), { ...flawless, misrouted: report.faults, lost: report.faults });
  });

  test('a server that names another offset, or another room, than was asked for is convicted', async () => {
    for (const flaw of ['announce-offset', 'name'] as const) {
      const { code, result, report } = await trial(flaw, small);
      assert.equal(code, 1);
      assert.ok(report.faults > 8, `${report.faults} faults`);
      assert.ok(result.resume!.misannounced > report.faults * 0.8, `${result.resume!.misannounced}`);
      assert.match(result.reasons.join(), /frames "joined" contradicted what was asked for/);
    }
  });

  test('a server that is off by one is convicted: what it repeats is duplicated, what it skips is lost', async () => {
    const less = await trial('one-less', small);
    assert.equal(less.code, 1);
    assert.ok(less.report.faults > 8);
    assert.equal(less.result.audit.duplicated, less.report.faults);
    const more = await trial('one-more', small);
    assert.equal(more.code, 1);
    assert.ok(more.report.faults > 8);
    assert.equal(more.result.audit.lost, more.report.faults);
  });

  test('what an honest server has forgotten is missed, and nothing is lost', async () => {
    const { code, result, report } = await trial('forget', small, 400);
    assert.equal(code, 1);
    assert.deepEqual(faultsOf(result), flawless);
    const { missed, gaps, peopleWithGaps, recovered } = result.resume!;
    assert.ok(missed > 100);
    assert.equal(missed, report.withheld);
    assert.ok(gaps > 50 && peopleWithGaps === 20 && recovered === 0, `${gaps} gaps of ${peopleWithGaps}`);
    assert.equal(result.audit.expected, result.audit.delivered + missed);
    const forgiven = await trial('forget', `${small} --limit missed<100000`);
    assert.equal(forgiven.code, 0, forgiven.result.reasons.join());
  });

  test('a gap does not excuse what is lost beside it', async () => {
    const { result, report } = await trial('forget-and-drop', small, 800);
    assert.ok(report.faults > 5);
    // A message that is lost just before a user leaves looks as if it were in the gap.
    const { lost } = result.audit;
    assert.ok(lost > report.faults / 2 && lost <= report.faults, `${lost} of ${report.faults}`);
    // After a drop the user asks for one message that it has.
    const { missed } = result.resume!;
    assert.ok(missed + lost >= report.withheld && missed + lost <= report.withheld + report.faults);
  });

  test('behind a server that cannot resume, users come back and the gaps are told', async () => {
    const { result } = await trial('unable', small, 400);
    assert.deepEqual(faultsOf(result), flawless);
    const { missed, gaps, unable, recovered } = result.resume!;
    assert.ok(missed > 100 && gaps > 50 && unable === gaps && recovered === 0);
  });

  test('a message that never reached the room, because its sender was cut off, is not lost', async () => {
    const { code, result, report } = await trial('swallow', small, 400);
    assert.ok(report.swallowed > 5, `${report.swallowed} swallowed`);
    assert.equal(code, 0, result.reasons.join());
    assert.equal(result.resume!.unpublished, report.swallowed);
    assert.equal(result.audit.expected, (result.sent - report.swallowed) * 20);
  });

  test('in a storm that share leaves at once, comes back and catches up; the others hear on', async () => {
    const args = small.replace('20', '40');
    const half = await trial('none', `${args} --storm 50% --at 500ms --limit caught-up-p99<2s`, 1e6);
    assert.equal(half.code, 0, half.result.reasons.join());
    const { storm } = half.result.resume!;
    assert.equal(storm!.left, 20);
    assert.equal(storm!.connectedMs.count, 20);
    assert.equal(storm!.caughtUpMs.count, 20);
    assert.ok(storm!.caughtUp99AfterMs > 0 && storm!.caughtUp99AfterMs < 2000);
    assert.ok(storm!.handshakesPerSecond > 10);
    // 600 messages were due then, but some of their senders were away.
    const { count } = storm!.stayedLatencyMs;
    assert.ok(count > 400 * 20 && count <= 600 * 20, `${count} deliveries to those who stayed`);
    const whole = await trial('none', `${args} --storm 100% --at 500ms`, 1e6);
    assert.equal(whole.code, 0, whole.result.reasons.join());
    assert.equal(whole.result.resume!.storm!.left, 40);
  });
});
