/**
 * People with accounts on the real server: away, back, through a node that dies, in a pipe and on a terminal.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, afterEach, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findRedis, noRedis } from '../testing/redis.ts';
import { ServerProcess } from '../testing/server.ts';
import { register } from './core/account-service.ts';
import { PersonClient } from './core/person-client.ts';
import type { SentMessage } from './core/sent-messages.ts';
import { wsSockets } from './terminal/ws-socket.ts';

const mainPath = fileURLToPath(new URL('./main.ts', import.meta.url));
const startRedis = await findRedis();
/** Hashing is made cheap: these tests are not about it. */
const cheap = [
  '--password-memory',
  '64KiB',
  '--password-passes',
  '1',
  '--registrations-per-address-max',
  '1000',
];
const passwordOf = (user: string) => `the password of ${user}`;
const deadlineMs = 20_000;

describe('people with accounts', { skip: startRedis === null && noRedis }, () => {
  let redis: { url: string } & AsyncDisposable;
  before(async () => {
    redis = await startRedis!();
  });
  after(() => redis[Symbol.asyncDispose]());

  const opened: PersonClient[] = [];
  afterEach(() => {
    for (const { chat } of opened.splice(0)) chat.close();
  });

  /** A node of a chat of its own, on a port of its own or on that one. */
  const startNode = (channel: string, port = '0') =>
    ServerProcess.start('07-mailbox', [
      ...['--redis-url', redis.url, '--redis-namespace', channel, '--port', port],
      ...cheap,
    ]);

  async function startChat(...users: string[]) {
    const channel = `test-${randomUUID().slice(0, 8)}`;
    const node = await startNode(channel);
    for (const user of users) {
      const made = await register({ chatUrl: node.url(), headers: {} }, { user, password: passwordOf(user) });
      assert.equal(made.result, 'ok', user);
    }
    return { channel, node };
  }

  /** A person on a device, and everything they hear. */
  async function comeIn(node: ServerProcess, user: string, device = 'test') {
    const options = { url: node.url('tea'), clientId: user, openSocket: wsSockets(), waitMsMax: 300 };
    const person = new PersonClient({ ...options, heartbeatIntervalMs: 1_000 }, device);
    opened.push(person);
    const heard: string[] = [];
    person.events.on('message', ({ from, Message }) => heard.push(`${from}: ${Message}`));
    person.events.on('missing', ({ from, to }) => heard.push(`missing ${from} to ${to}`));
    person.chat.connect();
    const outcome = await person.account.login({ user, password: passwordOf(user) });
    assert.equal(outcome.result, 'ok');
    const leave = async (): Promise<void> => {
      const gone = new Promise((done) => person.chat.events.on('closed', ({ final }) => final && done(null)));
      person.chat.close();
      await gone;
    };
    return { person, heard, leave, waiting: outcome.result === 'ok' ? outcome.waiting : 0 };
  }

  test('who is away gets everything once, in order, and the sender is told how far it has come', async () => {
    const { node } = await startChat('alice', 'bob');
    await using _node = node;
    const alice = await comeIn(node, 'alice');
    const sent = ['one', 'two', 'three'].map((line) => alice.person.say('bob', line)!);
    await holds(
      () => sent.every(({ mark }) => mark === 'stored'),
      () => marksOf(sent),
    );
    const bob = await comeIn(node, 'bob');
    assert.equal(bob.waiting, 3);
    await holds(
      () => sent.every(({ mark }) => mark === 'received'),
      () => marksOf(sent),
    );
    assert.deepEqual(bob.heard, ['alice: one', 'alice: two', 'alice: three']);
    // The sender is away when it is read, and is told at the next login.
    await alice.leave();
    bob.person.markRead({ from: 'alice', seq: 3 });
    const reply = bob.person.say('alice', 'read it all')!;
    await holds(
      () => reply.mark === 'stored',
      () => reply.mark,
    );
    const back = await comeIn(node, 'alice');
    await holds(
      () => back.heard.length === 1,
      () => back.heard,
    );
    await holds(
      () => reply.mark === 'received',
      () => reply.mark,
    );
    const fourth = back.person.say('bob', 'four')!;
    await holds(
      () => fourth.mark === 'received',
      () => fourth.mark,
    );
    assert.deepEqual(bob.heard.at(-1), 'alice: four');
    await Promise.all([back.leave(), bob.leave()]);
  });

  test('through a node that is killed, messages are stored once, delivered once, and marked', async () => {
    const { channel, node } = await startChat('alice', 'bob');
    const port = new URL(node.origin).port;
    const alice = await comeIn(node, 'alice');
    const bob = await comeIn(node, 'bob');
    const lines = Array.from({ length: 60 }, (_, index) => `line ${index}`);
    const sent: SentMessage[] = [];
    for (const line of lines.slice(0, 30)) sent.push(alice.person.say('bob', line)!);
    await holds(
      () => bob.heard.length >= 5,
      () => bob.heard.length,
    );
    await node.stop('SIGKILL');
    for (const line of lines.slice(30)) sent.push(alice.person.say('bob', line)!);
    await using _second = await startNode(channel, port);
    await holds(
      () => sent.every(({ mark }) => mark === 'received'),
      () => marksOf(sent),
    );
    assert.deepEqual(
      bob.heard,
      lines.map((line) => `alice: ${line}`),
    );
    bob.person.markRead({ from: 'alice', seq: 60 });
    await holds(
      () => sent.every(({ mark }) => mark === 'read'),
      () => marksOf(sent),
    );
    await Promise.all([alice.leave(), bob.leave()]);
  });

  test('presence of the watched, and typing, reach a person; an unknown person is told', async () => {
    const { node } = await startChat('alice', 'bob');
    await using _node = node;
    const alice = await comeIn(node, 'alice');
    alice.person.presence.watch('bob');
    await holds(
      () => alice.person.presence.stateOf('bob') === 'away',
      () => 'away',
    );
    const bob = await comeIn(node, 'bob');
    await holds(
      () => alice.person.presence.stateOf('bob') === 'online',
      () => 'online',
    );
    bob.person.presence.write('alice');
    await holds(
      () => alice.person.presence.typing.includes('bob'),
      () => 'typing',
    );
    const nobody = alice.person.say('nobody-here', 'hello?')!;
    await holds(
      () => nobody.mark === 'unknown',
      () => nobody.mark,
    );
    await bob.leave();
    await holds(
      () => alice.person.presence.stateOf('bob') === 'away',
      () => 'away again',
    );
    await alice.leave();
  });

  test('a second login of the device ends the first one, which does not fight for its place', async () => {
    const { node } = await startChat('alice');
    await using _node = node;
    const first = await comeIn(node, 'alice');
    const closed = new Promise<number>((done) =>
      first.person.chat.events.on('closed', ({ end, final }) => {
        if (final && end.kind === 'closed') done(end.code);
      }),
    );
    const second = await comeIn(node, 'alice');
    assert.equal(await closed, 4013);
    assert.equal(second.person.account.isSignedIn, true);
    await second.leave();
  });

  test('in a pipe: each line is stored for the other; what waits is printed; a password is never an argument', async () => {
    const { node } = await startChat('alice', 'bob');
    await using _node = node;
    const file = join(tmpdir(), `client-password-${process.pid}`);
    writeFileSync(file, `${passwordOf('alice')}\n`);
    const url = node.url('tea');
    const args = ['--url', url, '--user', 'alice', '--password-file', file, '--to', 'bob'];
    const sent = await run(args, 'first\nsecond\n');
    assert.deepEqual(sent, { code: 0, stdout: '', stderr: '' });
    const wrong = await run([...args.slice(0, -1), 'nobody'], 'hi\n');
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /"hi" not delivered: nobody has the name nobody\n/);
    rmSync(file);
    const env = { CLIENT_PASSWORD: passwordOf('bob') };
    const child = spawn(process.execPath, [mainPath, '--url', url, '--user', 'bob', '--json', '--listen'], {
      env: { PATH: process.env.PATH, ...env },
    });
    child.stdin.end();
    const lines: string[] = [];
    child.stdout.on('data', (data) => lines.push(...String(data).trim().split('\n')));
    await holds(
      () => lines.length === 2,
      () => lines,
    );
    child.kill('SIGKILL');
    await once(child, 'close');
    const messages = lines.map((line) => JSON.parse(line) as { from: string; seq: number; Message: string });
    assert.deepEqual(
      messages.map(({ from, seq, Message }) => [from, seq, Message]),
      [
        ['alice', 1, 'first'],
        ['alice', 2, 'second'],
      ],
    );
    const refused = await run(['--url', url, '--user', 'bob'], 'hi\n', {
      CLIENT_PASSWORD: 'not the password',
    });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /not logged in: the name or the password is wrong\n/);
    const without = await run(['--url', url, '--user', 'bob'], 'hi\n');
    assert.equal(without.code, 2);
    assert.match(without.stderr, /Required in a pipe: the password in CLIENT_PASSWORD or in --password-file/);
    assert.equal((await run(['--url', url, '--password', 'x'], '')).code, 2);
  });

  test('a stage without accounts answers a login kindly', async () => {
    await using node = await ServerProcess.start('03-cursor');
    const env = { CLIENT_PASSWORD: passwordOf('bob') };
    const { code, stderr } = await run(['--url', node.url(), '--user', 'bob'], 'hi\n', env);
    assert.equal(code, 1);
    assert.match(stderr, /this server has no accounts: its stage is older than 07-mailbox/);
  });
});

const marksOf = (sent: readonly SentMessage[]) => sent.map(({ text, mark }) => `${text} ${mark}`);

/** Waits until something holds; rejects with what there is at last. */
async function holds(condition: () => boolean, shown: () => unknown): Promise<void> {
  const endAtMs = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > endAtMs) throw new Error(`never came to hold: ${JSON.stringify(shown())}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}

/** Runs the client to its end with that standard input. */
async function run(args: readonly string[], input: string, env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [mainPath, ...args], { env: { PATH: process.env.PATH, ...env } });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [[code], stdout, stderr] = await Promise.all([
    once(child, 'exit'),
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, stdout, stderr };
}
