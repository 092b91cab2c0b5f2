/** The images that people uploaded, what the media server said of them, and what it still has. Pure. */
import { createHash } from 'node:crypto';

export type ImageAudit = {
  /** Uploads that the media server said it had stored. */
  acked: number;
  /** Begun, and not acknowledged: nobody knows. */
  unanswered: number;
  /** Acknowledged, and not found. */
  lost: number;
  /** Acknowledged, and found with other bytes. */
  changed: number;
};

type Entry = { digest: string; url: string | null; found: string | null };

export class ImageLedger {
  readonly #entries = new Map<number, Entry>();

  /** `number` is unique. */
  began(number: number, body: Buffer): void {
    this.#entries.set(number, { digest: digestOf(body), url: null, found: null });
  }

  /** The media server has stored it, and it stands at this URL. */
  acked(number: number, url: string): void {
    this.#entries.get(number)!.url = url;
  }

  /** What its URL has in the end; null for nothing. */
  found(number: number, body: Buffer | null): void {
    this.#entries.get(number)!.found = body && digestOf(body);
  }

  /** The images that must be found. */
  *owed(): Generator<{ number: number; url: string }> {
    for (const [number, { url }] of this.#entries) if (url !== null) yield { number, url };
  }

  /** An image that nobody has looked for counts as lost. */
  audit(): ImageAudit {
    const entries = [...this.#entries.values()];
    const acked = entries.filter(({ url }) => url !== null);
    return {
      acked: acked.length,
      unanswered: entries.length - acked.length,
      lost: acked.filter(({ found }) => found === null).length,
      changed: acked.filter(({ found, digest }) => found !== null && found !== digest).length,
    };
  }
}

const digestOf = (body: Buffer) => createHash('sha256').update(body).digest('hex');
