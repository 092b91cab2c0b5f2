/** The client as a process, in a pipe. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ServerProcess } from '../testing/server.ts';
import { RoomServer } from './core/room-server.fixture.ts';

const mainPath = fileURLToPath(new URL('./main.ts', import.meta.url));

function start(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [mainPath, ...args], { env: { PATH: process.env.PATH, ...env } });
}

/** Runs the client to its end with that standard input. */
async function run(args: readonly string[], input: string, env: Record<string, string> = {}) {
  const child = start(args, env);
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  const [[code], stdout, stderr] = await Promise.all([
    once(child, 'exit'),
    text(child.stdout!),
    text(child.stderr!),
  ]);
  return { code, stdout, stderr };
}

test('it exits after the echo of every line, and prints messages as clientId: Message', async () => {
  await using server = await RoomServer.start();
  const relay = server.relay;
  // A slow room: a client that does not wait for the echoes exits before them.
  server.relay = (clientId, message) => setTimeout(() => relay(clientId, message), 100);
  const args = ['--url', server.url, '--id', 'bot', '--room', 'tea'];
  const result = await run(args, 'hi\n\nübrigens 👋');
  assert.deepEqual(result, { code: 0, stdout: 'bot: hi\nbot: \nbot: übrigens 👋\n', stderr: '' });
  assert.equal(server.handshakes[0]?.url, '/ws/tea?after=');
});

test('it reads its environment variables, and prints JSON on request', async () => {
  await using server = await RoomServer.start();
  const env = { CLIENT_URL: server.url, CLIENT_ID: 'bot', CLIENT_JSON: '1' };
  const { code, stdout } = await run([], 'a\u001b[2Jb\n', env);
  assert.deepEqual({ code, stdout }, { code: 0, stdout: '{"clientId":"bot","Message":"a\\u001b[2Jb"}\n' });
  const off = await run([], 'a\n', { ...env, CLIENT_JSON: '0' });
  assert.deepEqual(off.stdout, 'bot: a\n');
});

test('lines without an echo, and lines too long to send, are counted and make it exit 1', async () => {
  await using server = await RoomServer.start();
  server.relay = () => {};
  const args = ['--url', server.url, '--id', 'bot', '--echo-wait', '50ms'];
  const { code, stdout, stderr } = await run(args, `hi\n${'x'.repeat(4_097)}\n`);
  assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
  assert.match(stderr, /line 2 not sent: it has 4097 bytes, the limit is 4096\n/);
  assert.match(stderr, /1 line not confirmed: the room did not send it back\n/);
});

test('without --id the login name is the clientId; an old name and a bare number are told', async () => {
  await using server = await RoomServer.start();
  const { code, stdout, stderr } = await run(['--url', server.url, '--echo-wait-ms', '4000'], 'hi\n');
  assert.deepEqual({ code, stdout }, { code: 0, stdout: `${userInfo().username}: hi\n` });
  assert.equal(stderr, 'Old names, still read: --echo-wait-ms (now --echo-wait 4000ms).\n');
  const bare = await run(['--url', server.url, '--echo-wait', '4000'], '');
  assert.equal(bare.code, 2);
  assert.match(
    bare.stderr,
    /^Change --echo-wait\. Required: a time .* such as 250ms or 5s\. Given: "4000"\.$/m,
  );
});

test('a misspelt variable is told', async () => {
  await using server = await RoomServer.start();
  const env = { CLIENT_URL: server.url, CLIENT_ID: 'bot', CLIENT_ROM: 'tea' };
  const { code, stderr } = await run([], 'hi\n', env);
  const told = 'Not read, because no setting has that name: CLIENT_ROM (did you mean CLIENT_ROOM?).\n';
  assert.deepEqual({ code, stderr }, { code: 0, stderr: told });
  const refused = await run(['--rom', 'tea'], '', env);
  assert.equal(refused.code, 2);
  assert.ok(refused.stderr.startsWith(`${told}error: unknown option`), refused.stderr);
});

test('a refusal is printed in words and makes it exit 1 without waiting for more input', async () => {
  await using server = await RoomServer.start();
  server.refusal = 'HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n';
  const child = start(['--url', server.url, '--id', 'bot']);
  const [[code], stderr] = await Promise.all([once(child, 'exit'), text(child.stderr!)]);
  assert.equal(code, 1);
  assert.match(stderr, /HTTP 403.*not admitted.*not reconnecting/);
});

test('nothing to send is no success where nothing listens', async () => {
  const { code, stderr } = await run(
    ['--url', 'ws://127.0.0.1:1/ws', '--id', 'bot', '--attempts-max', '2'],
    '',
  );
  assert.equal(code, 1);
  assert.match(stderr, /ECONNREFUSED\); gave up after 2 attempts\n$/);
});

