/** The proof of the audit of mailboxes: each lie of a server is convicted, and an honest one passes. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { encodeCommand, parseEvent } from '../result/control.ts';
import { type LoadtestResult, parseResult } from '../result/schema.ts';
import { startSimulator } from '../simulator.fixture.ts';
import type { Lie, LieReport } from './mailbox-server.ts';
import { stopServer, tolerant } from './trial.fixture.ts';

type Trial = { code: number | null; result: LoadtestResult; report: LieReport };

const load = `--warm-up 0s --drain 500ms --collect 3s --rate 300/s --duration 1500ms ${tolerant}`;
/** Everybody is there, so that the counts of lies are exact. */
const small = `--people 20 ${load}`;
const flawless = { lost: 0, duplicated: 0, reordered: 0, misrouted: 0, corrupted: 0 };

async function startServer(lie: Lie) {
  const child = fork(new URL('./mailbox-server.ts', import.meta.url), [lie]);
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  return { child, url };
}

async function tryLie(lie: Lie, args: string): Promise<Trial> {
  const { child, url } = await startServer(lie);
  try {
    const run = startSimulator(`--url ${url} --progress none --json - ${args}`);
    const { code, stdout, stderr } = await run.ended;
    assert.match(stderr, /^verdict /, stderr);
    for (const line of stderr.split('\n')) assert.ok(line.length <= 80, line);
    child.send('report');
    const [report] = (await once(child, 'message')) as [LieReport];
    return { code, result: parseResult(stdout, 'standard output'), report };
  } finally {
    await stopServer(child);
  }
}

function faultsOf({ result }: Trial) {
  const { lost, duplicated, reordered, misrouted, corrupted } = result.audit;
  return { lost, duplicated, reordered, misrouted, corrupted };
}

