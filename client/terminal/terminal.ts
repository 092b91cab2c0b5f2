/** The chat on a terminal: an input line at the bottom that stays whole while messages scroll above it. */
import type { ReadStream, WriteStream } from 'node:tty';
import { closeCode, isUserName } from '#protocol';
import type { ChatClient } from '../core/chat-client.ts';
import { Outbox } from '../core/outbox.ts';
import type { PersonClient } from '../core/person-client.ts';
import { type ConnectionEnd, describeEnd } from '../core/reconnect.ts';
import { resumption } from '../core/resume.ts';
import { loginWords } from './account-commands.ts';
import { isCommand, runCommand } from './commands.ts';
import { Dialog } from './dialog.ts';
import { DirectLines } from './direct-lines.ts';
import { attempts, LineStyle, seconds } from './line-format.ts';
import type { PersonSettings } from './person-settings.ts';
import { StateLine, tellOfAccount } from './person-state.ts';
import { noAccounts, type Place } from './place.ts';
import { PostLines } from './post-lines.ts';
import { Screen } from './screen.ts';
import type { ClientConfig } from './settings.ts';

type Settings = Pick<ClientConfig, 'roomName' | 'messageBytesMax' | 'messagesPerSecondMax' | 'echoWaitMs'> & {
  /** Logs in at the start. */
  readonly person?: Pick<PersonSettings, 'user' | 'password'>;
};
type TerminalOptions = Settings & {
  readonly input: ReadStream;
  readonly output: WriteStream;
  readonly colours: boolean;
};

/** Left by command, interrupted by Ctrl-C, or closed by the server. */
export type TerminalEnd = 'left' | 'interrupted' | 'closed';

/** The most lines that may wait for a connection. Chosen, not measured. */
const waitingLinesMax = 100;
/** The most names that `/who` remembers. Chosen, not measured. */
const heardMax = 50;

/** Runs until the user leaves or the client ends. */
export async function runTerminal(person: PersonClient, options: TerminalOptions): Promise<TerminalEnd> {
  const client = person.chat;
  const style = new LineStyle(options.colours);
  const screen = new Screen(options.input, options.output);
  const notice = (text: string): void => void screen.print(style.notice(text, new Date(), screen.columns));
  const warning = (text: string): void => void screen.print(style.warning(text, new Date(), screen.columns));
  const outbox = new Outbox(client, options.messagesPerSecondMax, (lines) => {
    warning(`perhaps not delivered: ${lines.map((line) => JSON.stringify(line)).join(', ')}`);
  });
  let heard: string[] = [];
  const dialog = new Dialog(screen);
  const onPaste = async (lines: readonly string[]): Promise<void> => {
    const answer = await dialog.ask(`send these ${lines.length} lines? [Y/n] `);
    if (['', 'y', 'yes'].includes(answer?.trim().toLowerCase() ?? 'no')) for (const line of lines) say(line);
    else notice(`not sent: ${lines.length} lines`);
  };
  const left = new Promise<TerminalEnd>((resolve) => {
    screen.lines.on('close', () => resolve('left'));
    screen.lines.on('SIGINT', () => dialog.cancel() || resolve('interrupted'));
    client.events.on('closed', ({ final }) => final && resolve('closed'));
  });

  client.events.on('connected', ({ again }) => {
    state.offline('');
    notice(`${again ? 'back' : 'you are'} in ${options.roomName} as ${client.clientId}`);
  });
  client.events.on('resumed', (event) => {
    if (event.complete) notice(resumption(event));
    else warning('you may have missed messages');
  });
  client.events.on('message', (message) => {
    heard = [message.clientId, ...heard.filter((name) => name !== message.clientId)].slice(0, heardMax);
    screen.print(style.message(message, outbox.isEcho(message), new Date(), screen.columns));
  });
  const state = new StateLine(person, screen, style);
  const stopOffline = showOffline(client, warning, (text) => state.offline(text));
  tellOfAccount(person, notice, warning);
  const place: Place = {
    roomName: options.roomName,
    get clientId() {
      return client.clientId;
    },
    get heard() {
      return heard;
    },
    person,
    direct: new DirectLines(person, screen, style, notice),
    posts: new PostLines(person, notice),
    say: (line) => say(line),
    ask: (question) => dialog.ask(question),
    askSecret: (question) => dialog.askSecret(question),
    rename: (name) => client.names.add(name),
    leave: () => screen.lines.close(),
    notice,
    row: (name, text) => void screen.print(style.notice(text, new Date(), screen.columns, name)),
    warning,
  };
  const say = (line: string): void => {
    const refusal = refusalOf(line, outbox, options.messageBytesMax);
    if (refusal !== undefined) return warning(refusal);
    if (line.trim() === '') return;
    if (!client.connected) notice(`held until connected: ${line}`);
    void outbox.put(line);
  };
  screen.onTyped(
    (line) => {
      // A command is no answer: who types /quit wants to leave.
      if (isCommand(line)) dialog.cancel();
      if (dialog.take(line)) return;
      if (line.trim() === '') return client.retryNow();
      if (!runCommand(line, place)) say(line.startsWith('//') ? line.slice(1) : line);
    },
    (lines) => {
      if (!dialog.take(lines.join(' '))) void onPaste(lines);
    },
  );
  screen.onEdited((input) => {
    const [, to] = /^\/msg\s+@?(\S+)\s+\S/.exec(input) ?? [];
    if (to !== undefined && isUserName(to)) person.presence.write(to);
  });

  notice('connecting. /help lists the commands, /quit leaves');
  client.connect();
  void logInFirst(place, options.person);
  const end = await left;
  stopOffline();
  if (end === 'left' && client.connected)
    await Promise.all([outbox.settle(options.echoWaitMs), person.settle(options.echoWaitMs)]);
  screen.close();
  client.close();
  return end;
}

