import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { StartError } from '#host/readiness.ts';
import { defaults, quiet, workload } from './deployment.fixture.ts';
import type { DeploymentRequest } from './deployment.ts';
import type { ProcessPrograms } from './process.ts';
import { startDeployment } from './start.ts';

const directory = mkdtempSync(join(tmpdir(), 'lab-fakes-'));
after(() => rmSync(directory, { recursive: true }));

/** A program that takes the place of server or simulator. */
function program(name: string, text: string): [string] {
  const path = join(directory, `${name}.cjs`);
  writeFileSync(path, text);
  return [path];
}

const server = program(
  'server',
  `console.log(JSON.stringify({ event: 'listening', chat: 'ws://127.0.0.1:1/ws', internal: 'http://127.0.0.1:2' }));
   setInterval(() => {}, 1000);`,
);

const stage: DeploymentRequest['stage'] = {
  name: '05-backplane',
  summary: '',
  processes: [{ role: 'server', count: 'any number' }],
  services: [],
  limits: {},
  order: 'per sender',
  delivery: 'at most once',
};

/** A deployment in which only the programs are not real. */
function start(changes: Partial<DeploymentRequest>, programs: Partial<ProcessPrograms> = {}) {
  const placement = { target: 'process', simulator: 'process' } as const;
  const fakes = { server, simulator: server, ...programs };
  return startDeployment(placement, { ...defaults, stage, ...changes }, fakes);
}

const options = { ...workload, limits: ['p99<250ms', 'lost=0'] };

test('every node is started, named, sampled, and gone after disposal', async () => {
  const deployment = await start({ nodes: 2, scrapeHost: 'host.example' });
  const named = deployment.nodes.map(({ name, role, scrapeAddress }) => `${name} ${role} ${scrapeAddress}`);
  assert.deepEqual(named, ['node-1 server host.example:2', 'node-2 server host.example:2']);
  const before = await deployment.sample();
  assert.ok(before.every(({ processes, fault }) => processes === 1 && fault === null));
  await deployment[Symbol.asyncDispose]();
  const gone = await deployment.sample();
  assert.ok(
    gone.every(({ processes, fault }) => processes === 0 && fault === 'killed by SIGTERM'),
    JSON.stringify(gone),
  );
  assert.equal(await deployment.nodes[0]!.ended, 'killed by SIGTERM');
});

test('the quota that a process cannot have is named, where one was asked for', async () => {
  await using limited = await start({ allocation: { serverCpus: 0.5 } });
  assert.match(limited.facts['CPU quota']!, /^none: .* in a container each node would have 0\.5 CPU$/);
  await using free = await start({});
  assert.equal(free.facts['CPU quota'], undefined);
});

test('more nodes than the stage can have are refused', async () => {
  const single = { ...stage, processes: [{ role: 'server', count: 'one per core' as const }] };
  await assert.rejects(start({ stage: single, nodes: 2 }), /05-backplane runs on one node; 2 were asked for/);
});

test('a signal reaches the main process of a node, or one of its workers', async () => {
  const supervisor = program(
    'supervisor',
    `const { spawn } = require('node:child_process');
     const start = () => spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
     const workers = [start(), start()];
     workers.forEach((worker, index) => worker.on('exit', (_, signal) => process.exit(signal === 'SIGKILL' ? 40 + index : 1)));
     ${`require(${JSON.stringify(server[0])});`}`,
  );
  await using deployment = await start({ nodes: 2 }, { server: supervisor });
  const [first, second] = deployment.nodes;
  await assert.rejects(first!.signalWorker(2, 'SIGKILL'), /node-1 has no worker number 2/);
  await first!.signalWorker(1, 'SIGKILL');
  assert.equal(await first!.ended, 'exited with code 41');
  await second!.signal('SIGKILL');
  assert.equal(await second!.ended, 'killed by SIGKILL');
});

