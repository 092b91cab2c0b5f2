/**
 * The settings of a person with an account: who logs in, on which device, and to whom the lines of a pipe
 * go.
 */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import {
  deviceRule,
  isDeviceName,
  isUserName,
  passwordBytesMax,
  passwordBytesMin,
  passwordRule,
  userRule,
  utf8Bytes,
} from '#protocol';

/** The variable of the password. There is no option of that name: all users of a machine can read those. */
export const passwordVariable = 'CLIENT_PASSWORD';

export type PersonSettings = {
  /** Logs in at the start; undefined: not before the person says so. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly device: string;
  /** In a pipe: each line goes to this person. */
  readonly to: string | undefined;
};

type Given = {
  readonly user: string | undefined;
  readonly passwordFile: string | undefined;
  readonly device: string | undefined;
  readonly to: string | undefined;
};

/** Checks them; adds to `mistakes`. No password stands in a mistake. */
export function readPerson(given: Given, mistakes: string[]): PersonSettings {
  const { user, to, device = defaultDevice() } = given;
  const check = (flag: string, rule: string, value: string | undefined, isRight: boolean): void => {
    if (value !== undefined && !isRight)
      mistakes.push(`Change ${flag}. Required: ${rule}. Given: ${JSON.stringify(value)}.`);
  };
  check('--user', userRule, user, isUserName(user));
  check('--to', userRule, to, isUserName(to));
  check('--device', deviceRule, device, isDeviceName(device));
  if (to !== undefined && user === undefined)
    mistakes.push('Give --user too. Required: who sends the messages to the person of --to. Given: nobody.');
  return { user, to, device, password: readPassword(given, mistakes) };
}

function readPassword({ user, passwordFile }: Given, mistakes: string[]): string | undefined {
  const fromEnvironment = process.env[passwordVariable];
  if (passwordFile !== undefined && fromEnvironment !== undefined) {
    mistakes.push(`Give ${passwordVariable} or --password-file; both were given.`);
    return undefined;
  }
  let password = fromEnvironment;
  try {
    if (passwordFile !== undefined) password = readFileSync(passwordFile, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const why = (error as Error).message;
    mistakes.push(
      `Change --password-file. Required: a file that can be read. Given: ${passwordFile} (${why}).`,
    );
  }
  if (password === undefined) return undefined;
  const bytes = utf8Bytes(password);
  if (bytes < passwordBytesMin || bytes > passwordBytesMax)
    mistakes.push(`Change the password. Required: ${passwordRule}. Given: ${bytes} bytes (not shown).`);
  if (user === undefined)
    mistakes.push('Give --user too. Required: whose password it is. Given: a password, and nobody.');
  return password;
}

/**
 * The same at each start on this machine: the server keeps for each device what it has not received, so a
 * device that never comes back would fill the mailbox.
 */
function defaultDevice(): string {
  const name = hostname()
    .replace(/[^A-Za-z0-9_.-]/g, '-')
    .slice(0, 23);
  return `terminal-${name}`;
}
