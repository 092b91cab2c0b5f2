/**
 * Hot path. XREAD over many streams, hundreds of times a second. ioredis would put the text of each command
 * together from all its arguments, here over a hundred, of which most are those of the read before.
 */
import { Command } from 'ioredis';

/** A log that is read: the key of its stream, and the id from which to go on. */
export type Readable = { readonly stream: string; readonly cursor: string };

/** A command whose text is known. Resolves with the reply as buffers. */
class KnownCommand extends Command {
  readonly #text: string;

  constructor(name: string, text: string) {
    super(name, [], { replyEncoding: null });
    this.#text = text;
  }

  override toWritable(): string {
    return this.#text;
  }
}

/** The reads of one set of logs. */
export class StreamRead<L extends Readable> {
  readonly logs: readonly L[];
  readonly #byStream: ReadonlyMap<string, L>;
  readonly #head: string;
  readonly #cursors: string[];
  readonly #cursorTexts: string[];

  /** Each read: at most so many entries of each log, after a wait of at most `blockMs`. */
  constructor(logs: readonly L[], { count, blockMs }: { count: number; blockMs: number }) {
    this.logs = logs;
    this.#byStream = new Map(logs.map((log) => [log.stream, log]));
    const args = ['XREAD', 'COUNT', `${count}`, 'BLOCK', `${blockMs}`, 'STREAMS'];
    const streams = logs.map(({ stream }) => stream);
    this.#head = `*${args.length + 2 * logs.length}\r\n${[...args, ...streams].map(bulkString).join('')}`;
    this.#cursors = logs.map(({ cursor }) => cursor);
    this.#cursorTexts = this.#cursors.map(bulkString);
  }

  logOf(stream: string): L | undefined {
    return this.#byStream.get(stream);
  }

  /** The next read: each log from its cursor. */
  command(): Command {
    for (let index = 0; index < this.logs.length; index++) {
      const { cursor } = this.logs[index]!;
      if (cursor === this.#cursors[index]) continue;
      this.#cursors[index] = cursor;
      this.#cursorTexts[index] = bulkString(cursor);
    }
    return new KnownCommand('XREAD', this.#head + this.#cursorTexts.join(''));
  }
}

/** A bulk string of the protocol of Redis (RESP), as arguments of commands are sent. */
function bulkString(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}
