/** Says what a message is that nobody in this worker has seen before: whole, ours, and whose. */
import { type MessageForm, readToken, type Token, tokenAt, tokenChars, writeToken } from '../model/stamp.ts';

export type InspectorSettings = {
  runId: number;
  form: MessageForm;
  /** The user (its index in the whole run) that the plan lets say message `number` of `room`. */
  senderOf(room: number, number: number): number;
};

/** `ignored` is what is no chat message (a typed message of a later stage of a server). */
export type Finding = 'intact' | 'ignored' | 'corrupted';

export class Inspector {
  /** Of the last message that was intact; of this run or of another. */
  readonly token: Token = { runId: 0, room: 0, number: 0, dueUs: 0, lagUs: 0 };
  readonly #tokenText = Buffer.alloc(tokenChars);
  readonly #settings: InspectorSettings;

  constructor(settings: InspectorSettings) {
    this.#settings = settings;
  }

  /** Looks at the payload in [start, end), whatever form its JSON has. */
  inspect(bytes: Buffer, start: number, end: number): Finding {
    const { form, senderOf } = this.#settings;
    const { token } = this;
    if (end - start === form.payloadBytes && readToken(bytes, start + tokenAt, token)) {
      if (this.#isForeign()) return 'intact';
      if (form.isIntact(bytes, start, end, senderOf(token.room, token.number), token)) return 'intact';
    }
    return this.#parse(bytes.toString('utf8', start, end));
  }

  /**
   * Where the token of the message last found intact lies in its payload; −1 where it cannot be seen in the bytes. A
   * server that writes its JSON otherwise puts it elsewhere, but at the same place in every frame.
   */
  offsetOfToken(bytes: Buffer, start: number, end: number): number {
    writeToken(this.#tokenText, 0, this.token);
    const offset = bytes.indexOf(this.#tokenText, start);
    return offset !== -1 && offset + tokenChars <= end ? offset : -1;
  }

  #parse(text: string): Finding {
    const { form, senderOf } = this.#settings;
    const { token } = this;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return 'corrupted';
    }
    if (typeof value !== 'object' || value === null) return 'corrupted';
    const { clientId, Message, type } = value as Record<string, unknown>;
    if (typeof type === 'string' && Message === undefined) return 'ignored';
    if (typeof clientId !== 'string' || typeof Message !== 'string') return 'corrupted';
    const chars = Buffer.from(Message.slice(0, tokenChars), 'latin1');
    if (chars.length < tokenChars || !readToken(chars, 0, token)) return 'corrupted';
    if (this.#isForeign()) return 'intact';
    return form.isSame(clientId, Message, senderOf(token.room, token.number), token) ? 'intact' : 'corrupted';
  }

  /** Of another run, whose senders and sizes this one cannot know. */
  #isForeign(): boolean {
    return this.token.runId >> 1 !== this.#settings.runId >> 1;
  }
}
