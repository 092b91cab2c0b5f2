/** Steps on standing connections: by `--step`, and by commands on standard input. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { type ControlCommand, type ControlEvent, encodeCommand, parseEvent } from './result/control.ts';
import type { LoadtestResult, StepsResult } from './result/schema.ts';
import { startSimulator } from './simulator.fixture.ts';

const directory = mkdtempSync(join(tmpdir(), 'loadtest-steps-'));
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
let connections = 0;
/** The next message closes the newest connection. */
let closesOne = false;
/** Every message is held so long. */
let delayMs = 0;
let url = '';

before(async () => {
  if (server.address() === null) await once(server, 'listening');
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
  server.on('connection', (socket) => {
    connections++;
    socket.on('message', (data) => {
      if (closesOne) [...server.clients].at(-1)!.close(1013);
      closesOne = false;
      const deliver = () => {
        for (const client of server.clients) if (client.readyState === client.OPEN) client.send(String(data));
      };
      if (delayMs === 0) deliver();
      else setTimeout(deliver, delayMs);
    });
    socket.on('error', () => socket.terminate());
  });
});

after(async () => {
  for (const client of server.clients) client.terminate();
  await new Promise((done) => server.close(done));
  rmSync(directory, { recursive: true });
});

const base = '--clients 10 --workers 2 --warm-up 250ms --drain 2s --lag-limit 10s --turn-limit 10s';

function factsOf({ workload, audit, sent, late, recoveredSeconds }: LoadtestResult) {
  const { ratePerSecond, durationSeconds } = workload;
  const { delivered, lost, misrouted, duplicated } = audit;
  assert.ok(recoveredSeconds !== null && recoveredSeconds < 1, `recovered after ${recoveredSeconds} s`);
  return { ratePerSecond, durationSeconds, sent, delivered, faults: [lost, misrouted, duplicated, late] };
}

test('each step is audited for itself, on the same connections, and the summary has a line for each', async () => {
  const file = join(directory, 'steps.json');
  connections = 0;
  const { code, stdout } = await startSimulator(
    `--url ${url} ${base} --step 100/s:1s --step 200/s:1500ms --json ${file} --progress plain`,
  ).ended;
  assert.equal(code, 0, stdout);
  assert.equal(connections, 10);
  const { steps } = JSON.parse(readFileSync(file, 'utf8')) as StepsResult;
  assert.deepEqual(steps.map(factsOf), [
    { ratePerSecond: 100, durationSeconds: 1, sent: 100, delivered: 1000, faults: [0, 0, 0, 0] },
    { ratePerSecond: 200, durationSeconds: 1.5, sent: 300, delivered: 3000, faults: [0, 0, 0, 0] },
  ]);
  assert.match(
    stdout,
    /\n\nstep 1 of 2, 100 messages\/s\nverdict +pass\n.*\n\nstep 2 of 2, 200 messages\/s\n/s,
  );
  assert.match(stdout, /step +offered\/s .* verdict\n +1 +100 +100 .* pass\n +2 +200 +200 .* pass\n$/);
});

test('the exit code is that of the worst step', async () => {
  const { code, stdout } = await startSimulator(
    `--url ${url} ${base} --step 1000/s:500ms --step 100/s:500ms --limit achieved<500/s --progress plain`,
  ).ended;
  assert.equal(code, 1);
  assert.match(stdout, / fail\n.* pass\n$/);
});

