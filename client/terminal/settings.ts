/** The settings: options and CLIENT_ environment variables, with all mistakes reported at once. */
import { userInfo } from 'node:os';
import { Command, Option } from 'commander';
import { shapeHelp } from '#host/help.ts';
import { variableOf } from '#host/old-names.ts';
import { readSecret } from '#host/secrets.ts';
import { rate, size, time, type Unit } from '#host/units.ts';
import { defaultMessageLimits, isRoomName, roomOfPath } from '#protocol';
import { passwordVariable, readPerson } from './person-settings.ts';

export const exitCode = { done: 0, failed: 1, badInput: 2, interrupted: 130 } as const;

/** What the variables of the client begin with. */
export const prefix = 'CLIENT_';

const urlDefault = 'ws://127.0.0.1:8080/ws';

/** The command line and its help. Each option has an environment variable: CLIENT_ECHO_WAIT and so on. */
export function clientCommand(): Command {
  const limit = size.format(defaultMessageLimits.messageBytesMax);
  const options = [
    option('--url <ws-url>', 'the address of the chat; repeatable: tried in turn')
      .default(undefined, urlDefault)
      .argParser(append),
    option(
      '--connect <http-url>',
      'ask /connect there for the address before each connection; repeatable: the next where one does not answer',
    ).argParser(append),
    option('--id <name>', 'your clientId: 1 to 64 characters').default(undefined, 'your login name'),
    option('--room <name>', 'the room to join').default(undefined, 'the global room'),
    option(
      '--token <secret>',
      'sent as "Authorization: Bearer <secret>"; safer as CLIENT_TOKEN or in a file',
    ),
    option('--token-file <path>', 'the same from a file, which no list of processes shows'),
    option('--origin <origin>', 'the Origin header, if the server requires one'),
    option('--user <name>', 'log in as this user; a terminal asks for the password'),
    option('--password-file <path>', `the password, from a file; or in ${passwordVariable}`),
    option('--device <name>', 'this device among those of the user').default(
      undefined,
      'named after the machine',
    ),
    option('--to <user>', 'in a pipe: each line is a message to this person, and not to the room'),
    option('--json', 'in a pipe: print each message as one line of JSON'),
    option('--listen', 'in a pipe: stay after the end of the input'),
    new Option('--no-color', 'no colours (as with NO_COLOR)'),
    option('--message-size-max <size>', 'the longest line that is sent', limit),
    option('--message-rate-max <rate>', 'the highest rate of lines, and the largest burst', '50/s'),
    option('--echo-wait <time>', 'the longest wait for the next echo after the input ended', '5s'),
    option('--attempts-max <count>', 'failed attempts in a row before it ends').default(
      undefined,
      'no limit on a terminal, 8 in a pipe',
    ),
  ];
  const command = new Command('npm run client --')
    .description('A chat client: interactive on a terminal; in a pipe it sends lines and prints messages.')
    .helpOption('--help', 'show this help')
    .allowExcessArguments(false);
  for (const each of options) command.addOption(each);
  return shapeHelp(command, examples);
}

/** The environment gives several values separated by blanks. */
function append(value: string, before: string[] = []): string[] {
  return [...before, ...value.split(/\s+/).filter(Boolean)];
}

function option(flags: string, about: string, fallback?: string): Option {
  const made = new Option(flags, about).default(fallback);
  const variable = variableOf(prefix, made.long!.slice(2));
  // For commander a variable that is set turns a switch on, whatever its value.
  const isOff = made.isBoolean() && ['', '0', 'false'].includes(process.env[variable] ?? '1');
  return isOff ? made : made.env(variable);
}

const examples = `
Examples:
  npm run client -- --room tea
      chats under your login name; /help lists the commands
  npm run client -- --id alice --connect http://a:8080 --connect http://b:8080
      asks these nodes where to connect
  echo hi | npm run client -- --id bot
      sends one line, and exits when the room has received it
  npm run client -- --id log --listen --json </dev/null >log.ndjson
  npm run client -- --user alice --room tea
      logs in on a stage with accounts; asks for the password
  echo hi | npm run client -- --user alice --password-file pw --to bob

Exit codes:
  0    left, and every line was confirmed: by its echo from the room, or as stored for the person
  1    lines were not confirmed, or the server closed the connection, or there was none
  2    bad input
  130  Ctrl-C`;

export type ClientConfig = Exclude<ReturnType<typeof readConfig>, { mistakes: string[] }>;

