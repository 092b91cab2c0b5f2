/**
 * Hashes of passwords: argon2id (RFC 9106) of Node itself, in its thread pool. A hash is kept as a text that
 * names its parameters, in the format of PHC: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';

export type HashCost = {
  /** Memory in KiB, at least 8. */
  readonly memoryKib: number;
  readonly passes: number;
};

/** RFC 9106, section 3.1: 128 bits of salt are sufficient for passwords. */
const saltBytes = 16;
const hashBytes = 32;
const phcPattern =
  /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=1\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

/** Resolves with the text to be kept. */
export async function hashPassword(password: string, cost: HashCost): Promise<string> {
  const salt = randomBytes(saltBytes);
  return encode(cost, salt, await derive(password, salt, cost));
}

/** A kept text that no password fits, and that costs as much to check as one of the same cost. */
export function unmatchableHash(cost: HashCost): string {
  return encode(cost, randomBytes(saltBytes), randomBytes(hashBytes));
}

/** Resolves with whether the password is the one of a kept text; rejects where the text is none. */
export async function fitsPassword(password: string, kept: string): Promise<boolean> {
  const [, memory, passes, salt, hash] = phcPattern.exec(kept) ?? [];
  if (hash === undefined) throw new Error('what is kept for a password is not in the format of PHC');
  const cost = { memoryKib: Number(memory), passes: Number(passes) };
  const wanted = Buffer.from(hash, 'base64');
  return timingSafeEqual(await derive(password, Buffer.from(salt!, 'base64'), cost), wanted);
}

function encode({ memoryKib, passes }: HashCost, salt: Buffer, hash: Buffer): string {
  const [saltText, hashText] = [salt, hash].map((bytes) => bytes.toString('base64').replace(/=+$/, ''));
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=1$${saltText}$${hashText}`;
}

function derive(password: string, nonce: Buffer, { memoryKib: memory, passes }: HashCost): Promise<Buffer> {
  // RFC 8265, section 4.2: keyboards write the same character in more than one way.
  const message = password.normalize('NFC');
  const parameters = { message, nonce, parallelism: 1, tagLength: hashBytes, memory, passes };
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, hash) => (error ? reject(error) : resolve(hash)));
  });
}
