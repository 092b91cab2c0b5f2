/** Secrets: how they are given, and how texts that may hold one are shown. */
import { readFileSync } from 'node:fs';

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

/** One secret of a program, by its option or by the file that another option names. */
export type SecretOptions = { flag: string; given: string | undefined; file: string | undefined };

/**
 * The secret, without the line break at the end of a file; undefined if none is given. Throws one sentence,
 * in which the secret does not stand.
 */
export function readSecret({ flag, given, file }: SecretOptions): string | undefined {
  if (given !== undefined && file !== undefined)
    throw new Error(`give ${flag} or ${flag}-file; both were given`);
  const secret = file === undefined ? given : readSecretFile(`${flag}-file`, file).replace(/\r?\n$/, '');
  // Visible characters only: a line break would begin another header.
  if (secret === undefined || /^[\x21-\x7e]+$/.test(secret)) return secret;
  const what = secret === '' ? 'nothing' : 'something else (not shown)';
  throw new Error(
    `${file === undefined ? flag : `${flag}-file`} must hold visible ASCII characters; given: ${what}`,
  );
}

function readSecretFile(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(
      `${flag} must name a file that can be read; given: ${path} (${(error as Error).message})`,
    );
  }
}
