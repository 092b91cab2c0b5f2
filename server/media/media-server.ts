/**
 * The media server, a process of its own: takes images at signed addresses and serves them to everybody who
 * knows their names. It knows neither sessions nor accounts: a signature says all that it needs.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { descriptorLimit, openDescriptors } from '#host/descriptors.ts';
import { createInternalServer } from '../ops/internal-http.ts';
import { listen } from '../ops/listen.ts';
import type { commonSettings, ValuesOf } from '../settings.ts';
import { sendImage } from './download.ts';
import { createMediaMetrics, type MediaMetrics } from './media-metrics.ts';
import { MediaStore } from './media-store.ts';
import { answer, busy, Refusal } from './refusal.ts';
import { checkMediaServer, type MediaServerSettings } from './settings.ts';
import { AbortedError, takeUpload } from './upload.ts';
import { UploadSlots } from './upload-slots.ts';

type Settings = MediaServerSettings &
  ValuesOf<typeof commonSettings> & { readonly drainDeadlineMs: number; readonly drainNoticeMs: number };

/** Requests that were under way when the drain began. */
export type MediaDrainOutcome = { finishedRequests: number; cutRequests: number };

/** Chosen: a header is a few hundred bytes, and comes in one packet. */
const headersTimeoutMs = 10_000;
const headersBytesMax = 8192;
const keepAliveTimeoutMs = 15_000;
const requestsPerConnectionMax = 1_000;
/** Chosen: how often the quarantine is swept. */
const sweepIntervalMs = 60_000;
/** Chosen: descriptors for the log, the listeners and scrapes. */
const descriptorsReserved = 64;
/** Chosen: longest wait of a drain for what uploads that were cut have left behind. */
const cleanUpMs = 2_000;

const known = ['GET', 'HEAD', 'PUT', 'OPTIONS'];

export class MediaServer {
  readonly metrics: MediaMetrics;
  readonly #settings: Settings;
  readonly #log: Logger;
  readonly #slots: UploadSlots;
  readonly #http: Server;
  readonly #internal: Server;
  /** Requests that are being answered. */
  readonly #active = new Set<Promise<void>>();
  #store: MediaStore | undefined;
  #downloads = 0;
  #draining = false;
  #sweeps: NodeJS.Timeout | undefined;

