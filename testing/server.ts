/** The real server as another process, for tests. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Child, type ChildOptions, startChildUntil } from '#host/child-process.ts';
import { pathOfRoom } from '#protocol';

const repository = fileURLToPath(new URL('../', import.meta.url));
const startDeadlineMs = 30_000;
const stopGraceMs = 5000;
const eventuallyDeadlineMs = 5000;

/** Options for tests that send more than a session may. */
export const noRate = ['--message-rate-max', '1000000/s', '--messages-burst-max', '1000000'];

type StartOptions = {
  env?: NodeJS.ProcessEnv;
  descriptorsMax?: number;
  /** The checkout whose server is started; left out: this one. */
  root?: string;
  /** The event of its log that ends the start; before `listening` it has no URLs. */
  until?: string;
};

type LogLine = { readonly event?: string; readonly [key: string]: unknown };

/** Reads one metric; 0 where it has never been counted. */
export type Metrics = (name: string) => number;

export class ServerProcess {
  readonly #child: Child;
  /** Every line of the log so far. */
  readonly log: readonly LogLine[];
  /** `ws://host:port` of a chat server, `http://host:port` of a media server; without a path. */
  readonly origin: string;
  /** `http://host:port` of metrics and health. */
  readonly internal: string;

  private constructor(child: Child, log: readonly LogLine[], listening: LogLine) {
    this.#child = child;
    this.log = log;
    this.origin = String(listening.chat ?? listening.media).replace(/\/ws$/, '');
    this.internal = String(listening.internal);
  }

  /** Starts a stage on free ports; rejects with its last output if it does not listen in time. */
  static async start(
    stage: string,
    args: readonly string[] = [],
    nodeArgs: readonly string[] = [],
    { env = {}, descriptorsMax, root = repository, until = 'listening' }: StartOptions = {},
  ): Promise<ServerProcess> {
    const ports = ['--port', '0', '--internal-port', '0'];
    const log: LogLine[] = [];
    const command = [
      process.execPath,
      ...nodeArgs,
      join(root, 'server/main.ts'),
      '--stage',
      stage,
      ...ports,
      ...args,
    ];
    if (descriptorsMax) command.unshift('sh', '-c', `ulimit -n ${descriptorsMax}; exec "$@"`, 'sh');
    const options: ChildOptions = {
      command: command[0]!,
      args: command.slice(1),
      env: { PATH: process.env.PATH, ...env },
      // Workers must end with their supervisor by themselves: a test checks that.
      keepGroup: true,
      onLine: (line, stream) => stream === 'stdout' && log.push(JSON.parse(line) as LogLine),
    };
    const { child, ready } = await startChildUntil(options, {
      name: `the server of ${stage}`,
      readLine: () => log.findLast(({ event }) => event === until),
      deadlineMs: startDeadlineMs,
    });
    return new ServerProcess(child, log, ready);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Whether the process is gone. */
  get ended(): boolean {
    return this.#child.howEnded() !== null;
  }

  url(room = ''): string {
    return this.origin + pathOfRoom(room);
  }

  /** Sends the signal; resolves with the exit code (null when a signal ended it) and how long that took. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<{ code: number | null; tookMs: number }> {
    const startedAtMs = performance.now();
    this.#child.signal(signal);
    return { code: await this.#child.exit, tookMs: performance.now() - startedAtMs };
  }

  /** Lets it drain first, and kills it when that takes long. */
  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => this.#child.signal('SIGKILL'), stopGraceMs);
    await this.stop();
    clearTimeout(timer);
  }

  get(path: string): Promise<Response> {
    return fetch(this.internal + path);
  }

  /** The metrics of now, by name with labels as the server prints them: `chat_closes_total{code="1007"}`. */
  async metrics(): Promise<Metrics> {
    const text = await (await this.get('/metrics')).text();
    const values = new Map<string, number>();
    for (const [, name, value] of text.matchAll(/^([a-z][^ ]*) (\S+)$/gm)) values.set(name!, Number(value));
    return (name) => values.get(name) ?? 0;
  }

  /** Waits until the metric has that value. */
  async reaches(name: string, value: number): Promise<void> {
    await this.eventually(
      (metrics) => metrics(name),
      (shown) => shown === value,
    );
  }

  /** Waits until `holds` accepts the value that `shows` makes of the metrics; rejects after five seconds. */
  async eventually<T>(shows: (metrics: Metrics) => T, holds: (value: T) => boolean): Promise<T> {
    const endAtMs = performance.now() + eventuallyDeadlineMs;
    for (;;) {
      const value = shows(await this.metrics());
      if (holds(value)) return value;
      if (performance.now() > endAtMs)
        throw new Error(`never came to hold; at last: ${JSON.stringify(value)}`);
      await sleep(20);
    }
  }
}
