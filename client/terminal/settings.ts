/** The settings: options and CLIENT_ environment variables, with all mistakes reported at once. */
import { Command, Option } from 'commander';
import { defaultMessageLimits, isRoomName, roomOfPath } from '#protocol';

export type ClientConfig = {
  /** Room included. */
  readonly url: string;
  /** The room in words: `room tea`, `the global room`. */
  readonly roomName: string;
  readonly id: string;
  readonly token: string | undefined;
  readonly origin: string | undefined;
  readonly json: boolean;
  readonly listen: boolean;
  readonly color: boolean;
  readonly messageBytesMax: number;
  readonly messagesPerSecondMax: number;
  readonly echoWaitMs: number;
  /** Undefined if not given: no limit on a terminal, 8 in a pipe. */
  readonly attemptsMax: number | undefined;
};

export const exitCode = { done: 0, failed: 1, badInput: 2, interrupted: 130 } as const;

/** The command line and its help. */
export function clientCommand(): Command {
  const option = (flags: string, env: string, text: string): Option =>
    new Option(flags, text).env(`CLIENT_${env}`);
  // For commander a variable that is set turns a switch on, whatever its value.
  const toggle = (flags: string, env: string, text: string): Option =>
    ['', '0', 'false'].includes(process.env[`CLIENT_${env}`] ?? '1')
      ? new Option(flags, text)
      : option(flags, env, text);
  return new Command('npm run client --')
    .description('A chat client: interactive on a terminal; in a pipe it sends lines and prints messages.')
    .addOption(option('--url <ws-url>', 'URL', 'the address of the chat').default('ws://127.0.0.1:8080/ws'))
    .addOption(option('--id <name>', 'ID', 'your clientId: 1 to 64 characters (required)'))
    .addOption(option('--room <name>', 'ROOM', 'the room to join; default: the global room'))
    .addOption(
      option('--token <secret>', 'TOKEN', 'sent as "Authorization: Bearer <secret>"; safer as CLIENT_TOKEN'),
    )
    .addOption(option('--origin <origin>', 'ORIGIN', 'the Origin header, if the server requires one'))
    .addOption(toggle('--json', 'JSON', 'in a pipe: print each message as one line of JSON'))
    .addOption(toggle('--listen', 'LISTEN', 'in a pipe: stay after the end of the input'))
    .addOption(new Option('--no-color', 'no colours (as with NO_COLOR)'))
    .addOption(
      option('--message-bytes-max <bytes>', 'MESSAGE_BYTES_MAX', 'the longest line that is sent').default(
        String(defaultMessageLimits.messageBytesMax),
      ),
    )
    .addOption(
      option(
        '--messages-per-second-max <count>',
        'MESSAGES_PER_SECOND_MAX',
        'the highest rate of lines, and the largest burst',
      ).default('50'),
    )
    .addOption(
      option(
        '--echo-wait-ms <ms>',
        'ECHO_WAIT_MS',
        'the longest wait for the next echo after the input ended',
      ).default('5000'),
    )
    .addOption(
      option('--attempts-max <count>', 'ATTEMPTS_MAX', 'failed attempts in a row before it ends').default(
        undefined,
        'no limit on a terminal, 8 in a pipe',
      ),
    )
    .helpOption('--help', 'show this help')
    .allowExcessArguments(false)
    .addHelpText('after', examples);
}

const examples = `
Examples:
  npm run client -- --id alice --room tea          chat; /quit or Ctrl-D leaves, the up arrow recalls
  echo hi | npm run client -- --id bot             send one line; exits when the room has received it
  npm run client -- --id log --listen --json </dev/null >log.ndjson

Exit codes:
  0    left, and every line was confirmed by its echo from the room
  1    lines were not confirmed, or the server closed the connection, or there was none
  2    bad input
  130  Ctrl-C`;

/** Checks the options; returns the settings or all mistakes, each with the required and the given value. */
export function readConfig(
  options: Readonly<Record<string, unknown>>,
): ClientConfig | { mistakes: string[] } {
  const mistakes: string[] = [];
  const text = (name: string): string | undefined => options[name] as string | undefined;
  const integer = (name: string, flag: string, least: number): number | undefined => {
    const given = text(name);
    if (given === undefined) return undefined;
    if (/^\d{1,9}$/.test(given) && Number(given) >= least) return Number(given);
    mistakes.push(
      `Change ${flag}. Required: a whole number, at least ${least}. Given: ${JSON.stringify(given)}.`,
    );
    return undefined;
  };

  const id = text('id') ?? '';
  if (id.length < 1 || id.length > defaultMessageLimits.clientIdCharsMax) {
    const given = id === '' ? 'nothing' : `${id.length} characters`;
    mistakes.push(`Set --id or CLIENT_ID. Required: 1 to 64 characters. Given: ${given}.`);
  }
  const place = readPlace(text('url') ?? '', text('room'), mistakes);
  const token = text('token');
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    mistakes.push('Change --token. Required: visible ASCII characters. Given: something else (not shown).');
  }
  const config = {
    ...place,
    id,
    token,
    origin: text('origin'),
    json: options.json === true,
    listen: options.listen === true,
    color: options.color !== false,
    messageBytesMax: integer('messageBytesMax', '--message-bytes-max', 1) ?? 0,
    messagesPerSecondMax: integer('messagesPerSecondMax', '--messages-per-second-max', 1) ?? 0,
    echoWaitMs: integer('echoWaitMs', '--echo-wait-ms', 0) ?? 0,
    attemptsMax: integer('attemptsMax', '--attempts-max', 1),
  };
  return mistakes.length > 0 ? { mistakes } : config;
}

/** The URL with its room; adds to `mistakes`. */
function readPlace(
  given: string,
  room: string | undefined,
  mistakes: string[],
): { url: string; roomName: string } {
  if (room !== undefined && !isRoomName(room)) {
    mistakes.push(`Change --room. Required: 1 to 64 of A-Z a-z 0-9 _ . -. Given: ${JSON.stringify(room)}.`);
  }
  const url = URL.parse(given);
  if (!url || (url.protocol !== 'ws:' && url.protocol !== 'wss:') || url.hash !== '') {
    const required = 'ws://host:port/ws, or wss:// behind TLS, without a fragment';
    mistakes.push(`Change --url. Required: ${required}. Given: ${JSON.stringify(given)}.`);
    return { url: given, roomName: '' };
  }
  if (room !== undefined) {
    const base = url.pathname.replace(/\/$/, '');
    if (!base.endsWith('/ws')) {
      const required = 'with --room, a --url that ends in /ws';
      mistakes.push(`Give the room once. Required: ${required}. Given: ${JSON.stringify(given)}.`);
    }
    url.pathname = `${base}/${room}`;
  }
  const name = room ?? roomOfPath(url.pathname);
  return { url: url.href, roomName: name ? `room ${name}` : 'the global room' };
}
