/** The metrics of a backplane. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { latencyBuckets } from '../ops/metrics.ts';
import type { BackplaneEvents } from './backplane.ts';
import { epochMs } from './batch.ts';

/** A gauge, as far as a backplane uses it. */
type Level = { set(value: number): void; inc(by: number): void };

export type BackplaneMeter = ReturnType<typeof createBackplaneMeter>;

/** Declares the metrics in the registry. The default is one that nothing reads, for tests. */
export function createBackplaneMeter(registry = new Registry()) {
  const registers = [registry];
  const lag = new Histogram({
    name: 'chat_backplane_lag_seconds',
    help: 'From making a batch to receiving it: own batches over Redis, those of others between workers',
    registers,
    buckets: latencyBuckets,
  });
  return {
    /** Clocks of two processes may differ, but a lag is never negative. */
    observeLag: (publishedAtMs: number) => lag.observe(Math.max(0, epochMs() - publishedAtMs) / 1000),
    batchMessages: new Histogram({
      name: 'chat_backplane_batch_messages',
      help: 'Chat messages in one batch; heartbeats are not counted',
      registers,
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000],
    }),
    messagesRead: new Counter({
      name: 'chat_backplane_messages_read_total',
      help: 'Chat messages that this process read from the backplane, its own included',
      registers,
    }),
    reconnects: new Counter({
      name: 'chat_backplane_reconnects_total',
      help: 'Connections of the backplane that were lost and are made anew',
      registers,
    }),
    gaps: new Counter({
      name: 'chat_backplane_suspected_losses_total',
      help: 'Times when messages may have been missed, and the sessions were told to reconnect',
      registers,
    }),
    refused: new Counter({
      name: 'chat_backplane_refused_batches_total',
      help: 'Batches that no process of this chat can have sent, by what was wrong with them',
      registers,
      labelNames: ['reason'],
    }),
    queueBytes: new Gauge({
      name: 'chat_backplane_publish_queue_bytes',
      help: 'Bytes accepted and not yet taken over by the backplane',
      registers,
    }) as Level,
  };
}

/** The same metrics for one of several parts of a backplane: the gauge shows the sum of all parts. */
export function meterOfPart(meter: BackplaneMeter): BackplaneMeter {
  let last = 0;
  const { queueBytes } = meter;
  const set = (bytes: number) => {
    queueBytes.inc(bytes - last);
    last = bytes;
  };
  return { ...meter, queueBytes: { set, inc: (bytes) => queueBytes.inc(bytes) } };
}

/** The same events, with every gap counted. */
export function countGaps(events: BackplaneEvents, meter: BackplaneMeter): BackplaneEvents {
  return {
    deliver: (room, payload) => events.deliver(room, payload),
    gap: (reason, affects) => {
      meter.gaps.inc();
      events.gap(reason, affects);
    },
  };
}
