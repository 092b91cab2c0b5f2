/** `--live` and `--html`: the page of a real load test, while it goes and as a file. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempDisposableSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import type { LiveEnd } from './page/live-page.ts';
import { resultDocument, resultPage } from './page/result-page.ts';
import type { PageEvent } from './page/state.ts';
import type { StepsResult } from './result/schema.ts';
import { startSimulator } from './simulator.fixture.ts';

const brief = '--clients 5 --warm-up 0s --drain 1s --lag-limit 10s --turn-limit 10s --progress none';

test('a page follows the steps and becomes the report; the file is made of the result alone', async () => {
  await using server = await echoServer();
  using directory = mkdtempDisposableSync(join(tmpdir(), 'loadtest-live-'));
  const [html, json] = ['report.html', 'result.json'].map((name) => join(directory.path, name)) as [
    string,
    string,
  ];
  const steps = '--step 20:1500ms --step 40:1500ms';
  const { child, ended } = startSimulator(
    `--url ${server.url} ${brief} ${steps} --live --html ${html} --json ${json}`,
  );
  const [line] = await once(child.stderr, 'data');
  const url = /^live: (\S+)/.exec(String(line))?.[1];
  assert.ok(url !== undefined, String(line));
  const events = await readEvents(url);
  const { code, stderr } = await ended;
  assert.ok(code === 0 || code === 3, stderr);

  const { steps: results } = JSON.parse(readFileSync(json, 'utf8')) as StepsResult;
  const messages = events.slice(0, -1).map(({ data }) => data as PageEvent);
  const trials = messages.flatMap((one) => (one.event === 'trial' ? [one.trial] : []));
  const loads = trials.filter(({ outcome }) => outcome === 'running').map(({ load }) => load);
  assert.deepEqual(loads.slice(-2), [20, 40]);
  const report = JSON.parse(JSON.stringify(resultPage(results))) as LiveEnd;
  const finished = trials.filter(({ outcome }) => outcome !== 'running');
  assert.deepEqual(finished, report.state.trials);
  assert.ok(messages.filter(({ event }) => event === 'second').length >= 2);
  assert.deepEqual(events.at(-1), { name: 'end', data: report });
  assert.equal(readFileSync(html, 'utf8'), resultDocument(results));
});

test('a port that is in use and a file that cannot be written are refused before anything connects', async () => {
  await using server = await echoServer();
  const port = new URL(server.url).port;
  const cases = [
    [`--live ${port}`, /--live \d+ cannot be used: .*EADDRINUSE/],
    ['--live 70000', /--live must be a whole number from 0 to 65535; given: 70000/],
    ['--html /missing/report.html', /cannot be written to --html \/missing\/report\.html/],
    ['--control --html report.html', /--control and --html cannot be given together/],
  ] as const;
  for (const [options, expected] of cases) {
    const { code, stderr } = await startSimulator(`--url ${server.url} ${options}`).ended;
    assert.equal(code, 2, options);
    assert.match(stderr, expected);
  }
  assert.equal(server.connections(), 0);
});

async function echoServer() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  let connections = 0;
  server.on('connection', (socket) => {
    connections += 1;
    socket.on('message', (data) => {
      for (const client of server.clients) client.send(String(data));
    });
    socket.on('error', () => socket.terminate());
  });
  const close = async () => {
    for (const client of server.clients) client.terminate();
    await new Promise((done) => server.close(done));
  };
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
  return { url, connections: () => connections, [Symbol.asyncDispose]: close };
}

/** All events until the connection ends. */
async function readEvents(url: string): Promise<{ name: string; data: unknown }[]> {
  const text = await (await fetch(new URL('events', url))).text();
  return text.split('\n\n').flatMap((block) => {
    const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
    return name === undefined ? [] : [{ name, data: JSON.parse(data!) }];
  });
}
