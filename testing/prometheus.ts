/** A real Prometheus for tests: the program on PATH, else the container that docker-compose.yml names. */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const image = process.env.PROMETHEUS_IMAGE ?? 'prom/prometheus:v3.7.3';
const run = promisify(execFile);
const startDeadlineMs = 30_000;

/** How `prometheus` and `promtool` can be run here; null where neither a program nor an engine with the image is found. */
export async function findPrometheus(): Promise<'program' | 'container' | null> {
  const paths = (process.env.PATH ?? '').split(delimiter);
  const has = (name: string) => paths.some((path) => existsSync(join(path, name)));
  if (has('prometheus') && has('promtool')) return 'program';
  return run('docker', ['image', 'inspect', image]).then(
    () => 'container' as const,
    () => null,
  );
}

/** Runs promtool with `directory` as its working directory; resolves to what it wrote, rejects with it on failure. */
export async function promtool(
  source: 'program' | 'container',
  directory: string,
  args: readonly string[],
): Promise<string> {
  const container = ['run', '--rm', '-v', `${directory}:/work:ro`, '-w', '/work', '--entrypoint', 'promtool'];
  const { stdout, stderr } =
    source === 'program'
      ? await run('promtool', args, { cwd: directory })
      : await run('docker', [...container, image, ...args]);
  return stdout + stderr;
}

export type Prometheus = AsyncDisposable & { url: string };

/**
 * Starts it on a port of 127.0.0.1 with the configuration `prometheus.yml` of `directory`, which it watches; resolves
 * when it is ready. Disposing it removes everything but that directory.
 */
export async function startPrometheus(
  source: 'program' | 'container',
  directory: string,
  port: number,
): Promise<Prometheus> {
  const name = `chat-prometheus-test-${process.pid}-${port}`;
  const listen = `--web.listen-address=127.0.0.1:${port}`;
  const [command, ...args] =
    source === 'program'
      ? [
          'prometheus',
          `--config.file=${directory}/prometheus.yml`,
          `--storage.tsdb.path=${directory}/data`,
          listen,
        ]
      : [
          ...['docker', 'run', '--rm', '--name', name, '--network', 'host', '--tmpfs', '/data:mode=1777'],
          ...['-v', `${directory}:/config:ro`, image],
          ...['--config.file=/config/prometheus.yml', '--storage.tsdb.path=/data', listen],
        ];
  const child = spawn(command!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  const dispose = async () => {
    // The client of the engine hands the signal through, and `--rm` removes the container.
    child.kill('SIGTERM');
    await ended;
  };
  const url = `http://127.0.0.1:${port}`;
  const deadlineAtMs = performance.now() + startDeadlineMs;
  while (!(await isReady(url))) {
    if (child.exitCode !== null || performance.now() > deadlineAtMs) {
      await dispose();
      throw new Error(`Prometheus did not become ready. It said:\n${said}`);
    }
    await sleep(100);
  }
  return { url, [Symbol.asyncDispose]: dispose };
}

function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/-/ready`).then(
    (response) => response.ok,
    () => false,
  );
}
