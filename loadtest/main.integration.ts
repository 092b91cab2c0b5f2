/** The command from outside: help, mistakes, progress, metrics, stalled readers, Ctrl-C. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import { readResult } from './result/schema.ts';
import { startSimulator, withRetries } from './simulator.fixture.ts';

const directory = mkdtempSync(join(tmpdir(), 'loadtest-'));
/** Sends each message to all clients of the same path, and closes a client that reads too slowly. */
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
await once(server, 'listening');
const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
const rooms = new WeakMap<WebSocket, string | undefined>();
server.on('connection', (socket, request) => {
  rooms.set(socket, request.url);
  socket.on('message', (data) => {
    if (heldMs > 0 && request.url?.endsWith('held'))
      setTimeout(() => broadcast(request.url, String(data)), heldMs);
    else broadcast(request.url, String(data));
  });
  socket.on('error', () => socket.terminate());
});

after(async () => {
  for (const client of server.clients) client.terminate();
  await new Promise((done) => server.close(done));
  rmSync(directory, { recursive: true });
});

/** How long the server holds each message. */
let heldMs = 0;

function broadcast(room: string | undefined, text: string): void {
  for (const client of server.clients as Set<WebSocket>) {
    if (rooms.get(client) !== room) continue;
    if (client.bufferedAmount > 100_000) client.terminate();
    else client.send(text);
  }
}

/** Starts a run in a room of its own, whose result goes to a file. */
function startRun(room: string, load: string) {
  const file = join(directory, `${room}.json`);
  const run = startSimulator(`--url ${url}/${room} ${brief} ${load} --json ${file}`);
  return { ...run, result: () => readResult(file) };
}

/** Long limits: these tests share a machine, and the simulator's health is not their question. */
const brief = '--warm-up 0s --drain 4s --lag-limit 10s --turn-limit 10s';

