/** A supervisor and its workers: workers that die are restarted, and counters never fall. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Person } from '../../testing/person.ts';
import { within } from '../../testing/raw-session.ts';
import { ServerProcess } from '../../testing/server.ts';
import { until } from '../../testing/until.ts';

const start = (...args: string[]) => ServerProcess.start('04-cores', ['--workers', '3', ...args]);

test('connections are spread over the workers, and every session hears all others', async () => {
  await using server = await start();
  const people = await Person.joinAll(server.url(), ids('p', 24));
  for (const person of people) person.say('hello');
  await Promise.all(people.map((person) => person.hears(24)));
  for (const { messages } of people) {
    assert.equal(new Set(messages.map(({ clientId }) => clientId)).size, 24);
  }
  // Each worker that has sessions counts the one room. All 24 are on one of three workers once in 10^11.
  await server.reaches('chat_sessions', 24);
  assert.ok((await server.metrics())('chat_rooms') > 1);
});

test('a killed worker costs only its own sessions, is restarted, and its counts stay in the sums', async () => {
  await using server = await start();
  const people = await Person.joinAll(server.url(), ids('p', 12));
  people[0]!.say('before');
  await Promise.all(people.map((person) => person.hears(1)));
  await server.reaches('chat_deliveries_total', 12);
  const [victim] = workersOf(server.pid);
  process.kill(victim!, 'SIGKILL');
  await server.eventually(
    (now) => [now('chat_worker_restarts_total'), now('chat_workers_ready')],
    ([restarts, ready]) => restarts === 1 && ready === 3,
  );
  const cutOff = await Promise.all(people.map((person) => isClosed(person)));
  const stayed = people.filter((_, index) => !cutOff[index]);
  assert.ok(stayed.length > 0 && stayed.length < 12, `${stayed.length} of 12 stayed`);
  const newcomers = await Person.joinAll(server.url(), ids('n', 12));
  newcomers[0]!.say('after');
  for (const person of stayed) await person.hears(2);
  for (const person of newcomers) await person.hears(1);
  await server.reaches('chat_deliveries_total', 12 + stayed.length + newcomers.length);
  assert.deepEqual(server.log.map(({ event }) => event).slice(1), ['worker ended', 'worker restarted']);
});

test('a frozen worker is disconnected by the others, and when it wakes only its sessions are told', async () => {
  const options = '--workers 2 --message-size-max 64KiB --message-rate-max 10000/s';
  await using server = await start(...options.split(' '));
  const people = await Person.joinAll(server.url(), ids('p', 16));
  const talker = await Person.join(server.url('elsewhere'), 'talker');
  const frozen = await freezeTheOther(server, talker);
  // The kernel's socket buffers between the two take some messages; the rest waits in the other worker.
  const chunk = 'x'.repeat(60_000);
  for (let round = 0; round < 60; round++) {
    talker.say(chunk);
    await sleep(1);
  }
  await sleep(3000);
  process.kill(frozen, 'SIGCONT');
  const told = await Promise.all(people.map((person) => isClosed(person)));
  const goodbyes = await Promise.all(people.filter((_, index) => told[index]).map(({ closed }) => closed));
  assert.ok(goodbyes.length > 0 && goodbyes.length < 16, `${goodbyes.length} of 16 were told`);
  for (const { code } of goodbyes) assert.equal(code, 1012);
  await server.reaches('chat_backplane_suspected_losses_total', 1);
});

test('a worker that hangs is killed and replaced, and then every newcomer is answered', async () => {
  await using server = await start('--worker-silence-max', '1500ms');
  const before = workersOf(server.pid);
  process.kill(before[1]!, 'SIGSTOP');
  await server.eventually(
    (now) => [now('chat_worker_restarts_total'), now('chat_workers_ready')],
    ([restarts, ready]) => restarts === 1 && ready === 3,
  );
  const silent = server.log.find(({ event }) => event === 'worker silent');
  assert.deepEqual([silent?.worker, silent?.pid], [1, before[1]]);
  const people = await within(2_000, Promise.all(ids('p', 20).map((id) => Person.join(server.url(), id))));
  people[0]!.say('hello');
  await Promise.all(people.map((person) => person.hears(1)));
});

test('a worker that dies while another hangs is replaced too', async () => {
  await using server = await start('--worker-silence-max', '1500ms');
  const [, hung, dying] = workersOf(server.pid);
  process.kill(hung!, 'SIGSTOP');
  process.kill(dying!, 'SIGKILL');
  await server.eventually(
    (now) => [now('chat_worker_restarts_total'), now('chat_workers_ready')],
    ([restarts, ready]) => restarts === 2 && ready === 3,
  );
});

test('when the sockets of the workers are removed and one of them dies, people still hear all others', async () => {
  const tmp = mkdtempSync(join(tmpdir(), 'chat-supervisor-'));
  await using server = await ServerProcess.start('04-cores', ['--workers', '3'], [], {
    env: { TMPDIR: tmp },
  });
  const [directory] = readdirSync(tmp);
  for (const socket of readdirSync(join(tmp, directory!))) rmSync(join(tmp, directory!, socket));
  process.kill(workersOf(server.pid)[0]!, 'SIGKILL');
  await server.eventually(
    (now) => [now('chat_worker_restarts_total'), now('chat_workers_ready')],
    ([restarts, ready]) => restarts === 1 && ready === 3,
  );
  const people = await Person.joinAll(server.url(), ids('p', 12));
  for (const person of people) person.say('hello');
  await Promise.all(people.map((person) => person.hears(12)));
  await server.stop();
  assert.deepEqual(readdirSync(tmp), [], 'nothing is left behind');
  rmSync(tmp, { recursive: true });
});

test('a supervisor that is killed leaves no directory behind, and one killed with its workers only until the next', async () => {
  const tmp = mkdtempSync(join(tmpdir(), 'chat-supervisor-'));
  const begin = () => ServerProcess.start('04-cores', ['--workers', '2'], [], { env: { TMPDIR: tmp } });
  const alone = await begin();
  process.kill(alone.pid, 'SIGKILL');
  await until(() => readdirSync(tmp).length === 0, 'removed by the last worker');
  const withWorkers = await begin();
  for (const pid of [withWorkers.pid, ...workersOf(withWorkers.pid)]) process.kill(pid, 'SIGKILL');
  const [left] = readdirSync(tmp);
  const longAgo = new Date(Date.now() - 120_000);
  utimesSync(join(tmp, left!), longAgo, longAgo);
  await using _next = await begin();
  await until(() => !existsSync(join(tmp, left!)), 'removed by the next supervisor');
  await _next.stop();
  rmSync(tmp, { recursive: true });
});

test('a port that is taken is reported at once, also when it could be shared', async () => {
  await using server = await start();
  const { port } = new URL(server.origin);
  await assert.rejects(start('--port', port), /EADDRINUSE.*--port/s);
});

test('workers do not outlive a supervisor that is killed', async () => {
  const server = await start();
  const workers = workersOf(server.pid);
  assert.equal(workers.length, 3);
  process.kill(server.pid, 'SIGKILL');
  await until(() => workers.every((pid) => !existsSync(`/proc/${pid}`)), 'all workers ended');
});

function ids(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, number) => `${prefix}${number}`);
}

function workersOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

/** Whether this person's connection is closed within half a second. */
function isClosed(person: Person): Promise<boolean> {
  return Promise.race([person.closed.then(() => true), sleep(500, false)]);
}

/** Freezes the worker, of two, that does not serve the talker: the talker still hears itself then. */
async function freezeTheOther(server: ServerProcess, talker: Person): Promise<number> {
  for (const worker of workersOf(server.pid)) {
    process.kill(worker, 'SIGSTOP');
    const heard = talker.heard.length;
    talker.say('is my worker awake?');
    await sleep(300);
    if (talker.heard.length > heard) return worker;
    process.kill(worker, 'SIGCONT');
    await talker.hears(heard + 1);
  }
  throw new Error('neither worker serves the talker');
}