test('nothing to send to a room is a success', async () => {
  await using server = await RoomServer.start();
  assert.deepEqual(await run(['--url', server.url, '--id', 'bot'], ''), { code: 0, stdout: '', stderr: '' });
});

test('a wrong token is named as the cause, in the words of the server', async () => {
  await using server = await ServerProcess.start('03-cursor', [], [], { env: { CHAT_TOKEN: 'right' } });
  const { code, stderr } = await run(['--url', server.url(), '--id', 'bot', '--token', 'wrong'], 'hi\n');
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^client: the server did not admit this client: wrong or missing token \[1008\]; not reconnecting\n/,
  );
});

test('with --listen it stays after the end of its input, until the server closes the connection', async () => {
  await using server = await RoomServer.start();
  const child = start(['--url', server.url, '--id', 'log', '--listen']);
  child.stdin?.end('here\n');
  const lines = text(child.stdout!);
  await once(child.stdout!, 'readable');
  server.say('bob', 'still listening?');
  server.closeAll(1000);
  const [code] = await once(child, 'exit');
  assert.deepEqual({ code, stdout: await lines }, { code: 0, stdout: 'log: here\nbob: still listening?\n' });
});

test('in a pipe, messages stay the only output; standard error says whether any were missed', async () => {
  await using server = await RoomServer.start();
  server.epoch = 'e1';
  const connect = server.url.replace(/^ws(.*)\/ws$/, 'http$1');
  server.connectAnswers = [{ status: 200, body: JSON.stringify({ url: `${server.url}/tea` }) }];
  const child = start(['--connect', connect, '--room', 'tea', '--id', 'log', '--listen', '--json']);
  child.stdin?.end('here\n');
  const [lines, notices] = [text(child.stdout!), text(child.stderr!)];
  await once(child.stdout!, 'readable');
  const missed = new Promise((done) =>
    child.stderr!.on('data', (data) => /missed/.test(String(data)) && done(null)),
  );
  const noted = once(child.stderr!, 'data');
  server.closeAll(4012, 'reconnect after 300 ms');
  await noted;
  server.say('bob', 'late');
  await missed;
  server.closeAll(1000);
  await once(child, 'exit');
  const output = ['{"clientId":"log","Message":"here"}', '{"clientId":"bob","Message":"late"}', ''];
  assert.equal(await lines, output.join('\n'));
  assert.match(await notices, /client: connected again\nclient: you missed nothing: 1 message came late\n/);
  assert.deepEqual(server.connectRequests, ['/connect?room=tea', '/connect?room=tea']);
  assert.equal(server.handshakes[1]?.url, '/ws/tea?after=e1.1');
});

test('all mistakes are reported at once, with what is required and what was given, and it exits 2', async () => {
  const wrong = ['--url', 'http://x', '--connect', 'ws://x', '--room', 'a b', '--attempts-max', '0'];
  const { code, stderr } = await run(wrong, '');
  assert.equal(code, 2);
  const lines = stderr.split('\n').filter((line) => line.includes('Required:'));
  const flags = lines.map((line) => /--(id|url|connect|room|attempts-max)/.exec(line)?.[1]);
  assert.deepEqual(flags, ['room', 'url', 'connect', 'attempts-max']);
  assert.ok(lines.every((line) => line.includes('Given:')));
  assert.equal((await run(['--bogus'], '')).code, 2);
});

test('a token comes from a file; a line break in a header, or two tokens, are refused and never shown', async () => {
  await using server = await RoomServer.start();
  const file = join(tmpdir(), `client-token-${process.pid}`);
  writeFileSync(file, 'filesecret\n');
  const args = ['--url', server.url, '--id', 'bot', '--token-file', file];
  assert.equal((await run(args, 'hi\n')).code, 0);
  assert.equal(server.handshakes[0]?.headers.authorization, 'Bearer filesecret');
  const both = await run([...args, '--token', 'othersecret'], 'hi\n');
  rmSync(file);
  assert.equal(both.code, 2);
  assert.match(both.stderr, /give --token or --token-file/);
  const evil = await run(['--id', 'bot', '--token', 'a\nb: secret', '--origin', 'http://x\r\ny: 1'], '');
  assert.equal(evil.code, 2);
  assert.match(evil.stderr, /--token must hold visible ASCII.*not shown[\s\S]*Change --origin/);
  assert.doesNotMatch(both.stderr + evil.stderr, /secret/);
});

test('--help prints options, examples and exit codes, and exits 0', async () => {
  const { code, stdout } = await run(['--help'], '');
  assert.equal(code, 0);
  for (const word of ['--room', 'CLIENT_ID', 'Examples:', 'Exit codes:'])
    assert.ok(stdout.includes(word), word);
  for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
});