describe('direct messages', { concurrency: 2 }, () => {
  test('an honest server passes, with people who come and go, two devices each, and broken connections', async () => {
    const visits = '--present 50% --visit 400ms --login-rate 20/s --reads 100% --storm 50% --at 700ms';
    const trial = await tryLie('none', `--people 40 --devices 2 --workers 2 ${visits} ${load}`);
    const { code, result, report } = trial;
    const direct = result.direct!;
    assert.deepEqual(result.reasons, []);
    assert.equal(code, 0);
    assert.deepEqual(faultsOf(trial), flawless);
    // On a busy machine there are moments in which nobody is logged in.
    assert.equal(result.sent + result.unsent.closed, 450);
    assert.equal(direct.sent, result.sent);
    assert.equal(direct.acked, report.stored);
    assert.equal(result.audit.delivered, report.stored * 2);
    assert.deepEqual([direct.accounts.created, report.accounts], [40, 40]);
    assert.ok(direct.busy > 0 && direct.resent >= direct.busy, `${direct.busy} busy, ${direct.resent} again`);
    assert.ok(direct.waited > 0 && direct.waited < result.audit.delivered, `${direct.waited} waited`);
    assert.ok(direct.closes[1006]! > 0, JSON.stringify(direct.closes));
    assert.ok(direct.lookIns.due >= 20 && direct.lookIns.made > 0, JSON.stringify(direct.lookIns));
    assert.deepEqual([direct.waiting, direct.untold, direct.wentBack, direct.notBack], [0, 0, 0, 0]);
    assert.ok(direct.receipts > direct.acked, `${direct.receipts} receipts`);
    assert.ok(
      direct.ackMs.count === direct.acked && direct.loginMs.count > 20 && direct.caughtUpMs.count > 20,
    );
    assert.ok(direct.end!.caughtUpMs.count > 10);
    assert.ok(
      direct.loginMs.p50 <= direct.collectedMs.p50 && direct.collectedMs.p50 <= direct.caughtUpMs.p50,
    );
  });

  test('each message that is acknowledged and lost is counted, for every device', async () => {
    const trial = await tryLie('lose', `${small} --devices 2`);
    assert.equal(trial.code, 1);
    assert.ok(trial.report.lies > 3);
    assert.deepEqual(faultsOf(trial), { ...flawless, lost: trial.report.lies * 2 });
  });

  test('what was acknowledged before it was stored, and forgotten, is lost', async () => {
    const trial = await tryLie('forget', small);
    assert.equal(trial.code, 1);
    assert.ok(trial.report.lies > 0);
    assert.deepEqual(faultsOf(trial), { ...flawless, lost: trial.report.lies });
  });

  test('each message that comes twice is duplicated', async () => {
    const trial = await tryLie('double', small);
    assert.equal(trial.code, 1);
    assert.ok(trial.report.lies > 3);
    assert.deepEqual(faultsOf(trial), { ...flawless, duplicated: trial.report.lies });
  });

  test('each message that is stored twice, because it was sent again, is duplicated', async () => {
    const trial = await tryLie('store-again', small);
    assert.equal(trial.code, 1);
    assert.ok(trial.report.lies > 10);
    assert.deepEqual(faultsOf(trial), { ...flawless, duplicated: trial.report.lies });
  });

  test('each message that comes after a later one is misordered', async () => {
    const trial = await tryLie('swap', small);
    assert.equal(trial.code, 1);
    assert.ok(trial.report.lies > 3);
    const { lost, ...others } = faultsOf(trial);
    assert.deepEqual(others, { duplicated: 0, reordered: trial.report.lies, misrouted: 0, corrupted: 0 });
    assert.ok(lost <= 20, 'only what was held back at the very end');
  });

  test('each message with one other character is corrupted, and lost', async () => {
    const trial = await tryLie('corrupt', small);
    assert.equal(trial.code, 1);
    const { lies } = trial.report;
    assert.ok(lies > 3);
    assert.deepEqual(faultsOf(trial), { ...flawless, corrupted: lies, lost: lies });
  });

  test('each message to somebody else is misdelivered, and lost', async () => {
    const trial = await tryLie('misdeliver', small);
    assert.equal(trial.code, 1);
    const { lies } = trial.report;
    assert.ok(lies > 3);
    assert.deepEqual(faultsOf(trial), { ...flawless, misrouted: lies, lost: lies });
  });

  test('each receipt that goes back is counted', async () => {
    const trial = await tryLie('receipt-back', `${small} --reads 100%`);
    assert.equal(trial.code, 1);
    const { report, result } = trial;
    assert.ok(report.lies > 3);
    assert.equal(result.direct!.wentBack, report.lies);
    assert.deepEqual(faultsOf(trial), flawless);
    assert.match(result.reasons.join(), /receipts went back; the limit is wentback=0/);
  });

  test('what falls into the hole between a page and the live messages is lost', async () => {
    const trial = await tryLie('hole', `--people 20 --present 50% --visit 300ms ${load}`);
    assert.equal(trial.code, 1);
    const { lost, ...others } = faultsOf(trial);
    assert.ok(lost > 0 && lost <= trial.report.lies, `${lost} lost, ${trial.report.lies} lies`);
    const { lost: _, ...none } = flawless;
    assert.deepEqual(others, none);
  });

  test('what a device that is logged in does not hear of is lost, although it would come at its next login', async () => {
    const trial = await tryLie('sleep', small);
    assert.equal(trial.code, 1);
    assert.ok(trial.result.audit.lost > 0);
  });

  test('by commands, steps follow each other with the same people; the last one collects what waits', async () => {
    const { child, url } = await startServer('none');
    try {
      // On a busy machine the last answers of a step take longer than half a second.
      const own = '--people 30 --present 40% --drain 2s';
      const run = startSimulator(`--url ${url} --control ${load} ${own}`);
      const step = { command: 'step', ratePerSecond: 200, durationSeconds: 1 } as const;
      run.child.stdin!.end(encodeCommand(step) + encodeCommand({ ...step, seed: 7, last: true }));
      const { code, stdout } = await run.ended;
      const results = stdout.split('\n').flatMap((line) => {
        const event = parseEvent(line);
        return event?.event === 'step' ? [event.result] : [];
      });
      const [first, last] = results as [LoadtestResult, LoadtestResult];
      assert.deepEqual([first.reasons, last.reasons, code], [[], [], 0]);
      assert.ok(first.direct!.waiting > 50, `${first.direct!.waiting} wait`);
      assert.deepEqual([first.direct!.untold, first.direct!.notBack], [null, null]);
      assert.equal(first.direct!.end, undefined);
      assert.deepEqual([last.direct!.waiting, last.direct!.untold], [0, 0]);
      assert.equal(first.audit.delivered + last.audit.delivered, first.direct!.acked + last.direct!.acked);
      // The 18 who were away, and those whose connection the server has just dropped.
      const { count } = last.direct!.end!.caughtUpMs;
      assert.ok(count >= 18 && count < 24, `${count} collected`);
    } finally {
      await stopServer(child);
    }
  });

  test('the people of an earlier run come again with its prefix', async () => {
    const { child, url } = await startServer('none');
    try {
      const args = `--url ${url} --people-prefix again- ${small} --progress none --json -`;
      const results: LoadtestResult[] = [];
      for (let i = 0; i < 2; i++) {
        const { code, stdout } = await startSimulator(args).ended;
        assert.equal(code, 0);
        results.push(parseResult(stdout, 'standard output'));
      }
      const accounts = results.map(({ direct }) => [direct!.accounts.created, direct!.accounts.existed]);
      assert.deepEqual(accounts, [
        [20, 0],
        [0, 20],
      ]);
      assert.equal(results[1]!.audit.delivered, results[1]!.direct!.acked);
    } finally {
      await stopServer(child);
    }
  });
});

test('a server without accounts is bad input, with the reason', async () => {
  const child = fork(new URL('./flawed-server.ts', import.meta.url), ['none', '0']);
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  try {
    const { code, stderr } = await startSimulator(`--url ${url} --people 4 ${load}`).ended;
    assert.equal(code, 2);
    assert.match(stderr, /no account could be created by POST \/accounts on ws:.*: \d+ \(4\); does a server/);
  } finally {
    await stopServer(child);
  }
});
