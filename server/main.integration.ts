/** The server's process as an operator sees it: command line, exit codes, signals. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Person } from '../testing/person.ts';
import { secretFile } from '../testing/secret-file.ts';
import { ServerProcess } from '../testing/server.ts';
import type { StageDeclaration } from './stages/stage.ts';

const mainPath = fileURLToPath(new URL('./main.ts', import.meta.url));

/** Runs a command line that does not start a server, to its end. */
function run(args: readonly string[], env: Record<string, string> = {}) {
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    const options = { env: { PATH: process.env.PATH, ...env } };
    execFile(process.execPath, [mainPath, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

test('bad input, from flags and environment, is reported with required and given values, and exits 2', async () => {
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

test('a wrong address, log level or Redis URL and an empty value exit 2; a secret is never shown', async () => {
  const wrong = {
    CHAT_LOG_LEVEL: 'loud',
    CHAT_REDIS_URL: 'S3CRET@host:6379',
    CHAT_TOKEN: '',
    CHAT_STAGE: '',
  };
  const { code, stderr } = await run(['--token', 'S3CRET', '--host', ''], wrong);
  assert.equal(code, 2);
  for (const name of ['--log-level', '--redis-url', '--token', '--host', '--stage'])
    assert.ok(stderr.includes(`Set ${name}`), name);
  assert.ok(!stderr.includes('S3CRET'));
  for (const host of ['nowhere.invalid', '192.0.2.1']) {
    const outcome = await run(['--host', host, '--port', '0', '--internal-port', '0']);
    assert.equal(outcome.code, 2, outcome.stderr);
    assert.match(outcome.stderr, /Set --host and --internal-host to addresses of this machine/);
  }
});

test('a misspelt variable is told, without its value, and does not keep the server from its work', async () => {
  const { code, stdout, stderr } = await run(['--list-stages'], { CHAT_PROT: 'S3CRET', CHAT_PORT: '0' });
  assert.equal(code, 0);
  assert.equal(stderr, 'Not read, because no setting has that name: CHAT_PROT (did you mean CHAT_PORT?).\n');
  assert.ok(JSON.parse(stdout).length > 0);
  for (const alsoWrong of [
    ['--port', 'x'],
    ['--prot', '0'],
  ]) {
    const refused = await run(alsoWrong, { CHAT_PROT: '0' });
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /^Not read, .*did you mean CHAT_PORT\?/, 'beside another mistake');
  }
});

test('when Redis cannot be reached, each stage that needs it says so, and nothing shows the password', async () => {
  const { stdout } = await run(['--list-stages']);
  const stages = (JSON.parse(stdout) as StageDeclaration[]).filter(({ services }) =>
    services.includes('redis'),
  );
  assert.ok(stages.length >= 2);
  const url = secretFile('redis://user:S3CRET@127.0.0.1:1/2');
  const failsToStart = async (stage: string) => {
    const args = ['--stage', stage, '--redis-url-file', url, '--port', '0', '--internal-port', '0'];
    const { code, stdout, stderr } = await run(args);
    assert.equal(code, 1, stage);
    assert.match(stderr, /Redis at redis:\/\/127\.0\.0\.1:1\/2 cannot be used: .*ECONNREFUSED/, stage);
    const [first] = stdout.split('\n').map((line) => (line === '' ? {} : JSON.parse(line)));
    assert.equal(first.event, 'waiting', 'it says what it waits for long before it gives up');
    assert.match(first.for, /^Redis at redis:\/\/127\.0\.0\.1:1\/2: .*ECONNREFUSED/, stage);
    assert.ok(!(stdout + stderr).includes('S3CRET'));
  };
  await Promise.all(stages.map(({ name }) => failsToStart(name)));
});

test('the stages are listed as JSON, and --help names every variable under the heading of its part', async () => {
  const listed = await run(['--list-stages']);
  const stages = JSON.parse(listed.stdout) as StageDeclaration[];
  const first = stages.slice(0, 3).map(({ name, services }) => `${name}:${services}`);
  assert.deepEqual(first, ['01-naive:', '02-bounded:', '03-cursor:']);
  assert.ok(stages.every(({ summary }) => summary.length > 0));
  const declared = ['name', 'summary', 'processes', 'services', 'limits', 'order', 'delivery'];
  for (const stage of stages) assert.deepEqual(Object.keys(stage), declared);
  assert.equal(stages[1]?.limits.sessionsMax, 15_000);
  assert.deepEqual(new Set(Object.values(stages[0]!.limits)), new Set([null]), 'infinite');
  const help = await run(['--help']);
  assert.equal(help.code, 0);
  for (const word of ['Admission:', '--internal-port', 'CHAT_INTERNAL_PORT', '--drain-deadline']) {
    assert.ok(help.stdout.includes(word), word);
  }
  for (const line of help.stdout.split('\n')) assert.ok(line.length <= 80, line);
});

test('it logs its addresses once, and exits 1 when a port is taken', async () => {
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

test('on a second signal it does not wait for the drain', async () => {
  const slowDrain = '--drain-notice 1m --drain-deadline 1m'.split(' ');
  await using server = await ServerProcess.start('cursor', slowDrain);
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
