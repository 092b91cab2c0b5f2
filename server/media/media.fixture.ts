/** A media server in this process, images, signed addresses and raw requests, for tests. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { ImageType } from '#protocol';
import { commonSettings, type SettingGroup } from '../settings.ts';
import { newImagePath, signedTarget, type UploadGrant } from './address.ts';
import { MediaServer } from './media-server.ts';
import { mediaAddressSettings, mediaServerSettings } from './settings.ts';

export const key = 'k'.repeat(32);

/** Images of the least that is one, with `bytes` of filling; the size of a WebP is in its head. */
export function image(type: ImageType, bytes = 64): Buffer {
  const heads: Record<ImageType, string> = {
    'image/jpeg': 'ffd8ffe000104a46494600010100',
    'image/png': '89504e470d0a1a0a0000000d49484452',
    'image/gif': '47494638396101000100',
    'image/webp': `52494646${sizeField(bytes - 8)}5745425056503820`,
  };
  const head = Buffer.from(heads[type], 'hex');
  return Buffer.concat([head, randomBytes(bytes - head.length)]);
}

function sizeField(bytes: number): string {
  const field = Buffer.alloc(4);
  field.writeUInt32LE(Math.max(0, bytes));
  return field.toString('hex');
}

/** What an address says where a test does not; `target` is its path and query. */
export function address(grant: Partial<UploadGrant> = {}, signingKey = key) {
  const type = grant.type ?? 'image/png';
  const full = {
    path: newImagePath(type),
    type,
    bytesMax: 100_000,
    expiresAtMs: Date.now() + 60_000,
    user: 'ann',
    ...grant,
  };
  return { ...full, target: signedTarget(full, signingKey) };
}

type Settings = ConstructorParameters<typeof MediaServer>[1];

/** The defaults of the settings, free ports, and what the test wants. */
export function mediaSettings(settings: Partial<Settings>): Settings {
  const groups: SettingGroup[] = [commonSettings, mediaAddressSettings, mediaServerSettings];
  const defaults = groups.flatMap((group) =>
    Object.entries(group.settings).map(([name, setting]) => [name, setting.default]),
  );
  const ofTests = { port: 0, internalPort: 0, drainDeadlineMs: 5_000, drainNoticeMs: 0, mediaSecret: [key] };
  return { ...Object.fromEntries(defaults), ...ofTests, mediaFreeBytesMin: 0, ...settings } as Settings;
}

/** A running media server on a directory of its own. */
export class TestMedia implements AsyncDisposable {
  readonly server: MediaServer;
  readonly directory: string;
  /** Everything that it has logged. */
  readonly log: string[];
  readonly port: number;
  readonly #internal: string;
  readonly #ownsDirectory: boolean;

  private constructor(
    of: Pick<TestMedia, 'server' | 'directory' | 'log' | 'port'>,
    internal: string,
    owns: boolean,
  ) {
    this.server = of.server;
    this.directory = of.directory;
    this.log = of.log;
    this.port = of.port;
    this.#internal = internal;
    this.#ownsDirectory = owns;
  }

  static async start(settings: Partial<Settings> = {}): Promise<TestMedia> {
    const directory = settings.mediaDirectory ?? mkdtempSync(join(tmpdir(), 'chat-media-'));
    const log: string[] = [];
    const logger = pino({ level: 'debug' }, { write: (line: string) => void log.push(line) });
    const server = new MediaServer('test', mediaSettings({ ...settings, mediaDirectory: directory }), logger);
    const { media, internal } = await server.listen();
    const owns = settings.mediaDirectory === undefined;
    const url = `http://127.0.0.1:${internal.port}`;
    return new TestMedia({ server, directory, log, port: media.port }, url, owns);
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Files in quarantine. */
  get quarantined(): string[] {
    return readdirSync(join(this.directory, 'quarantine'));
  }

  put(target: string, body: Buffer, headers: Record<string, string> = {}): Promise<Response> {
    const all = { 'content-type': 'image/png', ...headers };
    return fetch(this.origin + target, { method: 'PUT', body: new Uint8Array(body), headers: all });
  }

  get(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.origin + path, init);
  }

  internal(path: string): Promise<Response> {
    return fetch(this.#internal + path);
  }

  /** Sends bytes as they are, without any help of an HTTP client. */
  raw(bytes: string | Buffer): Socket {
    const socket = connect(this.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(bytes);
    return socket;
  }

  /** The answers to bytes that were sent as they are, up to the one that ends the connection. */
  async rawAnswer(bytes: string | Buffer): Promise<string> {
    const socket = this.raw(bytes);
    let heard = '';
    for await (const chunk of socket) {
      heard += chunk;
      // The server drops what is still to come for a while; nothing is.
      if (isLast(heard)) socket.end();
    }
    return heard;
  }

  async metric(name: string): Promise<number> {
    const lines = await (await this.internal('/metrics')).text();
    const line = lines.split('\n').find((one) => one.startsWith(`${name} `));
    return Number(line?.split(' ')[1] ?? 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.drain();
    if (this.#ownsDirectory) rmSync(this.directory, { recursive: true });
  }
}

/** The head of a `PUT`, for `raw`. */
export function putHead(target: string, headers: Record<string, string | number>): string {
  const lines = Object.entries({ host: 'x', connection: 'close', 'content-type': 'image/png', ...headers });
  return `PUT ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

/** Whether the last answer of a connection is whole. */
function isLast(heard: string): boolean {
  const end = heard.lastIndexOf('\r\n\r\n');
  const head = heard.slice(heard.lastIndexOf('HTTP/1.1 ', end), end);
  const bodyChars = heard.length - end - 4;
  return (
    /connection: close/i.test(head) && bodyChars >= Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
  );
}
