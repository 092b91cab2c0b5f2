/** What a run leaves beside its result: a comparison, files for continuous integration, and an early end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { WebSocketServer } from 'ws';
import type { LoadtestResult } from './result/schema.ts';
import { startSimulator } from './simulator.fixture.ts';

const directory = mkdtempSync(join(tmpdir(), 'loadtest-outcome-'));
const path = (name: string) => join(directory, name);
/** Sends each message to all clients, unless it closes everybody. */
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
let closesAt = Number.POSITIVE_INFINITY;
let messages = 0;
let url = '';

before(async () => {
  if (server.address() === null) await once(server, 'listening');
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      for (const client of server.clients) {
        if (++messages > closesAt) client.close(1001);
        else client.send(String(data));
      }
    });
    socket.on('error', () => socket.terminate());
  });
});

after(async () => {
  for (const client of server.clients) client.terminate();
  await new Promise((done) => server.close(done));
  rmSync(directory, { recursive: true });
});

const tolerant = '--lag-limit 10s --turn-limit 10s --drain 250ms --progress plain';
const load = '--clients 2 --rate 20/s --duration 500ms --warm-up 0s';
const run = (args: string) => startSimulator(`--url ${url} ${tolerant} ${args}`).ended;

describe('the outcome of a run', () => {
  test('it stands beside that of an earlier run, and a figure that is far worse makes it exit 1', async () => {
    const first = await run(`${load} --json ${path('old.json')}`);
    assert.equal(first.code, 0, first.stdout + first.stderr);
    const same = await run(`${load} --baseline ${path('old.json')} --margin 100%`);
    assert.match(same.stdout, /^baseline, margin 100 %\n +before +now +now ÷ before\n +p50 /m);
    // As if it had been measured on a machine that is a thousand times faster.
    const old = JSON.parse(readFileSync(path('old.json'), 'utf8')) as LoadtestResult;
    old.deliveriesPerSecond *= 1000;
    writeFileSync(path('fast.json'), JSON.stringify(old));
    const worse = await run(
      `${load} --baseline ${path('fast.json')} --summary ${path('ci.md')} --junit ${path('ci.xml')}`,
    );
    assert.equal(worse.code, 1, worse.stdout + worse.stderr);
    assert.match(worse.stdout, /^ +deliveries .* worse$/m);
    assert.match(
      readFileSync(path('ci.md'), 'utf8'),
      /^## Load test: pass\n[\s\S]*\| deliveries .*\*\*worse\*\* \|$/m,
    );
    const xml = readFileSync(path('ci.xml'), 'utf8');
    assert.match(xml, /<testsuite name="loadtest" tests="\d+" failures="[1-9]" errors="0"/);
    assert.match(xml, /name="lost=0"><system-out>observed 0</);
    assert.match(xml, /name="deliveries against the baseline"><failure message="worse: /);
  });

  test('a baseline of another load, or no result at all, is bad input', async () => {
    const other = await run(`--clients 3 --rate 20/s --duration 500ms --baseline ${path('old.json')}`);
    assert.equal(other.code, 2);
    assert.match(other.stderr, /^--clients must be as in --baseline: 2; given: 3$/m);
    assert.match(other.stderr, /^--warm-up must be as in --baseline: 0; given: 2$/m);
    writeFileSync(path('none.json'), '{}');
    const none = await run(`${load} --baseline ${path('none.json')} --junit /no/such/x.xml`);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /^--baseline must name a file that --json wrote; given .*none\.json/m);
    assert.match(none.stderr, /cannot be written to --junit \/no\/such\/x\.xml: its directory/);
  });

  test('it ends when no client is connected any more', async () => {
    messages = 0;
    closesAt = 40;
    const startedMs = performance.now();
    const { code, stdout } = await run('--clients 2 --rate 50/s --duration 60s --warm-up 0s --drain 30s');
    closesAt = Number.POSITIVE_INFINITY;
    assert.equal(code, 1, stdout);
    assert.ok(performance.now() - startedMs < 20_000);
    assert.match(stdout, /ended after \d\.\d s of 60 s,\s+because\s+no\s+client was connected any more/);
    assert.match(stdout, /✗ closed=0 +2$/m);
  });

  test('with --abort-on-fail the run ends with the step that failed', async () => {
    const steps = '--clients 2 --warm-up 0s --step 20/s:500ms --step 20/s:30s';
    const { code, stdout } = await run(`${steps} --limit achieved>1000/s --abort-on-fail`);
    assert.equal(code, 1, stdout);
    assert.match(stdout, /✗ achieved>1000\/s +\d+(\.\d+)?\/s$/m);
    assert.match(stdout, /^ +1 .* fail\n$/m);
  });

  test('an old name is read, with one line that says how it is written now; a bare time is refused', async () => {
    const { code, stderr } = await run('--payload-bytes 128 --rate 500 --duration 5');
    assert.equal(code, 2);
    const told = /^Old names, still read: --payload-bytes \(now --payload-size 128B\)\.$/m;
    assert.match(stderr, told);
    assert.match(stderr, /^--duration must be a time .*such as 250ms or 5s; given: 5$/m);
    assert.doesNotMatch(stderr, /--rate/);
  });
});