test('a server that ends before it listens is reported with its last lines', async () => {
  const text = `console.error('--segment-size: required 1024 or more; given 1'); process.exit(2);`;
  await assert.rejects(start({}, { server: program('broken', text) }), (error: Error) => {
    return error instanceof StartError && /exited with code 2.*required 1024 or more/s.test(error.message);
  });
});

test('an abort while a server is silent stops it and rejects with the reason', async () => {
  const silent = program('silent', 'setInterval(() => {}, 1000);');
  const controller = new AbortController();
  const started = start({ signal: controller.signal }, { server: silent });
  controller.abort(new Error('enough'));
  await assert.rejects(started, /enough/);
});

test('a simulator gets the workload, is followed line by line, and answers each step', async () => {
  const result = { schemaVersion: 1, deliveriesPerSecond: 5000 };
  const simulator = program(
    'simulator',
    `console.log(JSON.stringify({ event: 'phase', phase: 'probe', atMs: 1 }));
     console.log('not json');
     console.log('{"event":"other"}');
     console.log(JSON.stringify({ event: 'phase', phase: 'idle', atMs: 2 }));
     require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
       const { command, ratePerSecond } = JSON.parse(line);
       if (command === 'end') return process.exit(0);
       if (ratePerSecond === 7) return console.log('{"event":"refused","reason":"not 7"}');
       const flags = process.argv.slice(2).join(' ');
       const result = { ...${JSON.stringify(result)}, flags, ratePerSecond };
       console.log(JSON.stringify({ event: 'step', result }));
     });`,
  );
  await using deployment = await start({}, { simulator });
  const progress: unknown[] = [];
  const watch = { ...quiet, onProgress: (event: unknown) => progress.push(event) };
  await using running = await deployment.startSimulator(options, watch);
  const phase = { event: 'phase', phase: 'probe', atMs: 1 };
  assert.deepEqual(progress, [phase, { ...phase, phase: 'idle', atMs: 2 }]);
  const first = (await running.step({ ratePerSecond: 3 })) as unknown as Record<string, unknown>;
  assert.deepEqual([first.deliveriesPerSecond, first.ratePerSecond], [5000, 3]);
  await assert.rejects(running.step({ ratePerSecond: 7 }), /^Error: not 7$/);
  const second = (await running.step({ ratePerSecond: 4 })) as unknown as Record<string, unknown>;
  assert.equal(second.ratePerSecond, 4);
  const flags = ['--url ws://127.0.0.1:1/ws', '--clients 20', '--rate 40/s', '--duration 1s', '--control'];
  for (const flag of [...flags, '--limit p99<250ms --limit lost=0'])
    assert.ok(` ${first.flags} `.includes(` ${flag} `), `${flag} in ${first.flags}`);
});

test('a simulator that dies says why by its code and last lines, before and during a step', async () => {
  const early = program('early', `console.error('out of ports'); process.exit(2);`);
  const late = program(
    'late',
    `console.log(JSON.stringify({ event: 'phase', phase: 'idle', atMs: 2 }));
     process.stdin.once('data', () => { console.error('a worker died'); process.exit(1); });`,
  );
  {
    await using deployment = await start({}, { simulator: early });
    const died = { exitCode: 2, message: 'out of ports' };
    await assert.rejects(deployment.startSimulator(options, quiet), died);
  }
  await using deployment = await start({}, { simulator: late });
  await using running = await deployment.startSimulator(options, quiet);
  await assert.rejects(running.step({}), { exitCode: 1, message: 'a worker died' });
});

test('an interrupted simulator gets SIGINT first, and is killed when it does not end', async () => {
  const patient = program(
    'patient',
    `process.on("SIGINT", () => console.error("interrupted"));
     console.log('{"event":"phase","phase":"probe","atMs":1}'); setInterval(() => {}, 1000);`,
  );
  await using deployment = await start({}, { simulator: patient });
  const controller = new AbortController();
  const watch = { ...quiet, signal: controller.signal, onProgress: () => controller.abort() };
  const died = { exitCode: null, message: 'interrupted' };
  await assert.rejects(deployment.startSimulator(options, watch), died);
});
