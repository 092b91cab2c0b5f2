/** Tokens of logins: random and opaque. Whoever reads the store cannot log in with what is kept there. */
import { createHash, randomBytes } from 'node:crypto';

/** 256 bits: they cannot be guessed, so a fast hash is enough for them. */
const tokenBytes = 32;

/** A new token, 43 characters of base64url. */
export function createLoginToken(): string {
  return randomBytes(tokenBytes).toString('base64url');
}

/** What is kept of a token: its SHA-256 in base64url. */
export function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
