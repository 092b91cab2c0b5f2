/** A real Prometheus for tests: the program on PATH, else the container that docker-compose.yml names. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { startChildUntil } from '#host/child-process.ts';

const image = process.env.PROMETHEUS_IMAGE ?? 'prom/prometheus:v3.7.3';
const run = promisify(execFile);
const startDeadlineMs = 30_000;
const stopGraceMs = 10_000;

/** How `prometheus` and `promtool` can be run here; null without a program and without an image. */
export async function findPrometheus(): Promise<'program' | 'container' | null> {
  const paths = (process.env.PATH ?? '').split(delimiter);
  const has = (name: string) => paths.some((path) => existsSync(join(path, name)));
  if (has('prometheus') && has('promtool')) return 'program';
  return run('docker', ['image', 'inspect', image]).then(
    () => 'container' as const,
    () => null,
  );
}

/** Runs promtool in `directory`; resolves with its output, rejects with it on failure. */
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

/**
 * Starts it on a port of 127.0.0.1 with the configuration `prometheus.yml` of `directory`, which it watches;
 * resolves when it is ready. Disposing it removes everything but that directory.
 */
export async function startPrometheus(source: 'program' | 'container', directory: string, port: number) {
  const name = `chat-prometheus-test-${process.pid}-${port}`;
  const listen = `--web.listen-address=127.0.0.1:${port}`;
  const program = [`--config.file=${directory}/prometheus.yml`, `--storage.tsdb.path=${directory}/data`];
  const container = [
    ...['run', '--rm', '--name', name, '--network', 'host', '--tmpfs', '/data:mode=1777'],
    ...['-v', `${directory}:/config:ro`, image],
    ...['--config.file=/config/prometheus.yml', '--storage.tsdb.path=/data'],
  ];
  const command =
    source === 'program'
      ? { command: 'prometheus', args: [...program, listen] }
      : { command: 'docker', args: [...container, listen] };
  const { child } = await startChildUntil(command, {
    name: 'Prometheus',
    readLine: (line) => line.includes('Server is ready to receive web requests') || undefined,
    deadlineMs: startDeadlineMs,
  });
  // The client of the engine passes the signal on, and `--rm` removes the container.
  const stop = () => child.stop('SIGTERM', stopGraceMs);
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: stop };
}