  /** Throws a `SettingsError` where something that it needs was not set. */
  constructor(stage: string, settings: Settings, log: Logger) {
    checkMediaServer(settings);
    this.#settings = settings;
    this.#log = log;
    this.#slots = new UploadSlots(settings);
    this.metrics = createMediaMetrics(stage, {
      uploads: () => this.#slots.size,
      downloads: () => this.#downloads,
      freeBytes: () => this.#store?.freeBytes() ?? Promise.resolve(0),
    });
    this.#http = createServer({
      headersTimeout: headersTimeoutMs,
      // A body has its own time; this is for one that nobody reads.
      requestTimeout: headersTimeoutMs + settings.mediaTransferTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      maxHeaderSize: headersBytesMax,
    });
    this.#http.maxRequestsPerSocket = requestsPerConnectionMax;
    this.#http.on('request', (request, response) => this.#begin(request, response, () => {}));
    // Without this listener, Node would ask for a body that is then refused.
    this.#http.on('checkContinue', (request, response: ServerResponse) =>
      this.#begin(request, response, () => response.writeContinue()),
    );
    this.#internal = createInternalServer(this.metrics.registry, () => this.ready);
  }

  get ready(): boolean {
    return this.#store !== undefined && !this.#draining;
  }

  /** Requests that are being answered. */
  get requests(): number {
    return this.#active.size;
  }

  /** Opens the directory, sweeps it, and starts both listeners. */
  async listen(): Promise<{ media: AddressInfo; internal: AddressInfo }> {
    const { host, port, internalHost, internalPort, mediaDirectory, mediaConnectionsMax } = this.#settings;
    const store = await MediaStore.open(mediaDirectory);
    await this.#sweep(store);
    this.#sweeps = setInterval(() => void this.#sweep(store), sweepIntervalMs).unref();
    this.#store = store;
    // A connection may hold a file besides itself.
    const descriptors = Math.floor((descriptorLimit() - openDescriptors() - descriptorsReserved) / 2);
    this.#http.maxConnections = Math.max(1, Math.min(mediaConnectionsMax, descriptors));
    const media = await listen(this.#http, { host, port });
    const internal = await listen(this.#internal, { host: internalHost, port: internalPort });
    return { media, internal };
  }

  /** Takes no more connections, lets requests under way finish, and cuts those that are late. */
  async drain(): Promise<MediaDrainOutcome> {
    const { drainNoticeMs, drainDeadlineMs } = this.#settings;
    const deadline = sleep(drainDeadlineMs, undefined, { ref: false });
    this.#draining = true;
    await Promise.race([sleep(drainNoticeMs), deadline]);
    const requests = this.#active.size;
    this.#http.close();
    let isLate = false;
    const late = deadline.then(() => {
      isLate = true;
    });
    while (this.#active.size > 0 && !isLate) await Promise.race([this.#idle(), late]);
    const cutRequests = this.#active.size;
    clearInterval(this.#sweeps);
    this.#http.closeAllConnections();
    await Promise.race([this.#idle(), sleep(cleanUpMs, undefined, { ref: false })]);
    this.#internal.close();
    this.#internal.closeAllConnections();
    return { finishedRequests: Math.max(0, requests - cutRequests), cutRequests };
  }

  async #idle(): Promise<void> {
    await Promise.all(this.#active);
  }

  /** What a process that was killed has left is older than any upload may be. */
  async #sweep(store: MediaStore): Promise<void> {
    try {
      const files = await store.sweep(2 * this.#settings.mediaTransferTimeoutMs);
      this.metrics.swept.inc(files);
      if (files > 0) this.#log.info({ event: 'swept', files }, 'uploads that were cut short are removed');
    } catch (error) {
      this.#log.warn({ event: 'sweep failed', code: (error as NodeJS.ErrnoException).code });
    }
  }

  #begin(request: IncomingMessage, response: ServerResponse, begin: () => void): void {
    const done = this.#answer(request, response, begin).finally(() => this.#active.delete(done));
    this.#active.add(done);
  }

  /** Never rejects. */
  async #answer(request: IncomingMessage, response: ServerResponse, begin: () => void): Promise<void> {
    const isUpload = request.method === 'PUT';
    let status: number | 'aborted';
    response.on('error', () => {}); // The client has gone.
    try {
      this.#allowOrigin(request, response);
      if (this.#draining) response.setHeader('connection', 'close');
      status = isUpload ? await this.#upload(request, response, begin) : await this.#read(request, response);
    } catch (error) {
      status = this.#refuse(error, request, response);
    }
    const counter = isUpload ? this.metrics.uploads : this.metrics.downloads;
    counter.inc({ status });
    // Until the system has the whole answer, a drain must not end the connection.
    if (!response.closed) await once(response, 'close').catch(() => {});
  }

  async #upload(request: IncomingMessage, response: ServerResponse, begin: () => void): Promise<number> {
    if (this.#draining) throw busy(503, 'this media server is shutting down: try again', 1);
    const store = this.#store!;
    const count = (bytes: number) => this.metrics.receivedBytes.inc(bytes);
    const parts = { settings: this.#settings, store, slots: this.#slots, count };
    const { path, bytes } = await takeUpload(request, parts, begin);
    this.metrics.bytes.inc(bytes);
    answer(request, response, 201, 'the image is stored', { location: path });
    return 201;
  }

  /** GET, HEAD, and the question of a browser whether a page of another origin may upload. */
  async #read(request: IncomingMessage, response: ServerResponse): Promise<number> {
    const { method = '', url = '' } = request;
    if (!known.includes(method))
      throw new Refusal(405, `send ${known.join(', ')}`, { allow: known.join(', ') });
    if (method === 'OPTIONS') {
      response.writeHead(204, { allow: known.join(', ') }).end();
      return 204;
    }
    const { mediaDownloadsMax, mediaTransferTimeoutMs } = this.#settings;
    if (this.#downloads >= mediaDownloadsMax)
      throw busy(503, `${mediaDownloadsMax} downloads are under way: try again`, 1);
    this.#downloads += 1;
    const timer = setTimeout(() => response.destroy(), mediaTransferTimeoutMs);
    try {
      const bytes = await sendImage(url.split('?', 1)[0]!, request, response, this.#store!);
      this.metrics.sentBytes.inc(bytes);
      return response.statusCode;
    } finally {
      clearTimeout(timer);
      this.#downloads -= 1;
    }
  }

  /**
   * A page of another origin may upload only where the operator says so (CORS). Its browser tells the origin
   * of every upload; an image is shown to every page. Throws a `Refusal`.
   */
  #allowOrigin({ method, headers }: IncomingMessage, response: ServerResponse): void {
    const { mediaOrigins } = this.#settings;
    if (mediaOrigins.length > 0) response.setHeader('vary', 'origin');
    const { origin } = headers;
    if (origin === undefined) return;
    if (mediaOrigins.includes(origin)) {
      response.setHeader('access-control-allow-origin', origin);
      if (method !== 'OPTIONS') return;
      response.setHeader('access-control-allow-methods', 'PUT');
      response.setHeader('access-control-allow-headers', 'content-type');
      response.setHeader('access-control-max-age', 600);
    } else if (method === 'PUT' || method === 'OPTIONS')
      throw new Refusal(403, 'pages of this origin may not upload: the operator sets --media-origins');
  }

  #refuse(error: unknown, request: IncomingMessage, response: ServerResponse): number | 'aborted' {
    if (error instanceof AbortedError) {
      response.destroy();
      return 'aborted';
    }
    if (error instanceof Refusal) {
      answer(request, response, error.status, error.message, error.headers);
      return error.status;
    }
    // The message of a system error holds a path, and a path is all that one needs to see an image.
    const { name, code, syscall } = error as NodeJS.ErrnoException;
    this.#log.error({ event: 'request failed', method: request.method, name, code, syscall });
    if (response.headersSent) {
      response.destroy();
      return response.statusCode;
    }
    answer(request, response, 500, 'the media server met an unexpected error');
    return 500;
  }
}
