/** The commands that a person types: lines that begin with one slash. */
import { defaultMessageLimits } from '#protocol';
import { accountCommands } from './account-commands.ts';
import { type Command, noAccounts, type Place } from './place.ts';
import { postCommands } from './post-commands.ts';

const roomCommands: Readonly<Record<string, Command>> = {
  help: { usage: '/help', about: 'this table', run: help },
  nick: { usage: '/nick <name>', about: 'speak under another name from now on', run: rename },
  rooms: {
    usage: '/rooms',
    about: 'the room you are in; no stage of the server lists its rooms',
    run: ({ notice, roomName }) =>
      notice(`you are in ${roomName}. The server does not list its rooms; --room chooses one`),
  },
  who: {
    usage: '/who',
    about: 'who spoke since you came; no stage of the server lists who is there',
    run: who,
  },
  quit: { usage: '/quit', about: 'leave; so does Ctrl-D', run: (place) => place.leave() },
};

/** They need a server with accounts. */
const personCommands: Readonly<Record<string, Command>> = { ...accountCommands, ...postCommands };
const commands: Readonly<Record<string, Command>> = { ...roomCommands, ...personCommands };

/** Keys and forms that are no commands. */
const others: readonly (readonly [string, string])[] = [
  ['//text', 'says a line that begins with one slash'],
  ['Enter', 'without a text: tries to connect now, while there is no connection'],
  ['up arrow', 'recalls what you said'],
];

/** Whether this line is a command that exists. */
export function isCommand(line: string): boolean {
  return Object.hasOwn(commands, /^\/(\S+)/.exec(line)?.[1] ?? '');
}

/** Runs the command that this line is; false where it is none. */
export function runCommand(line: string, place: Place): boolean {
  const [, name, argument = ''] = /^\/(?!\/)(\S+)\s*(.*)$/s.exec(line) ?? [];
  if (name === undefined) return false;
  if (!Object.hasOwn(commands, name)) place.warning(`/${name} is not a command; /help lists them`);
  else void run(name, place, argument.trim());
  return true;
}

async function run(name: string, place: Place, argument: string): Promise<void> {
  try {
    if (Object.hasOwn(personCommands, name) && !(await place.person.hasAccounts())) place.warning(noAccounts);
    else await commands[name]!.run(place, argument);
  } catch (error) {
    place.warning(`/${name}: ${(error as Error).message}`);
  }
}

/** Commands that this server can carry out, and no others. */
async function help(place: Place): Promise<void> {
  const rows = [...rowsOf(roomCommands), ...others];
  const width = Math.max(...[...rows, ...rowsOf(personCommands)].map(([usage]) => usage.length)) + 2;
  const show = ([usage, about]: readonly [string, string]) => place.row(usage.padEnd(width), about);
  rows.forEach(show);
  const has = await place.person.hasAccounts().catch(() => false);
  if (has) rowsOf(personCommands).forEach(show);
}

function rowsOf(table: Readonly<Record<string, Command>>): (readonly [string, string])[] {
  return Object.values(table).map(({ usage, about }) => [usage, about]);
}

function rename(place: Place, name: string): void {
  const { clientIdCharsMax } = defaultMessageLimits;
  const { user } = place.person.account;
  if (user !== undefined) return place.warning(`you are logged in as ${user}; /logout first, then /nick`);
  if (name.length < 1 || name.length > clientIdCharsMax)
    return place.warning(`/nick needs a name of 1 to ${clientIdCharsMax} characters; given ${name.length}`);
  place.rename(name);
  place.notice(`you are ${name} now`);
}

function who({ notice, heard, person: { presence, account } }: Place): void {
  const names = heard.length === 0 ? 'nobody yet' : heard.join(', ');
  notice(`spoke since you came: ${names}. The server does not list who is there`);
  if (account.user === undefined) return;
  const states = presence.watched.map((user) => `${user} ${presence.stateOf(user) ?? 'not known yet'}`);
  notice(states.length === 0 ? 'you watch nobody; /watch bob does' : `you watch: ${states.join(', ')}`);
}
