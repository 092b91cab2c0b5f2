/** The media server as an operator sees it: command line, exit codes, signals, and a kill at any moment. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { secretFile } from '../../testing/secret-file.ts';
import { ServerProcess } from '../../testing/server.ts';
import { until } from '../../testing/until.ts';
import { stages } from '../stages/index.ts';
import { address, image, key, putHead } from './media.fixture.ts';

const mainPath = fileURLToPath(new URL('../main.ts', import.meta.url));
const stage = stages.find(({ processes }) => processes.some(({ role }) => role === 'media'))!.name;
const parent = mkdtempSync(join(tmpdir(), 'chat-media-'));
after(() => rmSync(parent, { recursive: true }));
let directories = 0;
const newDirectory = () => join(parent, String(directories++));

function start(directory: string, args: readonly string[] = []): Promise<ServerProcess> {
  const options = ['--role', 'media', '--media-directory', directory, '--media-secret-file', secretFile(key)];
  return ServerProcess.start(stage, [...options, '--media-free-size-min', '0B', ...args]);
}

/** Runs a command line that does not start a server, to its end. */
function run(args: readonly string[], env: Record<string, string> = {}) {
  return new Promise<{ code: unknown; stderr: string }>((resolve) => {
    const command = [mainPath, '--port', '0', '--internal-port', '0', ...args];
    const options = { env: { PATH: process.env.PATH, ...env } };
    execFile(process.execPath, command, options, (error, _, stderr) =>
      resolve({ code: error?.code ?? 0, stderr }),
    );
  });
}

test('what a media server cannot do without is told, and exits 2', async () => {
  const role = ['--stage', stage, '--role', 'media'];
  const nothing = await run(role);
  assert.equal(nothing.code, 2);
  assert.match(nothing.stderr, /Set --media-directory/);
  assert.match(nothing.stderr, /Set --media-secret-file or CHAT_MEDIA_SECRET to 32 to 1024/);
  const onCommandLine = await run([...role, '--media-directory', parent, '--media-secret', key]);
  assert.equal(onCommandLine.code, 2);
  assert.match(onCommandLine.stderr, /other users of this machine can read a command line/);
  const short = await run([...role, '--media-directory', parent], { CHAT_MEDIA_SECRET: 'S3CRET' });
  assert.deepEqual([short.code, short.stderr.includes('S3CRET')], [2, false]);
  const file = join(parent, 'file');
  writeFileSync(file, '');
  const noDirectory = await run([...role, '--media-directory', file], { CHAT_MEDIA_SECRET: key });
  assert.equal(noDirectory.code, 2);
  assert.match(noDirectory.stderr, /Set --media-directory to a directory in which files can be made/);
});

test('a stage without the role says which stage has it, and exits 2', async () => {
  const { code, stderr } = await run(['--stage', '01', '--role', 'media']);
  assert.equal(code, 2);
  assert.match(stderr, new RegExp(`Set --stage .*role media \\(.*${stage}.*given was "01-naive"`));
});

test('it says where it listens, takes an image, and keeps it over a restart', async () => {
  const directory = newDirectory();
  const { path, target } = address();
  const body = image('image/png', 50_000);
  {
    await using server = await start(directory);
    assert.match(String(server.log.at(-1)?.media), /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal((await put(server, target, body)).status, 201);
    assert.equal((await server.metrics())('chat_media_uploads_total{status="201"}'), 1);
  }
  await using server = await start(directory);
  assert.ok(Buffer.from(await (await fetch(server.origin + path)).arrayBuffer()).equals(body));
});

test('SIGTERM lets an upload under way finish; the log holds no key and no address', async () => {
  const directory = newDirectory();
  await using server = await start(directory, ['--log-level', 'debug']);
  const { path, target } = address();
  const body = image('image/png', 50_000);
  const socket = connect(Number(new URL(server.origin).port), '127.0.0.1');
  socket.write(putHead(target, { 'content-length': body.length }));
  socket.write(body.subarray(0, 20_000));
  await until(() => readdirSync(join(directory, 'quarantine')).length > 0, 'an upload under way');
  const stopped = server.stop();
  await until(() => server.log.some(({ event }) => event === 'draining'), 'the drain has begun');
  socket.write(body.subarray(20_000));
  const [answer] = await once(socket, 'data');
  assert.match(String(answer), /^HTTP\/1.1 201 /);
  assert.equal((await stopped).code, 0);
  const last = server.log.at(-1)!;
  assert.deepEqual([last.event, last.finishedRequests, last.cutRequests], ['stopped', 1, 0]);
  const log = JSON.stringify(server.log);
  for (const secret of [key, 'signature', path]) assert.ok(!log.includes(secret), secret);
});

test('killed in the middle of uploads, it serves nothing half, and all that it had acknowledged', async () => {
  const directory = newDirectory();
  const uploads = Array.from({ length: 24 }, (_, index) => ({
    ...address({ user: `user-${index % 6}`, bytesMax: 400_000 }),
    body: image('image/png', 200_000 + index),
  }));
  const stored = new Set<string>();
  {
    await using server = await start(directory);
    // One that never ends, and so is under way for certain.
    const hanging = connect(Number(new URL(server.origin).port), '127.0.0.1').on('error', () => {});
    hanging.write(putHead(address({ user: 'eve' }).target, { 'content-length': 99_999 }));
    hanging.write(image('image/png', 50_000));
    await until(() => readdirSync(join(directory, 'quarantine')).length > 0, 'an upload under way');
    let done = () => {};
    const someStored = new Promise<void>((resolve) => {
      done = resolve;
    });
    const all = uploads.map(async ({ path, target, body }) => {
      const answer = await put(server, target, body).catch(() => undefined);
      if (answer?.status === 201) stored.add(path);
      if (stored.size >= 3) done();
    });
    await someStored;
    await server.stop('SIGKILL');
    await Promise.all(all);
    hanging.destroy();
  }
  assert.ok(readdirSync(join(directory, 'quarantine')).length > 0, 'something was under way');
  await using server = await start(directory);
  for (const { path, target, body } of uploads) {
    const answer = await fetch(server.origin + path);
    const served = Buffer.from(await answer.arrayBuffer());
    if (answer.status === 200) assert.ok(served.equals(body), 'an image is whole or is not there');
    else assert.deepEqual([answer.status, stored.has(path)], [404, false]);
    if (answer.status === 404) assert.equal((await put(server, target, body)).status, 201);
  }
});

function put(server: ServerProcess, target: string, body: Buffer): Promise<Response> {
  const headers = { 'content-type': 'image/png' };
  return fetch(server.origin + target, { method: 'PUT', body: new Uint8Array(body), headers });
}
