/**
 * Backpressure: while more is published than the backplane carries, sessions that publish are not read. Their
 * bytes stay with the kernels, so that TCP slows down whoever sends too much, and nobody is refused for it.
 */

/** Chosen, not measured: short for a person, long compared with the work of one look. */
const lookEveryMs = 10;
/**
 * What one reading of a socket brings, 64 KiB, may all be messages. So many of these fit between the mark at
 * which senders are held and the bound at which they are refused: `congestedBytes` in backplane.ts.
 */
const resumedPerLook = 32;

type Congestible = { readonly congested?: boolean };
type Readable = { pause(): void; resume(): void };

/** Holds the sessions that publish while the chat is congested, and reads on in their order. */
export class Backpressure<S extends Readable> {
  readonly #chat: Congestible;
  readonly #onResume: (session: S) => void;
  readonly #held = new Set<S>();
  #timer: NodeJS.Timeout | undefined;

  /** `onResume`: the session is read again. */
  constructor(chat: Congestible, onResume: (session: S) => void) {
    this.#chat = chat;
    this.#onResume = onResume;
  }

  /** Reads no more of this session until the congestion is over. False: it was held already. */
  hold(session: S): boolean {
    if (this.#held.has(session)) return false;
    this.#held.add(session);
    session.pause();
    this.#timer ??= setInterval(() => this.#look(), lookEveryMs).unref();
    return true;
  }

  /** Call when the session is over. */
  forget(session: S): void {
    if (this.#held.delete(session)) this.#rest();
  }

  #look(): void {
    if (this.#chat.congested) return;
    let left = resumedPerLook;
    for (const session of this.#held) {
      if (left-- === 0) break;
      this.#held.delete(session);
      session.resume();
      this.#onResume(session);
    }
    this.#rest();
  }

  #rest(): void {
    if (this.#held.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