/** Checks the options; returns the settings or all mistakes, each with the required and the given value. */
export function readConfig(options: Readonly<Record<string, unknown>>) {
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

  const quantity = (name: string, flag: string, unit: Unit, least: number): number => {
    const value = unit.parse(text(name)!);
    if (Number.isInteger(value) && value! >= least) return value!;
    const required = `${unit.noun} of at least ${unit.format(least)} ${unit.example}`;
    mistakes.push(`Change ${flag}. Required: ${required}. Given: ${JSON.stringify(text(name))}.`);
    return 0;
  };

  const id = text('id') ?? loginName();
  if (id.length < 1 || id.length > defaultMessageLimits.clientIdCharsMax) {
    const given = id === '' ? 'nothing' : `${id.length} characters`;
    mistakes.push(`Set --id or CLIENT_ID. Required: 1 to 64 characters. Given: ${given}.`);
  }
  const list = (name: string): string[] | undefined => options[name] as string[] | undefined;
  const place = readPlace(list('url'), list('connect') ?? [], text('room'), mistakes);
  let token: string | undefined;
  try {
    token = readSecret({ flag: '--token', given: text('token'), file: text('tokenFile') });
  } catch (error) {
    mistakes.push((error as Error).message);
  }
  const person = readPerson(
    { user: text('user'), passwordFile: text('passwordFile'), device: text('device'), to: text('to') },
    mistakes,
  );
  const origin = text('origin');
  if (origin !== undefined && !/^[\x21-\x7e]+$/.test(origin)) {
    mistakes.push(`Change --origin. Required: visible ASCII characters. Given: ${JSON.stringify(origin)}.`);
  }
  const config = {
    ...place,
    id,
    token,
    person,
    origin,
    json: options.json === true,
    listen: options.listen === true,
    color: options.color !== false,
    messageBytesMax: quantity('messageSizeMax', '--message-size-max', size, 1),
    messagesPerSecondMax: quantity('messageRateMax', '--message-rate-max', rate, 1),
    echoWaitMs: quantity('echoWait', '--echo-wait', time, 0),
    /** Undefined if not given: no limit on a terminal, 8 in a pipe. */
    attemptsMax: integer('attemptsMax', '--attempts-max', 1),
  };
  return mistakes.length > 0 ? { mistakes } : config;
}

/** Empty where the system knows none. */
function loginName(): string {
  try {
    return userInfo().username.slice(0, defaultMessageLimits.clientIdCharsMax);
  } catch {
    return '';
  }
}

/** Where to connect, and the room in words: `room tea`, `the global room`. Adds to `mistakes`. */
function readPlace(
  given: readonly string[] | undefined,
  connect: readonly string[],
  room: string | undefined,
  mistakes: string[],
) {
  if (room !== undefined && !isRoomName(room)) {
    mistakes.push(`Change --room. Required: 1 to 64 of A-Z a-z 0-9 _ . -. Given: ${JSON.stringify(room)}.`);
  }
  // With a connect service, an address that nobody has named is no place to go to.
  const places = given ?? (connect.length > 0 ? [] : [urlDefault]);
  const urls = places.map((url) => withRoom(url, room, mistakes));
  const rooms = new Set(urls.map((url) => room ?? roomOfPath(URL.parse(url)?.pathname ?? '')));
  if (rooms.size > 1) {
    const all = places.map((url) => JSON.stringify(url)).join(', ');
    mistakes.push(`Change --url. Required: the same room in each of them. Given: ${all}.`);
  }
  const name = room ?? [...rooms][0];
  return {
    urls,
    connectUrls: connect.map((url) => connectRequest(url, name, mistakes)),
    roomName: name ? `room ${name}` : 'the global room',
  };
}

function withRoom(given: string, room: string | undefined, mistakes: string[]): string {
  const url = URL.parse(given);
  if (!url || (url.protocol !== 'ws:' && url.protocol !== 'wss:') || url.hash !== '') {
    const required = 'ws://host:port/ws, or wss:// behind TLS, without a fragment';
    mistakes.push(`Change --url. Required: ${required}. Given: ${JSON.stringify(given)}.`);
    return given;
  }
  if (room === undefined) return url.href;
  const base = url.pathname.replace(/\/$/, '');
  if (!base.endsWith('/ws')) {
    const required = 'with --room, a --url that ends in /ws';
    mistakes.push(`Give the room once. Required: ${required}. Given: ${JSON.stringify(given)}.`);
  }
  url.pathname = `${base}/${room}`;
  return url.href;
}

/** The request that asks where the people of the room are. */
function connectRequest(given: string, room: string | undefined, mistakes: string[]): string {
  const url = URL.parse(given);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.search + url.hash !== '') {
    const required = 'http://host:port, or https:// behind TLS, without a query and a fragment';
    mistakes.push(`Change --connect. Required: ${required}. Given: ${JSON.stringify(given)}.`);
    return given;
  }
  url.pathname = `${url.pathname.replace(/\/$/, '').replace(/\/connect$/, '')}/connect`;
  if (room) url.searchParams.set('room', room);
  return url.href;
}
