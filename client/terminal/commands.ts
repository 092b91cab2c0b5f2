/** The commands that a person types: lines that begin with one slash. */
import { defaultMessageLimits } from '#protocol';

/** What the commands need of the chat. */
export type Place = {
  readonly roomName: string;
  readonly clientId: string;
  rename(clientId: string): void;
  /** Names that messages had since this client started, the last one first. */
  readonly heard: readonly string[];
  /** Closes the chat. */
  leave(): void;
  notice(text: string): void;
  warning(text: string): void;
};

type Command = { usage: string; about: string; run(place: Place, argument: string): void };

const commands: Readonly<Record<string, Command>> = {
  help: { usage: '/help', about: 'this table', run: (place) => help().forEach(place.notice) },
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
    run: ({ notice, heard }) => {
      const names = heard.length === 0 ? 'nobody yet' : heard.join(', ');
      notice(`spoke since you came: ${names}. The server does not list who is there`);
    },
  },
  quit: { usage: '/quit', about: 'leave; so does Ctrl-D', run: (place) => place.leave() },
};

/** Keys and forms that are no commands. */
const others: readonly (readonly [string, string])[] = [
  ['//text', 'says a line that begins with one slash'],
  ['Enter', 'without a text: tries to connect now, while there is no connection'],
  ['up arrow', 'recalls what you said'],
];

/** Runs the command that this line is; false where it is none. */
export function runCommand(line: string, place: Place): boolean {
  const [, name, argument = ''] = /^\/(?!\/)(\S+)\s*(.*)$/s.exec(line) ?? [];
  if (name === undefined) return false;
  if (Object.hasOwn(commands, name)) commands[name]!.run(place, argument.trim());
  else place.warning(`/${name} is not a command; /help lists them`);
  return true;
}

function help(): string[] {
  const rows = [...Object.values(commands).map(({ usage, about }) => [usage, about] as const), ...others];
  const width = Math.max(...rows.map(([usage]) => usage.length)) + 2;
  return rows.map(([usage, about]) => usage.padEnd(width) + about);
}

function rename(place: Place, name: string): void {
  const { clientIdCharsMax } = defaultMessageLimits;
  if (name.length < 1 || name.length > clientIdCharsMax)
    return place.warning(`/nick needs a name of 1 to ${clientIdCharsMax} characters; given ${name.length}`);
  place.rename(name);
  place.notice(`you are ${name} now`);
}