/** Logs in as soon as there is a connection; asks for the password, if none was given. */
async function logInFirst(place: Place, settings: Settings['person'] = undefined): Promise<void> {
  const { user, password } = settings ?? {};
  if (user === undefined) return;
  if (!(await place.person.hasAccounts().catch(() => true))) return place.warning(noAccounts);
  if (password === undefined) return void runCommand(`/login ${user}`, place);
  const outcome = await place.person.account.login({ user, password });
  if (outcome.result !== 'ok') place.warning(loginWords(outcome));
}

/**
 * Says in the transcript when a connection is lost or the client ends. Attempts that follow are one line that
 * is redrawn: `status`, with a countdown.
 */
function showOffline(
  client: ChatClient,
  warning: (text: string) => void,
  status: (text: string) => void,
): () => void {
  let cancel = (): void => {};
  let isKnown = false;
  let why = '';
  const count = (attempt: number, untilMs: number): void => {
    const leftMs = untilMs - client.clock.nowMs();
    const when = leftMs <= 0 ? 'now' : `in ${seconds(leftMs)}`;
    status(`offline, attempt ${attempt} ${when} (Enter: now); ${why}`);
    if (leftMs > 0) cancel = client.clock.after(Math.min(leftMs, 1000), () => count(attempt, untilMs));
  };
  const stops = [
    client.events.on('connected', () => {
      cancel();
      isKnown = false;
    }),
    client.events.on('closed', ({ end, final, gaveUpAfter }) => {
      cancel();
      why = describeEnd(end);
      if (final) {
        status('');
        return warning(`${why}. ${finalHelp(end, gaveUpAfter)}.`);
      }
      if (!isKnown) warning(why);
      isKnown = true;
    }),
    client.events.on('waiting', ({ waitMs, attempt }) => count(attempt, client.clock.nowMs() + waitMs)),
  ];
  return () => {
    cancel();
    for (const stop of stops) stop();
  };
}

/** Why the client does not try again, and what a person may do. */
function finalHelp(end: ConnectionEnd, gaveUpAfter: number | undefined): string {
  if (gaveUpAfter !== undefined) return `Gave up after ${attempts(gaveUpAfter)}`;
  const isElsewhere = end.kind === 'closed' && end.code === closeCode.loggedInElsewhere;
  return isElsewhere ? 'With another --device you can be in both places' : 'Trying again would not help';
}

/** Why a line is not sent, in words; undefined if it can be sent. */
function refusalOf(line: string, outbox: Outbox, messageBytesMax: number): string | undefined {
  const lineBytes = Buffer.byteLength(line);
  if (lineBytes > messageBytesMax) {
    return `not sent: it has ${lineBytes} bytes, the limit is ${messageBytesMax}. The up arrow recalls it`;
  }
  if (outbox.waitingCount < waitingLinesMax) return undefined;
  return `not sent: ${waitingLinesMax} lines are waiting. The up arrow recalls it`;
}
