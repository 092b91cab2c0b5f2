/** Commands for accounts, messages to persons, presence and images. */
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { size as unitSize } from '#host/units.ts';
import { isUserName, passwordBytesMin, passwordRule, userRule, utf8Bytes } from '#protocol';
import type { LoginOutcome } from '../core/account.ts';
import { type Registration, register } from '../core/account-service.ts';
import { seconds } from './line-format.ts';
import type { Command, Place } from './place.ts';

/** Larger files are not even read; the server's own limit is lower. Chosen, not measured. */
const imageBytesMax = 64 << 20;

export const accountCommands: Readonly<Record<string, Command>> = {
  register: { usage: '/register <name>', about: 'make an account, and log in', run: registerAccount },
  login: { usage: '/login <name>', about: 'log in; the password is asked for, and not shown', run: login },
  logout: { usage: '/logout', about: 'go on without the account', run: logout },
  msg: {
    usage: '/msg <name> <text>',
    about: 'a message to one person, also while they are away',
    run: message,
  },
  watch: {
    usage: '/watch [name …]',
    about: 'tell when these people come and go; /who lists them',
    run: watch,
  },
  unwatch: { usage: '/unwatch <name …>', about: 'watch them no longer', run: unwatch },
  image: {
    usage: '/image [@name] <file>',
    about: 'upload an image, and send its address to the room or to that person',
    run: image,
  },
};

async function registerAccount(place: Place, user: string): Promise<void> {
  if (!isNameToUse(place, user, '/register')) return;
  const password = await place.askSecret(`a password for ${user} (${passwordRule}, not shown): `);
  if (password === undefined) return place.notice('no account was made');
  if (utf8Bytes(password) < passwordBytesMin)
    return place.warning(`the password must have ${passwordRule}; no account was made`);
  const again = await place.askSecret('the same again: ');
  if (again !== password) return place.warning('the two are not the same; no account was made');
  const { address } = place.person.chat;
  if (!address) return place.warning('not connected yet; try again');
  const made = await register(address, { user, password });
  if (made.result !== 'ok') return place.warning(`no account was made: ${registrationWords(made, user)}`);
  place.notice(`the account ${user} is made`);
  await logIn(place, user, password);
}

/** Why there is no account, in words. */
export function registrationWords(made: Exclude<Registration, { result: 'ok' }>, user: string): string {
  if (made.result === 'taken') return `somebody has the name ${user} already`;
  if (made.result === 'closed') return 'this server makes no accounts on request';
  if (made.result === 'busy') return `${made.detail}; try again in ${seconds(made.retryAfterMs)}`;
  return made.detail;
}

async function login(place: Place, user: string): Promise<void> {
  if (/\s/.test(user))
    return place.warning('give only the name; the password is asked for, so that it is not shown');
  if (!isNameToUse(place, user, '/login')) return;
  const password = await place.askSecret(`password of ${user} (not shown): `);
  if (password === undefined) return place.notice('not logged in');
  await logIn(place, user, password);
}

async function logIn(place: Place, user: string, password: string): Promise<void> {
  const outcome = await place.person.account.login({ user, password });
  if (outcome.result !== 'ok') return place.warning(loginWords(outcome));
}

/** Why a login did not succeed, in words. */
export function loginWords(outcome: Exclude<LoginOutcome, { result: 'ok' }>): string {
  switch (outcome.result) {
    case 'fail':
      return 'not logged in: the name or the password is wrong';
    case 'busy':
      return `not logged in: the server is busy; try again in ${seconds(outcome.retryAfterMs)}`;
    case 'already':
      return 'logged in already, or a login is under way; /logout first';
    case 'lost':
      return 'not logged in: the client ended before the server answered';
  }
}

function logout({ person, notice, warning }: Place): void {
  const { user } = person.account;
  if (user === undefined) return warning('you are not logged in');
  const { unanswered } = person;
  if (unanswered > 0) notice(`${unanswered} of your messages were not answered yet, and may not be stored`);
  person.account.logout();
}

function message(place: Place, argument: string): void {
  const [, to, text] = /^@?(\S+)\s+(.+)$/s.exec(argument) ?? [];
  if (to === undefined || text === undefined)
    return place.warning('write /msg <name> <text>, as /msg bob hello');
  if (isPersonToWrite(place, to) && !place.direct.say(to, text))
    place.warning('not sent: too many messages wait for their answer. The up arrow recalls it');
}

function watch(place: Place, argument: string): void {
  if (!isLoggedIn(place)) return;
  const { presence } = place.person;
  const names = argument.split(/\s+/).filter(Boolean);
  for (const name of names) {
    if (!isUserName(name)) place.warning(`nobody can have the name ${name}: it must be ${userRule}`);
    else if (!presence.watch(name)) place.warning(`${name} is not watched: you watch 100 people already`);
  }
  const all = presence.watched.join(', ');
  place.notice(all === '' ? 'you watch nobody; /watch bob does' : `you watch ${all}`);
}

function unwatch(place: Place, argument: string): void {
  for (const name of argument.split(/\s+/)) place.person.presence.unwatch(name);
  const all = place.person.presence.watched.join(', ');
  place.notice(all === '' ? 'you watch nobody' : `you watch ${all}`);
}

async function image(place: Place, argument: string): Promise<void> {
  const [, to, file] = /^(?:@(\S+)\s+)?(.+)$/s.exec(argument) ?? [];
  if (file === undefined) return place.warning('write /image <file>, or /image @bob <file>');
  if (to === undefined ? !isLoggedIn(place) : !isPersonToWrite(place, to)) return;
  const bytes = await readImage(file);
  place.notice(`uploading ${file} …`);
  const upload = await place.person.images.upload(bytes);
  if (upload.result !== 'ok') return place.warning(`${file} was not sent: ${upload.detail}`);
  if (to === undefined) place.say(upload.url);
  else place.direct.say(to, upload.url);
}

/** Throws a sentence that says why it cannot be read. */
async function readImage(file: string): Promise<Uint8Array<ArrayBuffer>> {
  // A shell would have replaced it.
  const path = file.replace(/^~(?=\/)/, homedir());
  try {
    const { size } = await stat(path);
    if (size <= imageBytesMax) return new Uint8Array(await readFile(path));
  } catch (error) {
    const { code = '', message: text } = error as NodeJS.ErrnoException;
    const why = {
      ENOENT: 'there is no such file',
      EISDIR: 'it is a directory',
      EACCES: 'you may not read it',
    }[code];
    throw new Error(`${file} cannot be read: ${why ?? text}`);
  }
  throw new Error(`${file} is too large: the limit is ${unitSize.format(imageBytesMax)}`);
}

/** Whether somebody is logged in; says so if not. */
export function isLoggedIn({ person, warning }: Place): boolean {
  if (person.account.user !== undefined) return true;
  warning('log in first: /login <name>, or /register <name>');
  return false;
}

function isPersonToWrite(place: Place, to: string): boolean {
  if (!isLoggedIn(place)) return false;
  if (isUserName(to)) return true;
  place.warning(`nobody can have the name ${to}: it must be ${userRule}`);
  return false;
}

function isNameToUse(place: Place, user: string, command: string): boolean {
  const now = place.person.account.user;
  if (now !== undefined) place.warning(`you are logged in as ${now}; /logout first`);
  else if (user === '') place.warning(`write ${command} <name>`);
  else if (!isUserName(user)) place.warning(`${user} cannot be a name: it must be ${userRule}`);
  else return true;
  return false;
}
