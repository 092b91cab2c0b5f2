/** The result file from outside: refused before the run where it cannot be written, and never damaged. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { startSimulator } from './simulator.fixture.ts';

const directory = mkdtempSync(join(tmpdir(), 'loadtest-results-'));
/** Sends each message to all clients. */
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
let connections = 0;
let authorization: string | undefined;
let url = '';

before(async () => {
  if (server.address() === null) await once(server, 'listening');
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
  server.on('connection', (socket, request) => {
    connections++;
    authorization = request.headers.authorization;
    socket.on('message', (data) => {
      for (const client of server.clients) client.send(String(data));
    });
    socket.on('error', () => socket.terminate());
  });
});

after(async () => {
  for (const client of server.clients) client.terminate();
  await new Promise((done) => server.close(done));
  rmSync(directory, { recursive: true });
});

const brief =
  '--clients 2 --rate 20/s --duration 500ms --warm-up 0s --drain 250ms --lag-limit 10s --turn-limit 10s';
const start = (args: string) => startSimulator(`--url ${url} ${brief} ${args}`);

describe('the result file', () => {
  test('a file that cannot be written is bad input, said before anything connects', async () => {
    connections = 0;
    const places = [
      [
        join(directory, 'missing', 'x.json'),
        /--json .*missing\/x.json: its directory .*missing does not exist/,
      ],
      [directory, /--json .*: it is a directory/],
      ['/proc/x.json', /--json \/proc\/x.json: no file can be made in \/proc \(E[A-Z]+\)/],
    ] as const;
    for (const [path, sentence] of places) {
      const { code, stdout, stderr } = await start(`--json ${path}`).ended;
      assert.equal(code, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, sentence);
      assert.doesNotMatch(stderr, /\n +at /);
    }
    const { code, stderr } = await startSimulator(`--url ${url} ${brief}`, { LOADTEST_JSON: '' }).ended;
    assert.equal(code, 2, stderr);
    assert.match(stderr, /--json must name a file, or - for standard output; given: an empty name/);
    assert.equal(connections, 0);
  });

  test('a result that does not fit on the disk is told in one sentence, after the summary', async () => {
    const path = join(directory, 'older.json');
    writeFileSync(path, '{"older":true}\n');
    // Files of one block at most: the same as a disk that fills up, without a disk of its own.
    const { code, stdout, stderr } = await start(`--json ${path} --progress plain`).ended;
    assert.equal(code, 0, stderr);
    assert.notEqual(readFileSync(path, 'utf8'), '{"older":true}\n');
    writeFileSync(path, '{"older":true}\n');
    const full = await startSimulator(`--url ${url} ${brief} --json ${path}`, {}, 'ulimit -f 1').ended;
    assert.equal(full.code, 4, full.stderr);
    assert.match(full.stdout, /^verdict +pass$/m);
    assert.match(full.stderr, /^The result could not be written to .*older.json: .*EFBIG[^\n]*\n$/);
    assert.equal(readFileSync(path, 'utf8'), '{"older":true}\n');
    assert.deepEqual(readdirSync(directory), ['older.json']);
    assert.ok(stdout.length > 0);
  });

  test('a device is written to, not replaced', async () => {
    const { code, stdout, stderr } = await start('--json /dev/full').ended;
    assert.equal(code, 4, stderr);
    assert.match(stdout, /^verdict +pass$/m);
    assert.match(stderr, /^The result could not be written to \/dev\/full: .*ENOSPC/);
    assert.ok(existsSync('/dev/full'));
    assert.equal((await start('--json /dev/null').ended).code, 0);
    assert.equal(readFileSync('/dev/null', 'utf8'), '');
  });

  test('no progress still prints the verdict and its reasons', async () => {
    const { code, stdout } = await start('--progress none --limit deliveries>1000/s').ended;
    assert.equal(code, 1);
    assert.match(stdout, /^verdict +fail\n +- deliveries was [\d.]+\/s; the limit is deliveries>1000\/s\n/);
    const both = await start('--progress none --json -').ended;
    assert.equal(JSON.parse(both.stdout).verdict, 'pass');
    assert.match(both.stderr, /^verdict +pass$/m);
  });

  test('the stream of json events ends with the result', async () => {
    const one = eventsOf((await start('--progress json').ended).stdout);
    assert.equal(one.at(-1)!.event, 'result');
    assert.equal(one.at(-1)!.result.verdict, 'pass');
    assert.equal(one.filter(({ event }) => event === 'result').length, 1);
    const steps =
      '--clients 2 --warm-up 0s --drain 250ms --progress json --step 10/s:250ms --step 20/s:250ms';
    const two = eventsOf((await startSimulator(`--url ${url} ${steps}`).ended).stdout);
    assert.equal(two.at(-1)!.event, 'result');
    assert.equal(two.at(-1)!.result.steps.length, 2);
  });
});

test('no token reaches a result, a message or an argument of a process', async () => {
  const file = join(directory, 'token');
  writeFileSync(file, 'filesecret\n');
  const load = `${brief} --token-file ${file} --progress json --json -`;
  const run = startSimulator(`--url ${url}?token=urlsecret --workers 2 ${load}`);
  const { code, stdout, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  assert.equal(authorization, 'Bearer filesecret');
  assert.doesNotMatch(stdout + stderr, /urlsecret|filesecret/);
  assert.match(stdout, /ws\?token=\*\*\*/);
  const nobody = await startSimulator('--url ws://127.0.0.1:1/ws?token=urlsecret --connect-timeout 1s').ended;
  assert.match(nobody.stderr, /no connection could be opened to .*token=\*\*\*/);
  assert.doesNotMatch(nobody.stderr, /urlsecret/);
});

function eventsOf(stdout: string) {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}
