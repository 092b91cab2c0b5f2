/** The proof of the audit: each flaw of a server is counted exactly; an overloaded simulator is void. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { AuditCounts } from '../record/counts.ts';
import { outstandingMs } from '../record/histogram.ts';
import { encodeCommand, parseEvent } from '../result/control.ts';
import { type LoadtestResult, parseResult } from '../result/schema.ts';
import { startSimulator, withRetries } from '../simulator.fixture.ts';
import {
  delayMs,
  flawless,
  messageOfAnotherRun,
  runSimulator,
  startServer,
  stopServer,
  tolerant,
  tryServer,
} from './trial.fixture.ts';

function faultsOf({ lost, duplicated, reordered, misrouted, corrupted }: AuditCounts) {
  return { lost, duplicated, reordered, misrouted, corrupted };
}

const small = `--clients 20 --rate 300/s --duration 1500ms ${tolerant}`;

describe('exact times', () => {
  test('a known delay is reported as it is', () =>
    withRetries(async () => {
      const { result, report } = await tryServer('delay', small);
      const { p50, p99, max } = result.serviceLatencyMs;
      const held = report.heldMs.sort((a, b) => a - b);
      const heldMsP50 = held[Math.floor(held.length / 2)]!;
      assert.ok(heldMsP50 >= delayMs - 1);
      // The rest is the way through two event loops on a busy machine.
      assert.ok(p50 >= heldMsP50 - 1 && p50 < heldMsP50 + 8, `p50 ${p50} ms, held for ${heldMsP50} ms`);
      assert.ok(p99 >= p50 && max < held.at(-1)! + 100, `p99 ${p99} ms, max ${max} ms`);
      assert.ok(result.deliveryLatencyMs.p50 >= p50, 'due time is never after the send');
    }));

  test('a server that falls behind slowly fails by its backlog, while its p99 and its audit are good', () =>
    withRetries(async () => {
      // It holds 200 messages/s.
      const run = (rate: number) =>
        tryServer(
          'behind',
          `--clients 10 --rate ${rate}/s --duration 5s --limit p99<1s ${tolerant}`,
          undefined,
          5,
        );
      const { code, result } = await run(208);
      assert.equal(code, 1, result.reasons.join());
      assert.match(
        result.reasons.join(),
        /^the backlog grew by [\d.]+ ms of load through the measure phase;/,
      );
      // 4 % of the time between the thirds, and a little more: its timers are late.
      const growthMs = result.backlogGrowthMs!;
      assert.ok(growthMs > 100 && growthMs < 250, `${growthMs} ms`);
      const steady = await run(150);
      assert.equal(steady.code, 0, steady.result.reasons.join());
    }));

  test('a freeze of 500 ms appears in the tail, with its length', () =>
    withRetries(async () => {
      const freezeMs = 500;
      let frozenMs = 0;
      const { result } = await tryServer(
        'announce',
        `--clients 20 --rate 200/s --duration 4s ${tolerant}`,
        async (server) => {
          await once(server, 'message');
          const began = performance.now();
          server.kill('SIGSTOP');
          await sleep(freezeMs);
          server.kill('SIGCONT');
          frozenMs = performance.now() - began;
        },
      );
      const { p50, p90, p99, max } = result.deliveryLatencyMs;
      assert.ok(max >= freezeMs - 15 && max < frozenMs + 150, `max ${max} ms of ${frozenMs} ms`);
      // An eighth of the messages was due in the freeze: 1 % of all waited for 0.92 of it, 10 % for 0.2.
      assert.ok(p99 > freezeMs * 0.85 && p99 < frozenMs + 50, `p99 ${p99} ms`);
      assert.ok(p90 > freezeMs * 0.05 && p90 < freezeMs * 0.6, `p90 ${p90} ms`);
      assert.ok(p50 < 50, `p50 ${p50} ms`);
      assert.deepEqual(faultsOf(result.audit), flawless);
    }));
});

describe('exact faults', { concurrency: 3 }, () => {
  test('a server without a flaw passes, and every delivery is counted', async () => {
    const { code, result, report } = await tryServer('none', `${small} --workers 2 --rooms 3`);
    assert.deepEqual(result.reasons, []);
    assert.equal(code, 0, result.reasons.join());
    assert.equal(result.verdict, 'pass');
    assert.equal(result.sent, 450);
    assert.equal(result.audit.delivered, report.delivered);
    assert.equal(result.deliveryLatencyMs.count, report.delivered);
  });

  test('each delivery that a server drops is counted as lost', async () => {
    const { code, result, report } = await tryServer('drop', small);
    assert.equal(code, 1, result.reasons.join());
    assert.ok(report.faults > 50);
    assert.deepEqual(faultsOf(result.audit), { ...flawless, lost: report.faults });
    assert.equal(result.audit.delivered, report.delivered);
    assert.match(result.reasons.join(), new RegExp(`${report.faults} deliveries were outstanding`));
    // 1 % is lost: the latency of the 99.9th percentile of all that is owed is infinite.
    const { count, p50, p999 } = result.deliveryLatencyMs;
    assert.equal(count, result.audit.expected);
    assert.ok(p50 < outstandingMs && p999 === outstandingMs, `p50 ${p50} ms, p99.9 ${p999} ms`);
  });

  test('each delivery that a server repeats is counted as duplicated', async () => {
    const { code, result, report } = await tryServer('duplicate', small);
    assert.equal(code, 1, result.reasons.join());
    assert.ok(report.faults > 50);
    assert.deepEqual(faultsOf(result.audit), { ...flawless, duplicated: report.faults });
    assert.equal(result.deliveryLatencyMs.count, report.delivered);
  });

  test('each delivery that a server swaps with the next is counted as reordered', async () => {
    const { code, result, report } = await tryServer('reorder', `${small} --senders 1 --clients 7`);
    assert.equal(code, 1, result.reasons.join());
    assert.ok(report.faults > 20);
    const { lost, ...others } = faultsOf(result.audit);
    assert.deepEqual(others, { duplicated: 0, reordered: report.faults, misrouted: 0, corrupted: 0 });
    assert.ok(lost <= 7, 'only what was held back at the very end');
  });

  test('a server with two orders is convicted where it promises one, within a worker and over workers', async () => {
    const load = '--clients 8 --senders 4 --rate 300/s --duration 1500ms --drain 1s';
    for (const workers of [1, 2]) {
      const args = `${load} --workers ${workers} ${tolerant}`;
      const [promised, perSender] = await Promise.all([
        tryServer('two-orders', `${args} --order one-for-all`),
        tryServer('two-orders', args),
      ]);
      assert.equal(promised.code, 1, promised.result.reasons.join());
      assert.ok(promised.result.audit.reordered >= promised.report.faults, promised.result.reasons.join());
      assert.deepEqual(faultsOf(promised.result.audit), {
        ...flawless,
        reordered: promised.result.audit.reordered,
      });
      assert.equal(promised.result.orderedPairs, 449 * 8);
      assert.equal(perSender.code, 0, perSender.result.reasons.join());
      assert.equal(perSender.result.orderedPairs, (450 - 4) * 8);
    }
  });

  test('a server with one order is not convicted where it promises one', async () => {
    const { code, result } = await tryServer('none', `${small} --workers 2 --order one-for-all`);
    assert.equal(code, 0, result.reasons.join());
  });

  test('each delivery to a wrong room is counted as misrouted, and as lost in its own room', async () => {
    const { code, result, report } = await tryServer('misroute', `${small} --rooms 2`);
    assert.equal(code, 1, result.reasons.join());
    assert.ok(report.faults > 20);
    assert.deepEqual(faultsOf(result.audit), {
      ...flawless,
      misrouted: report.faults,
      lost: report.faults,
    });
  });

  test('each delivery with one changed character, anywhere, is counted as corrupted', async () => {
    const { code, result, report } = await tryServer('corrupt', `${small} --rate 600/s`);
    assert.equal(code, 1, result.reasons.join());
    // More than there are characters in a message, so that each of them was changed at least once.
    assert.ok(report.faults > 128);
    assert.deepEqual(faultsOf(result.audit), {
      ...flawless,
      corrupted: report.faults,
      lost: report.faults,
    });
  });

  test('each delivery that is made of the halves of two messages is counted as corrupted', async () => {
    const { code, result, report } = await tryServer('splice', small);
    assert.equal(code, 1, result.reasons.join());
    assert.ok(report.faults > 50);
    assert.deepEqual(faultsOf(result.audit), {
      ...flawless,
      corrupted: report.faults,
      lost: report.faults,
    });
  });

  test('a server that writes its JSON differently is audited in the same way', async () => {
    const { code, result, report } = await tryServer('rewrite', small);
    assert.deepEqual(result.reasons, []);
    assert.equal(code, 0, result.reasons.join());
    assert.equal(result.audit.delivered, report.delivered);
    assert.equal(result.audit.delivered, 450 * 20);
  });

  test('each connection that a server closes is counted, and so are the deliveries that it missed', async () => {
    const { code, result, report } = await tryServer('close', `${small} --clients 10 --senders 1`);
    assert.equal(code, 1, result.reasons.join());
    assert.deepEqual(result.connections.closedEarly, { 1013: 9 });
    assert.equal(result.audit.expected, 4500);
    assert.equal(result.audit.delivered, report.delivered);
    assert.deepEqual(faultsOf(result.audit), { ...flawless, lost: report.withheld });
    assert.match(result.reasons.join(), /9 connections were closed before the end/);
  });

  test('each refused connection is counted, and the other connections are audited', async () => {
    const { code, result, report } = await tryServer('refuse', `${small} --senders 20`);
    assert.equal(code, 1, result.reasons.join());
    assert.deepEqual(result.connections.refused, { 503: 10 });
    assert.equal(result.connections.opened, 10);
    assert.equal(result.audit.delivered, report.delivered);
    assert.equal(result.audit.lost, 0);
    assert.equal(result.unsent.closed, 225, 'half of the senders are not connected');
  });

  test('each client that the probe does not reach is counted as silent', async () => {
    const { code, result } = await tryServer('silent', `${small} --probe-timeout 600ms`);
    assert.equal(code, 1, result.reasons.join());
    assert.equal(result.connections.silent, 10);
    assert.match(result.reasons.join(), /10 connected clients heard nothing in the probe/);
  });

  test('an overloaded simulator makes the run void, and does not fail the server', async () => {
    const { code, result } = await tryServer('none', '--clients 4 --rate 3000000/s --duration 700ms');
    assert.equal(code, 3, result.reasons.join());
    assert.equal(result.verdict, 'void');
    assert.ok(result.achievedPerSecond < 0.99 * result.offeredPerSecond);
    assert.match(
      result.reasons[0]!,
      /the simulator sent [\d.]+ % of what was due; at least 99.0 % is needed/,
    );
  });

  test('messages of another run in the same room are counted apart', async () => {
    const { url, child } = await startServer('none');
    const intruder = new WebSocket(url);
    try {
      await once(intruder, 'open');
      const talking = setInterval(() => intruder.send(messageOfAnotherRun()), 20);
      const args = `--clients 5 --rate 100/s --duration 1500ms ${tolerant}`;
      const { code, stdout } = await runSimulator(url, args).finally(() => clearInterval(talking));
      const { audit, reasons, misroutedOfOtherRuns } = parseResult(stdout, 'standard output');
      assert.equal(code, 1, reasons.join());
      const { delivered, lost } = audit;
      assert.deepEqual({ delivered, lost }, { delivered: 750, lost: 0 }, reasons.join());
      assert.ok(audit.misrouted > 0);
      assert.equal(misroutedOfOtherRuns, audit.misrouted);
      assert.match(reasons.join(), new RegExp(`${audit.misrouted} of them to another run`));
    } finally {
      intruder.terminate();
      await stopServer(child);
    }
  });

  test('what comes after its step counts as late in the next one, and nowhere else', async () => {
    const { url, child } = await startServer('delay', 1500);
    try {
      const args = `--clients 10 ${tolerant} --control --drain 500ms`;
      const run = startSimulator(`--url ${url} --warm-up 0s ${args}`);
      const step = { command: 'step', ratePerSecond: 100, durationSeconds: 2 } as const;
      run.child.stdin!.end(encodeCommand(step) + encodeCommand({ ...step, drainSeconds: 4 }));
      const { stdout } = await run.ended;
      const results = stdout.split('\n').flatMap((line) => {
        const event = parseEvent(line);
        return event?.event === 'step' ? [event.result] : [];
      });
      assert.equal(results.length, 2);
      const [first, second] = results as [LoadtestResult, LoadtestResult];
      assert.ok(first.audit.lost > 700 && first.audit.lost <= 1100, `${first.audit.lost} lost`);
      assert.equal(first.recoveredSeconds, null);
      // The second schedule begins at least 300 ms after the first drain.
      assert.ok(second.late > 200 && second.late <= first.audit.lost, `${second.late} late`);
      assert.deepEqual(faultsOf(second.audit), flawless);
      assert.equal(second.audit.delivered, 2000);
      assert.ok(second.recoveredSeconds! > 1.4 && second.recoveredSeconds! < 3);
    } finally {
      await stopServer(child);
    }
  });

  test('without a listening server, the run ends as for bad input, with the reason', async () => {
    const { url, child } = await startServer('none');
    await stopServer(child);
    const { code, stdout, stderr } = await runSimulator(url, small);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /no connection could be opened to ws:.*ECONNREFUSED \(20\); is the server running/);
  });
});
