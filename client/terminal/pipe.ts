/** The chat in a pipe: sends standard input, prints messages, writes notices to standard error. */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { ChatClient } from '../core/chat-client.ts';
import { Outbox } from '../core/outbox.ts';
import type { PersonClient } from '../core/person-client.ts';
import { describeEnd } from '../core/reconnect.ts';
import { resumption } from '../core/resume.ts';
import { neutralise } from '../core/visible-text.ts';
import { attempts, jsonLine, plainLine, seconds } from './line-format.ts';
import { DirectPipe, directLine, logInPipe } from './pipe-person.ts';
import type { ClientConfig } from './settings.ts';

type PipeSettings = Pick<
  ClientConfig,
  'messageBytesMax' | 'messagesPerSecondMax' | 'listen' | 'echoWaitMs' | 'person' | 'json'
>;
type PipeOptions = PipeSettings & {
  readonly input: Readable;
  /** Writes one line to standard output; the line has no line break. */
  readonly print: (line: string) => void;
  /** Writes one line to standard error. */
  readonly notice: (line: string) => void;
};

/** Runs until the input ended and every line was confirmed. Resolves to true if all lines were. */
export async function runPipe(person: PersonClient, options: PipeOptions): Promise<boolean> {
  const client = person.chat;
  const { json, notice } = options;
  const { user, password, to } = options.person;
  const outbox = new Outbox(client, options.messagesPerSecondMax);
  const ended = Promise.withResolvers<void>();
  let failed = false;
  let leaving = false;
  client.events.on('message', (message) => options.print(json ? jsonLine(message) : plainLine(message)));
  person.events.on('message', (message) => options.print(directLine(message, json)));
  person.events.on('missing', ({ from, to }) => notice(`messages ${from} to ${to} are gone`));
  client.events.on('connected', ({ again }) => again && options.notice('connected again'));
  client.events.on('resumed', (event) => options.notice(resumption(event)));
  client.events.on('closed', ({ end, final, gaveUpAfter }) => {
    if (final) ended.resolve();
    if (leaving) return;
    failed ||= final && !(end.kind === 'closed' && end.code === 1000);
    const why = gaveUpAfter === undefined ? 'not reconnecting' : `gave up after ${attempts(gaveUpAfter)}`;
    options.notice(`${neutralise(describeEnd(end))}${final ? `; ${why}` : ''}`);
  });
  client.events.on('waiting', ({ waitMs }) => options.notice(`trying again in ${seconds(waitMs)}`));
  const joined = new Promise<void>((done) => client.events.on('connected', () => done()));
  client.connect();

  const direct = to === undefined ? undefined : new DirectPipe(person, to, notice);
  let refusal: string | undefined;
  if (user !== undefined) refusal = await logInPipe(person, user, password!, notice);
  if (refusal !== undefined) notice(refusal);
  const put = (line: string) => (direct ?? outbox).put(line);
  const refused = refusal === undefined ? await sendLines(client, put, options) : 1;
  // Without a line to confirm, only the room itself shows that there is one.
  await Promise.race([joined, ended.promise]);
  const unconfirmed = await outbox.settle(options.echoWaitMs);
  const unanswered = (await person.settle(options.echoWaitMs)) + (direct?.failed ?? 0);
  if (unanswered > 0) notice(`${unanswered} of the messages to ${to} not confirmed as stored`);
  if (unconfirmed > 0) {
    const [lines, them] = unconfirmed === 1 ? ['line', 'it'] : ['lines', 'them'];
    options.notice(`${unconfirmed} ${lines} not confirmed: the room did not send ${them} back`);
  }
  if (options.listen && refusal === undefined) await ended.promise;
  leaving = true;
  client.close();
  await ended.promise;
  return unconfirmed === 0 && unanswered === 0 && refused === 0 && !failed;
}

/** Sends until the input or the client ends. Resolves to the number of lines that were too long. */
async function sendLines(
  client: ChatClient,
  put: (line: string) => Promise<boolean>,
  options: PipeOptions,
): Promise<number> {
  const lines = createInterface({ input: options.input, crlfDelay: Number.POSITIVE_INFINITY });
  // The loop below waits for input. If the client ends first, it must end too.
  client.events.on('closed', ({ final }) => final && lines.close());
  let lineNumber = 0;
  let refused = 0;
  for await (const line of lines) {
    lineNumber += 1;
    const lineBytes = Buffer.byteLength(line);
    if (lineBytes > options.messageBytesMax) {
      refused += 1;
      const limit = options.messageBytesMax;
      options.notice(`line ${lineNumber} not sent: it has ${lineBytes} bytes, the limit is ${limit}`);
    } else if (!(await put(line))) {
      break;
    }
  }
  return refused;
}
