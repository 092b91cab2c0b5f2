/** The real server as another process, and people in it, for tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ClientOptions, WebSocket } from 'ws';
import { type ChatMessage, encodeMessage, pathOfRoom } from '#protocol';

const mainPath = fileURLToPath(new URL('../server/main.ts', import.meta.url));

export type LogLine = { readonly event?: string; readonly [key: string]: unknown };

export class ServerProcess {
  readonly #child: ChildProcess;
  /** Every line of the log so far. */
  readonly log: LogLine[] = [];
  #stderr = '';
  /** `ws://host:port`, without a path. */
  origin = '';
  internal = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts a stage on free ports; rejects with the log when it does not listen within ten seconds. */
  static async start(
    stage: string,
    args: readonly string[] = [],
    nodeArgs: readonly string[] = [],
  ): Promise<ServerProcess> {
    const ports = ['--port', '0', '--internal-port', '0'];
    const child = spawn(process.execPath, [...nodeArgs, mainPath, '--stage', stage, ...ports, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH },
    });
    const server = new ServerProcess(child);
    child.stderr?.on('data', (text) => {
      server.#stderr += text;
    });
    const listening = new Promise<void>((resolve) => {
      createInterface({ input: child.stdout! }).on('line', (line) => {
        const entry = JSON.parse(line) as LogLine;
        server.log.push(entry);
        if (entry.event !== 'listening') return;
        server.origin = String(entry.chat).replace(/\/ws$/, '');
        server.internal = String(entry.internal);
        resolve();
      });
    });
    const failed = once(child, 'exit').then(([code]) => {
      throw new Error(`the server exited with ${code} before it listened: ${server.#stderr}`);
    });
    failed.catch(() => {});
    const late = AbortSignal.timeout(10_000);
    await Promise.race([listening, failed, once(late, 'abort').then(() => Promise.reject(late.reason))]);
    return server;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  url(room = ''): string {
    return this.origin + pathOfRoom(room);
  }

  /** Sends the signal and resolves to the exit code (null when a signal ended it) and how long that took. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<{ code: number | null; tookMs: number }> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      return { code: this.#child.exitCode, tookMs: 0 };
    }
    const startedAtMs = performance.now();
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    const [code] = await exited;
    return { code, tookMs: performance.now() - startedAtMs };
  }

  /** Lets it clean up after itself; what does not end soon is killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    await this.stop();
    clearTimeout(timer);
  }

  get(path: string): Promise<Response> {
    return fetch(this.internal + path);
  }

  /** The metrics of this moment, by name with labels as the server prints them: `chat_closes_total{code="1007"}`. */
  async metrics(): Promise<Metrics> {
    const text = await (await this.get('/metrics')).text();
    const values = new Map<string, number>();
    for (const [, name, value] of text.matchAll(/^([a-z][^ ]*) (\S+)$/gm)) values.set(name!, Number(value));
    return (name) => values.get(name) ?? 0;
  }

  /** Waits until the metrics satisfy `holds`; rejects after five seconds with what `shows` makes of the last ones. */
  async eventually<T>(shows: (metrics: Metrics) => T, holds: (value: T) => boolean): Promise<T> {
    const endAtMs = performance.now() + 5_000;
    for (;;) {
      const value = shows(await this.metrics());
      if (holds(value)) return value;
      if (performance.now() > endAtMs)
        throw new Error(`never came to hold; at last: ${JSON.stringify(value)}`);
      await delay(20);
    }
  }
}

/** Reads one metric; 0 where it has never been counted. */
export type Metrics = (name: string) => number;

/** A person in a room: everything heard, and how it ended. */
export class Person {
  readonly ws: WebSocket;
  readonly clientId: string;
  /** The text of every frame, in order. */
  readonly heard: string[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  #onHeard = (): void => {};

  private constructor(ws: WebSocket, clientId: string) {
    this.ws = ws;
    this.clientId = clientId;
    this.closed = new Promise((resolve) => {
      ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    ws.on('message', (data) => {
      this.heard.push(data.toString());
      this.#onHeard();
    });
    ws.on('error', () => {}); // What matters of it is in `closed`.
  }

  /** Joins; rejects when the door stays shut. */
  static async join(url: string, clientId: string, options: ClientOptions = {}): Promise<Person> {
    const ws = new WebSocket(url, { perMessageDeflate: false, ...options });
    const person = new Person(ws, clientId);
    await once(ws, 'open');
    return person;
  }

  get messages(): ChatMessage[] {
    return this.heard.map((text) => JSON.parse(text) as ChatMessage);
  }

  say(message: string): void {
    this.ws.send(encodeMessage({ clientId: this.clientId, Message: message }));
  }

  /** Waits until that many frames were heard; rejects after ten seconds. */
  async hears(count: number): Promise<this> {
    if (this.heard.length >= count) return this;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.clientId} heard ${this.heard.length} of ${count} frames`)),
        10_000,
      );
      this.#onHeard = () => {
        if (this.heard.length < count) return;
        clearTimeout(timer);
        resolve();
      };
    });
    return this;
  }

  /** Leaves politely and waits until that is done. */
  async leave(): Promise<void> {
    this.ws.close(1000);
    await this.closed;
  }
}

export type Refused = { readonly status: number; readonly headers: IncomingMessage['headers'] };

/** Knocks at the door; resolves to the HTTP answer, rejects when it opens. */
export function refusedAt(url: string, options: ClientOptions = {}): Promise<Refused> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, options);
    ws.on('error', () => {}); // Follows from the terminate below.
    ws.on('open', () => {
      ws.terminate();
      reject(new Error(`${url} let us in`));
    });
    ws.on('unexpected-response', (_request, response) => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
      ws.terminate();
    });
  });
}