test('commands on standard input run steps; a bad one is refused and changes nothing', async () => {
  const run = startSimulator(`--url ${url} ${base} --control`);
  const send = (command: ControlCommand) => run.child.stdin!.write(encodeCommand(command));
  connections = 0;
  send({ command: 'step', ratePerSecond: 100, durationSeconds: 0.5 });
  run.child.stdin!.write('{"command":"step","ratePerSecond":-1}\n');
  run.child.stdin!.write('{"command":"step","durationSeconds":86400,"ratePerSecond":1000000}\n');
  send({ command: 'step', ratePerSecond: 200, durationSeconds: 0.5, warmUpSeconds: 0, seed: 5 });
  send({ command: 'end' });
  const { code, stdout, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  assert.equal(connections, 10);
  const events = eventsOf(stdout);
  const answers = events.filter(({ event }) => event === 'step' || event === 'refused');
  assert.deepEqual(answers.map(({ event }) => event).join(), 'step,refused,refused,step');
  assert.match((answers[1] as { reason: string }).reason, /--rate must be a rate above 0/);
  assert.match((answers[2] as { reason: string }).reason, /a run holds at most/);
  assert.deepEqual(resultsOf(events).map(factsOf), [
    { ratePerSecond: 100, durationSeconds: 0.5, sent: 50, delivered: 500, faults: [0, 0, 0, 0] },
    { ratePerSecond: 200, durationSeconds: 0.5, sent: 100, delivered: 1000, faults: [0, 0, 0, 0] },
  ]);
  const phases = events.flatMap((event) => (event.event === 'phase' ? [event.phase] : []));
  const step = ['warm-up', 'measure', 'drain', 'idle'];
  assert.deepEqual(phases, ['connect', 'probe', 'idle', ...step, ...step, 'done']);
});

test('a user that was closed in a step is no recipient of the next, until it is asked to connect again', async () => {
  const run = startSimulator(`--url ${url} ${base} --senders 1 --control`);
  const step: ControlCommand = { command: 'step', ratePerSecond: 100, durationSeconds: 0.5 };
  run.child.stdin!.write(encodeCommand(step));
  await new Promise<void>((measuring) => {
    run.child.stdout!.on('data', (data) => {
      if (String(data).includes('"phase":"measure"')) measuring();
    });
  });
  closesOne = true;
  run.child.stdin!.write(encodeCommand(step));
  run.child.stdin!.end(encodeCommand({ ...step, reconnect: true }));
  assert.equal((await run.ended).code, 1);
  const results = resultsOf(eventsOf((await run.ended).stdout));
  assert.deepEqual(
    results.map(({ connections: { recipients, closedEarly } }) => ({ recipients, closedEarly })),
    [
      { recipients: 10, closedEarly: { 1013: 1 } },
      { recipients: 9, closedEarly: {} },
      { recipients: 10, closedEarly: {} },
    ],
  );
  assert.deepEqual(
    results.slice(1).map(({ audit, verdict, reasons }) => [audit.delivered, verdict, reasons]),
    [
      [450, 'pass', []],
      [500, 'pass', []],
    ],
  );
});

function eventsOf(stdout: string): ControlEvent[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => parseEvent(line)!);
}

function resultsOf(events: readonly ControlEvent[]): LoadtestResult[] {
  return events.flatMap((event) => (event.event === 'step' ? [event.result] : []));
}

test('a step whose senders were closed before it is void, because its load was never made', async () => {
  const run = startSimulator(`--url ${url} ${base} --senders 10 --control`);
  const step: ControlCommand = { command: 'step', ratePerSecond: 100, durationSeconds: 0.5 };
  closesOne = true;
  run.child.stdin!.end(encodeCommand(step) + encodeCommand(step));
  assert.equal((await run.ended).code, 3);
  const second = resultsOf(eventsOf((await run.ended).stdout))[1]!;
  assert.match(second.reasons[0]!, /the users of 5 messages had been closed in an earlier step/);
});

test('a step that asked for it ends as soon as its limit cannot hold, and is judged by what it saw', async () => {
  delayMs = 300;
  const run = startSimulator(`--url ${url} ${base} --limit p99<250ms --control`);
  const step: ControlCommand = { command: 'step', ratePerSecond: 100, durationSeconds: 4 };
  run.child.stdin!.write(encodeCommand({ ...step, abortOnFail: true }));
  run.child.stdin!.end(encodeCommand({ ...step, durationSeconds: 1 }));
  await run.ended;
  delayMs = 0;
  const [aborted, whole] = resultsOf(eventsOf((await run.ended).stdout)) as [LoadtestResult, LoadtestResult];
  assert.equal(aborted.verdict, 'fail', aborted.reasons.join());
  assert.ok(aborted.abortedAfterSeconds! > 0.25 && aborted.abortedAfterSeconds! < 2.5);
  assert.ok(aborted.sent < 250 && aborted.audit.lost === 0, `${aborted.sent} ${aborted.audit.lost}`);
  assert.ok(aborted.recoveredSeconds! < 1, String(aborted.recoveredSeconds));
  assert.match(aborted.reasons.at(-1)!, /ended after \d\.\d s of 4 s, because a limit could no longer hold/);
  assert.deepEqual([whole.abortedAfterSeconds, whole.sent, whole.audit.lost, whole.late], [null, 100, 0, 0]);
});
