import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadtestFixture } from '../records/run.fixture.ts';
import { TargetError, type TargetRequest } from './deployment.ts';
import { startProcessTarget } from './process.ts';

const directory = mkdtempSync(join(tmpdir(), 'lab-fakes-'));
after(() => rmSync(directory, { recursive: true }));

/** A program that stands for server or simulator. */
function program(name: string, text: string): [string] {
  const path = join(directory, `${name}.cjs`);
  writeFileSync(path, text);
  return [path];
}

const listening = `console.log(JSON.stringify({ event: 'listening', chat: 'ws://127.0.0.1:1/ws', internal: 'http://127.0.0.1:2', args: process.argv.slice(2) }));
  setInterval(() => {}, 1000);`;
const server = program('server', listening);

function request(changes: Partial<TargetRequest> = {}): TargetRequest {
  const signal = new AbortController().signal;
  return {
    stage: '03-cursor',
    settings: {},
    nodes: 1,
    limits: {},
    scrapeHost: '127.0.0.1',
    signal,
    ...changes,
  };
}

const options = {
  clients: 10,
  ratePerSecond: 5,
  durationSeconds: 1,
  warmUpSeconds: 0,
  drainSeconds: 1,
  payloadBytes: 128,
  seed: 1,
  limits: ['p99<250ms', 'lost=0'],
};
const watch = (changes = {}) => ({
  onProgress: () => {},
  onScrapeAddress: () => {},
  signal: new AbortController().signal,
  ...changes,
});

test('every node is started, named, seen from all sides, and gone after disposal', async () => {
  const target = await startProcessTarget(request({ nodes: 2, scrapeHost: 'host.example' }), [], {
    server,
    loadtest: server,
  });
  assert.deepEqual(
    target.servers.map(({ name, scrapeAddress }) => [name, scrapeAddress]),
    [
      ['node-1', 'host.example:2'],
      ['node-2', 'host.example:2'],
    ],
  );
  assert.equal(target.loadtestUrls.length, 2);
  const before = await target.sample();
  assert.ok(before.every(({ processes, fault }) => processes === 1 && fault === null));
  await target[Symbol.asyncDispose]();
  const gone = await target.sample();
  assert.ok(
    gone.every(({ processes, fault }) => processes === 0 && fault === 'killed by SIGTERM'),
    JSON.stringify(gone),
  );
});

test('a server that ends before it listens is reported with its last words', async () => {
  const broken = program(
    'broken',
    `console.error('--segment-bytes: required 1024 or more; given 1'); process.exit(2);`,
  );
  await assert.rejects(
    startProcessTarget(request(), [], { server: broken, loadtest: server }),
    (error: Error) => {
      return error instanceof TargetError && /exited with code 2.*required 1024 or more/s.test(error.message);
    },
  );
});

test('an abort while a server is silent stops it and rejects with the reason', async () => {
  const silent = program('silent', 'setInterval(() => {}, 1000);');
  const controller = new AbortController();
  const started = startProcessTarget(request({ signal: controller.signal }), [], {
    server: silent,
    loadtest: server,
  });
  controller.abort(new Error('enough'));
  await assert.rejects(started, /enough/);
});

test('a simulator is told the workload, followed line by line, and its result read', async () => {
  const result = JSON.stringify(loadtestFixture(5, 20));
  const loadtest = program(
    'loadtest',
    `const args = process.argv.slice(2); console.error(args.join(' '));
     console.log(JSON.stringify({ event: 'phase', phase: 'measure', atMs: 1 })); console.log('not json'); console.log('{"event":"other"}');
     require('node:fs').writeFileSync(args[args.indexOf('--json') + 1], ${JSON.stringify(result)}); process.exit(1);`,
  );
  await using target = await startProcessTarget(request(), [], { server, loadtest });
  const heard: unknown[] = [];
  const outcome = await target.runLoadtest(
    options,
    watch({ onProgress: (progress: unknown) => heard.push(progress) }),
  );
  assert.deepEqual(heard, [{ event: 'phase', phase: 'measure', atMs: 1 }]);
  assert.equal(outcome.exitCode, 1);
  assert.equal(outcome.result?.deliveriesPerSecond, 5000);
  assert.match(
    outcome.errorText,
    /--url ws:\/\/127\.0\.0\.1:1\/ws --clients 10 --rate 5 --duration 1s .*--limit p99<250ms --limit lost=0/,
  );
});

test('a simulator that dies leaves no result of an earlier run behind', async () => {
  const loadtest = program('dies', `console.error('out of ports'); process.exit(2);`);
  await using target = await startProcessTarget(request(), [], { server, loadtest });
  const { exitCode, result, errorText } = await target.runLoadtest(options, watch());
  assert.deepEqual({ exitCode, result, errorText }, { exitCode: 2, result: null, errorText: 'out of ports' });
});
