/** Lines in, lines out: standard input is sent, messages are printed, notices go to standard error. */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { ChatMessage } from '#protocol';
import type { ChatClient } from '../core/chat-client.ts';
import { Outbox, type OutboxOptions } from '../core/outbox.ts';
import { describeEnd } from '../core/reconnect.ts';
import { neutralise, seconds } from './line-format.ts';

export type PipeOptions = {
  readonly input: Readable;
  /** Writes one line, without its end, to standard output or standard error. */
  readonly print: (line: string) => void;
  readonly notice: (line: string) => void;
  readonly format: (message: ChatMessage) => string;
  readonly messageBytesMax: number;
  readonly outbox: OutboxOptions;
  /** Stay after the end of the input, until the server ends it. */
  readonly listen: boolean;
  /** How long the next echo may take after the input has ended, in milliseconds. */
  readonly echoWaitMs: number;
};

/** Runs until the input ends and every line was heard back; resolves to true when nothing was left unheard or unsent. */
export async function runPipe(client: ChatClient, options: PipeOptions): Promise<boolean> {
  const outbox = new Outbox(client, options.outbox);
  const ended = new Promise<void>((resolve) => {
    client.events.on('closed', ({ final }) => final && resolve());
  });
  let againstOurWill = false;
  let leaving = false;
  client.events.on('message', (message) => options.print(options.format(message)));
  client.events.on('connected', ({ again }) => again && options.notice('connected again'));
  client.events.on('closed', ({ end, final }) => {
    if (leaving) return;
    againstOurWill ||= final && !(end.kind === 'closed' && end.code === 1000);
    options.notice(`${neutralise(describeEnd(end))}${final ? '; not coming back' : ''}`);
  });
  client.events.on('waiting', ({ waitMs }) => options.notice(`trying again in ${seconds(waitMs)}`));
  client.connect();

  const refused = await sendLines(client, outbox, options);
  const unheard = await outbox.settle(options.echoWaitMs);
  if (unheard > 0) {
    options.notice(
      `${unheard} line${unheard === 1 ? '' : 's'} sent or held, but never heard back from the room`,
    );
  }
  if (options.listen) await ended;
  leaving = true;
  client.close();
  await ended;
  return unheard === 0 && refused === 0 && !againstOurWill;
}

/** Sends until the input or the client ends; resolves to the number of lines too long to be sent. */
async function sendLines(client: ChatClient, outbox: Outbox, options: PipeOptions): Promise<number> {
  const lines = createInterface({ input: options.input, crlfDelay: Number.POSITIVE_INFINITY });
  // The loop below waits for input; when the client ends first, nobody will take what is still to come.
  client.events.on('closed', ({ final }) => final && lines.close());
  let lineNumber = 0;
  let refused = 0;
  for await (const line of lines) {
    lineNumber += 1;
    const lineBytes = Buffer.byteLength(line);
    if (lineBytes > options.messageBytesMax) {
      refused += 1;
      options.notice(
        `line ${lineNumber} not sent: it has ${lineBytes} bytes, at most ${options.messageBytesMax} may go`,
      );
    } else if (!(await outbox.put(line))) {
      break;
    }
  }
  return refused;
}
