/** The dashboards with a command in the place of docker: what is started, said and stopped. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDashboards } from './dashboards.ts';

/** Answers as docker compose does; `cases` are cases of a shell for the words after the options. */
function standIn(cases: string, port: number) {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'dashboards-'));
  const log = join(directory.path, 'log');
  const config = {
    services: {
      prometheus: { command: [`--web.listen-address=127.0.0.1:${port}`] },
      grafana: { environment: { GF_SERVER_HTTP_ADDR: '127.0.0.1', GF_SERVER_HTTP_PORT: '3999' } },
    },
  };
  const script = `#!/bin/sh
shift 3
echo "$@" >> ${log}
case "$*" in
${cases}
config*) echo '${JSON.stringify(config)}' ;;
esac
`;
  writeFileSync(join(directory.path, 'docker'), script);
  chmodSync(join(directory.path, 'docker'), 0o755);
  const commands = () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []);
  const env = { PATH: `${directory.path}:/usr/bin:/bin` };
  return { env, commands, [Symbol.dispose]: () => directory.remove() };
}

async function readyServer() {
  const server = createServer((_, response) => response.end('ready'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  };
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: close };
}

const upGrafanaFails = "'up'*grafana) echo 'Error: no such image: grafana' >&2; exit 1 ;;";

test('a service that cannot be started is told in a sentence, and the other runs until Ctrl-C', async () => {
  await using server = await readyServer();
  using docker = standIn(upGrafanaFails, server.port);
  const lines: string[] = [];
  const interrupt = new AbortController();
  const dashboards = await openDashboards(interrupt.signal, (line) => lines.push(line), docker);
  assert.deepEqual(lines, [
    `Prometheus: http://127.0.0.1:${server.port}`,
    'Grafana could not be started, and the run goes on without it: Error: no such image: grafana',
  ]);
  const waited = dashboards.untilInterrupted();
  assert.equal(lines.at(-1), 'The dashboards stay until Ctrl-C.');
  interrupt.abort();
  await waited;
  await dashboards[Symbol.asyncDispose]();
  const commands = docker.commands();
  assert.ok(commands.includes('up --detach --no-deps --quiet-pull prometheus'), commands.join('\n'));
  assert.equal(commands.at(-1), 'rm --stop --force prometheus grafana');
});

test('what was running before is told, and goes on afterwards', async () => {
  using docker = standIn("'ps'*) echo prometheus; echo grafana ;;", 9999);
  const lines: string[] = [];
  const dashboards = await openDashboards(new AbortController().signal, (line) => lines.push(line), docker);
  assert.deepEqual(lines, [
    'Prometheus runs already: http://127.0.0.1:9999',
    'Grafana runs already: http://127.0.0.1:3999',
  ]);
  await dashboards[Symbol.asyncDispose]();
  assert.deepEqual(docker.commands(), ['config --format json', 'ps --services --status running']);
});

test('without an engine, and without docker, it says so and keeps nobody waiting', async () => {
  using docker = standIn("'ps'*) echo 'Cannot connect to the Docker daemon' >&2; exit 1 ;;", 9999);
  for (const [env, why] of [
    [docker.env, 'Cannot connect to the Docker daemon'],
    [{ PATH: '/nowhere' }, 'there is no docker command'],
  ] as const) {
    const lines: string[] = [];
    const dashboards = await openDashboards(new AbortController().signal, (line) => lines.push(line), {
      env,
    });
    assert.deepEqual(lines, [`There are no dashboards, and the run goes on without them: ${why}`]);
    await dashboards.untilInterrupted();
    await dashboards[Symbol.asyncDispose]();
  }
});
