/** The metrics of the media server. Labels come from closed sets: never a path, a user or an address. */
import { Counter, Gauge } from 'prom-client';
import { createProcessRegistry } from '../ops/metrics.ts';

export type MediaMetrics = ReturnType<typeof createMediaMetrics>;

type Observed = { uploads(): number; downloads(): number; freeBytes(): Promise<number> };

/** Declares them in a registry of their own; the gauges read `observed` at each scrape. */
export function createMediaMetrics(stage: string, observed: Observed) {
  const registry = createProcessRegistry(stage);
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, registers, labelNames: [...labelNames] });
  const gauge = (name: string, help: string, read: () => number | Promise<number>) =>
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        this.set(await read());
      },
    });
  gauge('chat_media_uploads_open', 'Uploads under way', observed.uploads);
  gauge('chat_media_downloads_open', 'Downloads under way', observed.downloads);
  gauge('chat_media_free_bytes', 'Space that the disk of the images has left', observed.freeBytes);
  return {
    registry,
    uploads: counter('chat_media_uploads_total', 'Uploads by status; aborted: the client has gone', [
      'status',
    ]),
    bytes: counter('chat_media_bytes_total', 'Bytes of the images that were published'),
    receivedBytes: counter('chat_media_received_bytes_total', 'Bytes of uploads, those that failed too'),
    downloads: counter('chat_media_downloads_total', 'Answers to GET and HEAD, by status', ['status']),
    sentBytes: counter('chat_media_sent_bytes_total', 'Bytes of images that were sent'),
    swept: counter('chat_media_swept_total', 'Files of uploads cut short that were removed from quarantine'),
  };
}
