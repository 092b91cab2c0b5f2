/**
 * Direct messages: ids and texts. A text follows from sender and id and from a secret of the run, so that a
 * receiver tells whether it is intact, and a server cannot write another one that fits. Pure. Hot path.
 *
 *     lag 5 · checksum 10 · characters that encoders get wrong · filler
 */
import type { ResolvedWorkload } from '../workload.ts';
import { nameOfPerson } from './people.ts';
import { seededRandom } from './schedule.ts';
import type { Seal } from './stamp.ts';

/** Which message of a run: its step, and its number in the schedule of that step. */
export type MessageId = { step: number; number: number };

const lagChars = 5;
const lagUsMax = 2 ** 30 - 1;
const checksumChars = 10;
/** Two, three and four bytes of UTF-8; a quote and a backslash, which JSON escapes. */
const awkward = 'é€"\\😀';
const awkwardBytes = Buffer.byteLength(JSON.stringify(awkward)) - 2;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** Longest id that is looked at: of a step and a number of 2^31 each. */
const idCharsMax = 32;
/** Random text, in which each message has an offset of its own. Chosen, not measured. */
const sourceChars = 2 ** 17;
let source = '';

/** Writes and checks the messages of a run. */
export class DirectFormat {
  readonly #workload: ResolvedWorkload;
  readonly #tag: string;
  readonly #seal: Seal;

  /** `tag`: of the run, see `runTagOf`. */
  constructor(workload: ResolvedWorkload, tag: string, seal: Seal) {
    this.#workload = workload;
    this.#tag = tag;
    this.#seal = seal;
    source ||= newSource();
  }

  /** The id that the sender chooses; other runs and steps have others. */
  id(step: number, number: number): string {
    return `${this.#tag}.${step.toString(36)}.${number.toString(36)}`;
  }

  /** Reads an id; undefined if it is none of this run. */
  parseId(id: unknown): MessageId | undefined {
    if (typeof id !== 'string' || id.length > idCharsMax || !id.startsWith(this.#tag)) return undefined;
    const dot = id.indexOf('.', this.#tag.length + 1);
    if (id[this.#tag.length] !== '.' || dot === -1) return undefined;
    const step = wholeOf(id, this.#tag.length + 1, dot);
    const number = wholeOf(id, dot + 1, id.length);
    return step >= 0 && number >= 0 ? { step, number } : undefined;
  }

  /** The frame of a message, `payloadBytes` bytes as UTF-8. `lagUs`: how much later than due it is sent. */
  frame(sender: number, recipient: number, step: number, number: number, lagUs: number): string {
    const { peoplePrefix, payloadBytes } = this.#workload;
    const to = nameOfPerson(peoplePrefix, recipient);
    const head = `{"type":"message","to":"${to}","id":"${this.id(step, number)}","Message":`;
    const fillerChars = payloadBytes - head.length - 3 - lagChars - checksumChars - awkwardBytes;
    return `${head}${JSON.stringify(this.#text(sender, step, number, lagUs, Math.max(0, fillerChars)))}}`;
  }

  /** The lag of an intact text in µs; −1 if it is not what that sender wrote under that id. */
  lagOf(text: unknown, sender: number, step: number, number: number): number {
    if (typeof text !== 'string' || sender < 0) return -1;
    const fixedChars = lagChars + checksumChars + awkward.length;
    if (text.length < fixedChars) return -1;
    const lagUs = digitsOf(text, lagChars);
    const same = lagUs >= 0 && text === this.#text(sender, step, number, lagUs, text.length - fixedChars);
    return same && text.length - fixedChars === this.#fillerChars(step, number) ? lagUs : -1;
  }

  #fillerChars(step: number, number: number): number {
    const { peoplePrefix, payloadBytes } = this.#workload;
    const frame = overheadBytes(peoplePrefix, this.id(step, number).length);
    return Math.max(0, payloadBytes - frame);
  }

  #text(sender: number, step: number, number: number, lagUs: number, fillerChars: number): string {
    const lag = Math.min(Math.max(lagUs, 0), lagUsMax);
    const one = mixed(this.#seal[0], sender, step, number, lag);
    const other = mixed(this.#seal[1], sender, step, number, lag);
    let text = digits(lag) + digits(one & lagUsMax) + digits(other & lagUsMax) + awkward;
    for (let from = (one ^ other) & (sourceChars - 1), left = fillerChars; left > 0; from = 0) {
      const part = source.slice(from, from + left);
      text += part;
      left -= part.length;
    }
    return text;
  }
}

/** Bytes of a frame with an empty filler. */
function overheadBytes(prefix: string, idChars: number): number {
  const names = nameOfPerson(prefix, 0).length + idChars;
  const json = '{"type":"message","to":"","id":"","Message":""}'.length;
  return json + names + lagChars + checksumChars + awkwardBytes;
}

function digits(value: number): string {
  let text = '';
  for (let shift = 24; shift >= 0; shift -= 6) text += alphabet[(value >>> shift) & 63]!;
  return text;
}

function digitsOf(text: string, chars: number): number {
  let value = 0;
  for (let i = 0; i < chars; i++) {
    const digit = alphabet.indexOf(text[i]!);
    if (digit === -1) return -1;
    value = value * 64 + digit;
  }
  return value;
}

/** The number that these digits of base 36 give; −1 for none, or in another spelling: that is another id. */
function wholeOf(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    const digit = code >= 48 && code <= 57 ? code - 48 : code >= 97 && code <= 122 ? code - 87 : -1;
    if (digit === -1) return -1;
    value = value * 36 + digit;
  }
  const isZero = to - from === 1 && value === 0;
  return to > from && (isZero || text.charCodeAt(from) !== 48) && value < 2 ** 31 ? value : -1;
}

function mixed(key: number, sender: number, step: number, number: number, lagUs: number): number {
  let h = Math.imul(key ^ sender, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15) ^ step, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13) ^ number, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16) ^ lagUs, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 15) ^ key, 0x165667b1);
  return h ^ (h >>> 16);
}

function newSource(): string {
  const random = seededRandom(1);
  return Array.from({ length: sourceChars }, () => alphabet[Math.floor(random() * 64)]!).join('');
}
