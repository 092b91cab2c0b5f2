/** What a backplane reports of itself while it runs; the server's metrics implement it, and tests leave it out. */
export type BackplaneMeter = {
  /** One envelope left with that many chat messages. */
  batchSent(messages: number): void;
  /** One of this process's own envelopes came back: seconds from handing it over to hearing it. */
  lagObserved(seconds: number): void;
  /** A broken connection is being made anew. */
  reconnecting(): void;
  /** `interrupted` was called: messages may have been missed. */
  lossSuspected(): void;
  /** Bytes accepted and not yet acknowledged, whenever that changes. */
  queueBytes(bytes: number): void;
};

/** Reports to nobody. */
export const silentMeter: BackplaneMeter = {
  batchSent() {},
  lagObserved() {},
  reconnecting() {},
  lossSuspected() {},
  queueBytes() {},
};
