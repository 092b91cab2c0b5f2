/** People who upload images at a steady rate, through failures, and look for what was stored in the end. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { UploadAddress } from '#protocol';
import { ImageLedger } from './image-ledger.ts';
import { steadily } from './steadily.ts';
import { getImage, imageOf, putImage } from './upload.ts';

/** A person who can ask for upload addresses. */
export type Uploader = {
  /** A new address for an image of so many bytes. Rejects where none was given. */
  address(bytes: number): Promise<UploadAddress>;
};

/** Chosen, not measured: fast enough to see a recovery. */
const retryMs = 100;
/** Downloads at the same time. Chosen, not measured. */
const downloadsMax = 8;

export class ImageUploads implements Disposable {
  readonly ledger = new ImageLedger();
  readonly #uploaders: readonly Uploader[];
  readonly #seed: number;
  readonly #end = new AbortController();
  readonly #signal: AbortSignal;
  readonly #open = new Set<Promise<void>>();
  #clock: NodeJS.Timeout | undefined;

  /** The uploaders take turns. */
  constructor(uploaders: readonly Uploader[], { seed, signal }: { seed: number; signal: AbortSignal }) {
    this.#uploaders = uploaders;
    this.#seed = seed;
    this.#signal = AbortSignal.any([signal, this.#end.signal]);
  }

  /** So many uploads begin per second, until `rest`. */
  begin(ratePerSecond: number): void {
    this.#clock = steadily(ratePerSecond, (number) => {
      // It rejects at the end of the trial only.
      const upload = this.#upload(number)
        .catch(() => {})
        .finally(() => this.#open.delete(upload));
      this.#open.add(upload);
    });
  }

  rest(): void {
    clearInterval(this.#clock);
  }

  /** Waits until every upload was acknowledged, at most for so long. */
  async settle(timeoutMs: number): Promise<void> {
    const late = sleep(timeoutMs, undefined, { signal: this.#signal, ref: false });
    await Promise.race([Promise.all(this.#open), late]);
  }

  /** Fetches everything that was acknowledged. */
  async check(): Promise<void> {
    const queue = this.ledger.owed();
    const work = async () => {
      for (const { number, url } of queue) this.ledger.found(number, await getImage(url, this.#signal));
    };
    await Promise.all(Array.from({ length: downloadsMax }, work));
  }

  [Symbol.dispose](): void {
    this.rest();
    this.#end.abort();
  }

  /**
   * Resolves when it is acknowledged. After an upload that broke off, one half of the people try its address
   * again, where 409 then says that it was stored; the others ask for a new address.
   */
  async #upload(number: number): Promise<void> {
    const uploader = this.#uploaders[number % this.#uploaders.length]!;
    const body = imageOf(`${this.#seed} ${number}`);
    this.ledger.began(number, body);
    let address: UploadAddress | undefined;
    let brokeOff: UploadAddress | undefined;
    for (;;) {
      try {
        address ??= await uploader.address(body.length);
        const status = await putImage(address.upload, body, this.#signal);
        if (status === 201 || (status === 409 && address === brokeOff))
          return this.ledger.acked(number, address.image);
        // Expired, or taken: another address. All else passes.
        if (status === 403 || status === 409) address = undefined;
      } catch {
        brokeOff = address;
        if (number % 2 === 0) address = undefined;
      }
      await sleep(retryMs, undefined, { signal: this.#signal });
    }
  }
}
