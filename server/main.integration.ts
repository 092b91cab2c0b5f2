/** The server's process as an operator meets it: its command line, its exit codes, its signals. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Person } from '../testing/person.ts';
import { ServerProcess } from '../testing/server.ts';

const mainPath = fileURLToPath(new URL('./main.ts', import.meta.url));

/** Runs to the end; for command lines that do not start a server. */
function run(args: readonly string[], env: Record<string, string> = {}) {
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    const options = { env: { PATH: process.env.PATH, ...env } };
    execFile(process.execPath, [mainPath, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

test('bad input, from flags and environment, is told with what is required and given, and exits 2', async () => {
  const { code, stdout, stderr } = await run(['--port', '70000'], { CHAT_SESSIONS_MAX: 'many' });
  assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
  assert.match(stderr, /--port \(or CHAT_PORT\) to a whole number from 0 to 65535; given was "70000"/);
  assert.match(stderr, /--sessions-max \(or CHAT_SESSIONS_MAX\).*given was "many"/);
  const unknownStage = await run(['--stage', '99-none', '--port', 'x']);
  assert.equal(unknownStage.code, 2);
  assert.match(unknownStage.stderr, /one of 01-naive, .*03-cursor.*given was "99-none"/);
  assert.match(unknownStage.stderr, /--port .*given was "x"/, 'every mistake at once');
  assert.equal((await run(['--no-such-flag'])).code, 2);
  assert.equal((await run(['stray'])).code, 2);
});

test('the stages are listed as JSON, and --help names every variable', async () => {
  const listed = await run(['--list-stages']);
  const stages = JSON.parse(listed.stdout) as { name: string; summary: string; needs: string[] }[];
  assert.deepEqual(
    stages.slice(0, 3).map(({ name, needs }) => ({ name, needs })),
    ['01-naive', '02-bounded', '03-cursor'].map((name) => ({ name, needs: [] })),
  );
  assert.ok(stages.every(({ summary }) => summary.length > 0));
  const help = await run(['--help']);
  assert.equal(help.code, 0);
  for (const word of ['--internal-port', 'CHAT_INTERNAL_PORT', '--drain-deadline-ms']) {
    assert.ok(help.stdout.includes(word), word);
  }
});

test('it says once where it listens, and a port that is taken is told and exits 1', async () => {
  await using server = await ServerProcess.start('cursor');
  const [listening, ...others] = server.log.filter(({ event }) => event === 'listening');
  assert.equal(listening?.stage, '03-cursor');
  assert.equal(listening?.pid, server.pid);
  assert.equal(others.length, 0);
  const { port } = new URL(server.origin);
  const { code, stderr } = await run(['--port', port, '--internal-port', '0']);
  assert.equal(code, 1);
  assert.match(stderr, /EADDRINUSE.*Choose another with --port/);
});

test('asked a second time to stop, it does not wait for the drain', async () => {
  await using server = await ServerProcess.start('cursor', [
    '--drain-notice-ms',
    '60000',
    '--drain-deadline-ms',
    '60000',
  ]);
  const alice = await Person.join(server.url(), 'alice');
  const stopped = server.stop('SIGINT');
  await server.eventually(
    () => server.log.at(-1)?.event,
    (event) => event === 'draining',
  );
  const { code } = await server.stop('SIGINT');
  assert.equal(code, 1);
  assert.ok((await stopped).tookMs < 10_000);
  assert.equal((await alice.closed).code, 1006);
});