describe('the command', { concurrency: 3 }, () => {
  test('a misspelt variable is told, beside other mistakes', async () => {
    for (const alsoWrong of ['--url nonsense', '--rat 5/s']) {
      const { code, stderr } = await startSimulator(alsoWrong, { LOADTEST_CLIENT: '5' }).ended;
      assert.equal(code, 2);
      assert.match(stderr, /^Not read, .*: LOADTEST_CLIENT \(did you mean LOADTEST_CLIENTS\?\)\.\n./);
    }
  });

  test('--help has every option with its variable and default, the limits and the exit codes', async () => {
    const { code, stdout } = await startSimulator('--help').ended;
    assert.equal(code, 0);
    const words = ['--clients <n>', 'LOADTEST_CLIENTS', 'default: 100', '130', 'interrupted', 'p99<250ms'];
    for (const word of [...words, 'reordered']) assert.ok(stdout.includes(word), word);
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
  });

  test('all mistakes are printed at once on standard error, with exit code 2, and nothing is started', async () => {
    const mistaken = startSimulator(`--url ${url} --clients many`, { LOADTEST_RATE: '70ms' });
    const { code, stdout, stderr } = await mistaken.ended;
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /--clients must be.*given: many\n--rate must be.*given: 70ms\nNothing was started/);
    assert.equal((await startSimulator('--clints 5').ended).code, 2);
    const unable = await startSimulator(`--url ${url} --metrics-port ${new URL(url).port}`).ended;
    assert.equal(unable.code, 2);
    assert.match(unable.stderr, /--metrics-port \d+ on 127.0.0.1 cannot be used: .*EADDRINUSE/);
  });

  test('json progress is one object per line: the phases in order, and every second', async () => {
    const load = '--warm-up 1s --clients 5 --rate 50/s --duration 2s';
    const { code, stdout } = await startRun('json', `${load} --progress json`).ended;
    assert.equal(code, 0);
    const lines = stdout.trim().split('\n');
    const events = lines.map((line) => JSON.parse(line));
    const phases = events.filter(({ event }) => event === 'phase').map(({ phase }) => phase);
    assert.deepEqual(phases, ['connect', 'probe', 'warm-up', 'measure', 'drain', 'done']);
    const seconds = events.filter(({ event }) => event === 'second');
    const [first, second, third, ...last] = seconds.map(({ phase }) => phase);
    assert.deepEqual([first, second, third], ['warm-up', 'measure', 'measure']);
    assert.deepEqual(new Set(last), new Set(['drain']));
    const sent = seconds.reduce((sum, { sentPerSecond }) => sum + sentPerSecond, 0);
    assert.equal(sent, 132, '50/s for 3 s, less half of the ramp of 0.75 s');
    assert.equal(seconds[1].sessionsOpen, 5);
  });

  test('the metrics agree with the result', () =>
    withRetries(async () => {
      const load = '--clients 10 --rate 100/s --duration 2s';
      const run = startRun('metrics', `${load} --metrics-port 0 --progress none --stage-label 03-cursor`);
      const port = await metricsPortOf(run.child);
      const samples = new Map<string, number>();
      for (let ended = false; !ended; ) {
        ended = await Promise.race([run.ended.then(() => true), sleep(100, false)]);
        const metrics = fetch(`http://127.0.0.1:${port}/metrics`);
        const text = await metrics.then((response) => response.text()).catch(() => '');
        for (const [, name = '', value] of text.matchAll(/^(loadtest_\S+) (\S+)$/gm)) {
          assert.match(name, /\bstage="03-cursor"/);
          samples.set(name.replace(/,?stage="03-cursor"/, '').replace('{}', ''), Number(value));
        }
      }
      const { sent, audit, deliveryLatencyMs } = run.result();
      const sample = (name: string) => samples.get(`loadtest_${name}`);
      assert.equal(sample('messages_sent_total'), sent);
      assert.equal(sample('deliveries_total'), audit.delivered);
      assert.equal(sample('delivery_latency_seconds_count'), audit.delivered);
      assert.equal(sample('delivery_latency_seconds_bucket{le="30"}'), audit.delivered);
      const meanMs = (sample('delivery_latency_seconds_sum')! / audit.delivered) * 1000;
      assert.ok(Math.abs(meanMs / deliveryLatencyMs.mean - 1) < 0.01, `${meanMs} ms`);
      assert.equal(sample('schedule_lag_seconds_count'), sent);
      assert.equal(sample('offered_messages_per_second'), 100);
      assert.equal(sample('audit_total{outcome="misrouted"}'), audit.misrouted);
    }));

  test('Ctrl-C keeps the measured part as an interrupted result, and leaves no process behind', async () => {
    const run = startRun('interrupted', '--clients 8 --rate 80/s --duration 60s --progress json');
    let seconds = 0;
    run.child.stdout!.on('data', (data) => {
      seconds += String(data).split('"event":"second"').length - 1;
      if (seconds >= 2 && !run.child.killed) run.child.kill('SIGINT');
    });
    assert.equal((await run.ended).code, 130);
    const result = run.result();
    assert.ok(result.interrupted);
    assert.equal(result.verdict, 'void');
    assert.match(result.reasons.join(), /interrupted after [1-9][\d.]* s of 60 s/);
    assert.ok(result.sent >= 150 && result.sent < 1000, `${result.sent} sent`);
    assert.equal(result.audit.lost, 0);
  });

  test('Ctrl-C is called an interruption, and deliveries under way are not called lost', async () => {
    heldMs = 1500;
    const run = startRun('held', '--clients 8 --rate 80/s --duration 60s --progress plain');
    let seconds = 0;
    run.child.stdout!.on('data', (data) => {
      seconds += String(data).split('deliveries/s').length - 1;
      if (seconds >= 3 && !run.child.killed) run.child.kill('SIGINT');
    });
    const { code, stdout } = await run.ended;
    heldMs = 0;
    assert.equal(code, 130);
    const { audit, underWay, reasons } = run.result();
    assert.match(
      stdout,
      /^verdict +interrupted\n +- the run was interrupted after [\d.]+ s of 60 s\nlimits /m,
    );
    assert.deepEqual(reasons.length, 1);
    // 0.5 s are not waited for: the drain after an interruption takes 1 s.
    assert.ok(underWay! > 8 * 20 && underWay! < 8 * 80 * 2, `${underWay} under way`);
    assert.equal(audit.lost, 0);
    assert.equal(audit.expected, audit.delivered);
    assert.match(stdout, new RegExp(`^ +${underWay} more were under way when the run was stopped$`, 'm'));
    assert.doesNotMatch(stdout, /outstanding|simulator failed/);
  });

  test('a result that standard output does not take is told in one sentence', async () => {
    const load = '--clients 2 --rate 20/s --duration 500ms --json -';
    const run = startSimulator(`--url ${url}/full ${brief} ${load}`, {}, 'exec >/dev/full');
    const { code, stderr } = await run.ended;
    assert.equal(code, 4, stderr);
    assert.match(stderr, /^The result could not be written to standard output: .*ENOSPC.*$/m);
    assert.doesNotMatch(stderr, /\n +at /);
  });

  test('Ctrl-C before anything was measured ends without a result', async () => {
    const run = startRun('early', '--clients 1000 --connect-rate 10/s');
    await once(run.child.stdout!, 'data');
    run.child.kill('SIGINT');
    const { code, stderr } = await run.ended;
    assert.equal(code, 130);
    assert.match(stderr, /Interrupted before anything was measured/);
  });

  test('churn users come and go, at most at the given rate, without an effect on the audit', async () => {
    const load = '--clients 10 --rate 100/s --duration 3s --churn 40/s --workers 2';
    const run = startRun('churn', `${load} --progress plain`);
    const { code, stdout } = await run.ended;
    assert.equal(code, 0, stdout);
    const { churn, audit, connections } = run.result();
    assert.ok(churn.asked > 40 && churn.asked <= 120, `${churn.asked} churn users`);
    assert.equal(churn.opened, churn.asked);
    assert.deepEqual(churn.refused, {});
    assert.equal(churn.connectMs.count, churn.opened);
    assert.equal(connections.asked, 10);
    assert.equal(audit.delivered, 3000);
    assert.match(stdout, /^churn users +\d+ of \d+ opened, handshake p99 [\d.]+ ms$/m);
  });

  test('a worker that dies makes the run void, and leaves no other worker behind', async () => {
    const run = startRun('dying', '--clients 4 --workers 2 --duration 60s');
    while (workersOf(run.child).length < 2) await sleep(20);
    const [victim, other] = workersOf(run.child);
    process.kill(Number(victim), 'SIGKILL');
    const { code, stderr } = await run.ended;
    assert.equal(code, 3);
    assert.match(stderr, /The run is void: worker \d ended before its time \(SIGKILL\)/);
    assert.throws(() => process.kill(Number(other), 0), { code: 'ESRCH' });
  });

  test('a stalled reader stays until the server closes it, and the close is reported', async () => {
    const load = '--clients 4 --rate 100/s --payload-size 60000B --duration 5s --stalled-readers 3';
    const run = startRun('stalled', `${load} --progress none`);
    await run.ended;
    const { stalled, audit, connections } = run.result();
    assert.equal(stalled.opened, 3);
    assert.equal(stalled.closed, 3, 'the server sends 6 MB a second to each');
    assert.equal(stalled.closedAfterMs.length, 3);
    assert.ok(stalled.closedAfterMs.every((ms) => ms > 0 && ms < 8000));
    assert.equal(connections.asked, 4, 'stalled readers are no virtual users');
    assert.equal(audit.expected, 4 * 500);
    assert.equal(audit.lost, 0);
  });
});

/** The process ids of a run's workers. */
function workersOf(child: ChildProcess): string[] {
  return readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ').filter(Boolean);
}

/** The port of the metrics, as the process prints it. */
async function metricsPortOf(child: ChildProcess): Promise<string> {
  const [announcement] = await once(child.stderr!, 'data');
  return /^metrics: http:\/\/127\.0\.0\.1:(\d+)\/metrics/.exec(String(announcement))![1]!;
}
