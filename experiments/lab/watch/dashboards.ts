/** Prometheus and Grafana of the compose file, for one run. No failure of theirs ends the run. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Disposing it stops what it has started; what was running before goes on. */
export type Dashboards = AsyncDisposable & {
  /** Resolves at Ctrl-C; at once where nothing runs. */
  untilInterrupted(): Promise<void>;
};

export type DashboardOptions = {
  composeFile?: string;
  /** Set apart by tests; left out: that of the file. */
  project?: string;
  env?: NodeJS.ProcessEnv;
};

/** A service of the compose file, with the address that it says it is at. */
type Service = { name: string; title: string; url: string; readyPath: string };

const repository = join(import.meta.dirname, '..', '..', '..');
/** For an image to come from its registry; chosen, not measured. */
const startMsMax = 180_000;
/** From the start of a container to its first answer; chosen, not measured. */
const readyMsMax = 30_000;

/** Starts them one by one and prints where they are, or in a sentence why one is not there. */
export async function openDashboards(
  signal: AbortSignal,
  print: (line: string) => void,
  { composeFile = join(repository, 'docker-compose.yml'), project, env = process.env }: DashboardOptions = {},
): Promise<Dashboards> {
  const head = ['compose', '-f', composeFile, ...(project === undefined ? [] : ['-p', project])];
  const compose = (...args: string[]) =>
    run('docker', [...head, ...args], { env, signal, timeout: startMsMax, killSignal: 'SIGINT' });
  const started: string[] = [];
  const running: string[] = [];
  try {
    const services = await findServices(compose);
    const { stdout } = await compose('ps', '--services', '--status', 'running');
    const before = stdout.split('\n');
    for (const service of services) {
      const { name, title, url } = service;
      if (before.includes(name)) print(`${title} runs already: ${url}`);
      else {
        // One that does not start may leave a container too.
        started.push(name);
        const fault = await start(service, compose, signal);
        if (fault !== null) {
          print(`${title} could not be started, and the run goes on without it: ${fault}`);
          continue;
        }
        print(`${title}: ${url}`);
      }
      running.push(name);
    }
  } catch (error) {
    if (!signal.aborted)
      print(`There are no dashboards, and the run goes on without them: ${messageOf(error as Error)}`);
  }
  return {
    untilInterrupted: async () => {
      if (running.length === 0 || signal.aborted) return;
      print('The dashboards stay until Ctrl-C.');
      // A signal alone does not keep a process from ending.
      const timer = setInterval(() => {}, 60_000);
      await once(signal, 'abort');
      clearInterval(timer);
    },
    [Symbol.asyncDispose]: async () => {
      if (started.length === 0) return;
      const args = [...head, 'rm', '--stop', '--force', ...started];
      await run('docker', args, { env }).catch((error: Error) =>
        print(`The dashboards could not be stopped: ${messageOf(error)}`),
      );
    },
  };
}

type Compose = (...args: string[]) => Promise<{ stdout: string }>;

/** Asks compose, because the shell and a file `.env` may change the ports. Rejects without compose. */
async function findServices(compose: Compose): Promise<Service[]> {
  const { stdout } = await compose('config', '--format', 'json');
  const { services } = JSON.parse(stdout) as {
    services: {
      prometheus: { command: string[] };
      grafana: { environment: Record<string, string> };
    };
  };
  const listen = services.prometheus.command.find((word) => word.startsWith('--web.listen-address='));
  const { GF_SERVER_HTTP_ADDR: host, GF_SERVER_HTTP_PORT: port } = services.grafana.environment;
  return [
    {
      ...{ name: 'prometheus', title: 'Prometheus', readyPath: '/-/ready' },
      url: `http://${listen?.split('=')[1] ?? '127.0.0.1:9090'}`,
    },
    { name: 'grafana', title: 'Grafana', readyPath: '/api/health', url: `http://${host}:${port}` },
  ];
}

/** Null when it answers, else why it does not. */
async function start(
  { name, url, readyPath }: Service,
  compose: Compose,
  signal: AbortSignal,
): Promise<string | null> {
  try {
    await compose('up', '--detach', '--no-deps', '--quiet-pull', name);
  } catch (error) {
    signal.throwIfAborted();
    return messageOf(error as Error);
  }
  const deadlineMs = performance.now() + readyMsMax;
  while (performance.now() < deadlineMs) {
    const answer = await fetch(url + readyPath, { signal }).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.ok) return null;
    signal.throwIfAborted();
    await sleep(250, undefined, { signal });
  }
  return `its container runs, and ${url} does not answer`;
}

/** The last line that docker printed, which has the reason; without docker, that it is not there. */
function messageOf(error: Error): string {
  const { stderr, code, killed } = error as Error & { stderr?: string; code?: unknown; killed?: boolean };
  if (code === 'ENOENT') return 'there is no docker command';
  if (killed) return `it took longer than ${startMsMax / 1000} s`;
  return stderr?.trim().split('\n').at(-1) || error.message;
}
