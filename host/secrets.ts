/** Secrets: how they are given, and how texts that may hold one are shown. */
import { readFileSync } from 'node:fs';

/** Stands for a text of which nothing can be shown, because its secret part cannot be told from the rest. */
export const notShown = '(not shown)';
/** A parameter of a URL whose name says that its value is a secret. */
const secretParameter =
  /([?&;][^=&;#\s]*(?:token|pass|pwd|secret|key|auth|credential)[^=&;#\s]*=)[^&;#\s"']*/gi;
/** User and password of a URL, also where the password holds an unencoded @. */
const userInfo = /(:\/\/)[^\s"']*@/g;

/** The text with the secrets of all URLs in it replaced by `***`: too much rather than too little. */
export function redact(text: string): string {
  return text.replace(userInfo, '$1***@').replace(secretParameter, '$1***');
}

/** The value as JSON, with the secrets of all URLs in its texts hidden. `space` is as for JSON.stringify. */
export function redactedJson(value: unknown, space?: number): string {
  const redactText = (_key: string, one: unknown) => (typeof one === 'string' ? redact(one) : one);
  return JSON.stringify(value, redactText, space);
}

/** Protocol, host and database, such as `redis://host:6379/1`; never a user, a password or a query. */
export function redactUrl(text: string): string {
  const url = parseServiceUrl(text);
  return url === null ? notShown : `${url.protocol}//${url.host}${url.pathname.replace(/^\/$/, '')}`;
}

/** The URLs of a list, of which each but the first follows a comma; one URL is a list of one. */
export function splitUrls(text: string): string[] {
  // A password may contain a comma, but no `://` that is not encoded.
  return text.trim().split(/\s*,\s*(?=[A-Za-z]+:\/\/)/);
}

/**
 * Reads `protocol://[user:password@]host[:port][/number][?query]`; null for everything else. A password with
 * characters that a URL must encode may end up in any other part of it, so no other part may be there.
 */
export function parseServiceUrl(text: string): URL | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.hash !== '' || url.search.includes('@')) return null;
  // A list of hosts would be read as one.
  if (url.hostname === '' || url.hostname.includes(',')) return null;
  return /^\/?\d*$/.test(url.pathname) ? url : null;
}

/** True for URLs of which one holds a password or a query, in which a password may stand. */
export function holdsSecret(text: string): boolean {
  return splitUrls(text).some((one) => {
    const url = parseServiceUrl(one);
    return url === null || url.password !== '' || url.search !== '';
  });
}

/** One secret of a program, by its option or by the file that another option names. */
export type SecretOptions = { flag: string; given: string | undefined; file: string | undefined };

/**
 * The secret, without the line break at the end of a file; undefined if none is given. Throws one sentence,
 * in which the secret does not stand.
 */
export function readSecret({ flag, given, file }: SecretOptions): string | undefined {
  if (given !== undefined && file !== undefined)
    throw new Error(`give ${flag} or ${flag}-file; both were given`);
  let secret = given;
  try {
    if (file !== undefined) secret = readSecretFile(file);
  } catch (error) {
    const why = (error as Error).message;
    throw new Error(`${flag}-file must name a file that can be read; given: ${file} (${why})`);
  }
  // Visible characters only: a line break would begin another header.
  if (secret === undefined || /^[\x21-\x7e]+$/.test(secret)) return secret;
  const what = secret === '' ? 'nothing' : 'something else (not shown)';
  throw new Error(
    `${file === undefined ? flag : `${flag}-file`} must hold visible ASCII characters; given: ${what}`,
  );
}

/** The secret in a file, without the line break at its end. Throws the error of the system. */
export function readSecretFile(path: string): string {
  return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
}
