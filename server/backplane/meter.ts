/** The measurements that a backplane reports while it runs, and the metrics that they become. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { BackplaneEvents } from './backplane.ts';

export type BackplaneMeter = {
  /** One batch left with that many chat messages. */
  batchSent(messages: number): void;
  /** A batch arrived that many seconds after it was made. */
  lagObserved(seconds: number): void;
  /** A connection was lost and is being made anew. */
  reconnecting(): void;
  /** `gap` was called: messages may have been missed. */
  lossSuspected(): void;
  /** Bytes accepted and not yet taken over by the other side, whenever that changes. */
  queueBytes(bytes: number): void;
};

/** Drops every report; for tests. */
export const silentMeter: BackplaneMeter = {
  batchSent() {},
  lagObserved() {},
  reconnecting() {},
  lossSuspected() {},
  queueBytes() {},
};

/** The same events, with every gap counted. */
export function countGaps(events: BackplaneEvents, meter: BackplaneMeter): BackplaneEvents {
  return {
    deliver: (room, payload) => events.deliver(room, payload),
    gap: (reason) => {
      meter.lossSuspected();
      events.gap(reason);
    },
  };
}

/** Declares the metrics of a backplane in the registry, and returns the meter that feeds them. */
export function createBackplaneMeter(registry: Registry): BackplaneMeter {
  const registers = [registry];
  const lag = new Histogram({
    name: 'chat_backplane_lag_seconds',
    help: 'From making a batch to receiving it: own batches over Redis, those of others between workers',
    registers,
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  });
  const batch = new Histogram({
    name: 'chat_backplane_batch_messages',
    help: 'Chat messages in one batch; heartbeats are not counted',
    registers,
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000],
  });
  const reconnects = new Counter({
    name: 'chat_backplane_reconnects_total',
    help: 'Connections of the backplane that were lost and are made anew',
    registers,
  });
  const losses = new Counter({
    name: 'chat_backplane_suspected_losses_total',
    help: 'Times when messages may have been missed, and the sessions were told to reconnect',
    registers,
  });
  const queue = new Gauge({
    name: 'chat_backplane_publish_queue_bytes',
    help: 'Bytes accepted and not yet taken over by the backplane',
    registers,
  });
  return {
    batchSent: (messages) => batch.observe(messages),
    lagObserved: (seconds) => lag.observe(Math.max(0, seconds)),
    reconnecting: () => reconnects.inc(),
    lossSuspected: () => losses.inc(),
    queueBytes: (bytes) => queue.set(bytes),
  };
}
