/** What a node says about itself to the others, and its text in Redis. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** A node as the others see it. */
export type LivingNode = {
  /** Its public address, `ws://host:port`. No two nodes of one chat have the same. */
  readonly url: string;
  /** False once it leaves. One that cannot reach Redis is in no list soon, so that need not be said. */
  readonly accepting: boolean;
  readonly sessions: number;
  /** Infinite where nothing bounds them. */
  readonly sessionsMax: number;
  /** Its sessions by partition; a partition without any is left out. */
  readonly sessionsByPartition: ReadonlyMap<number, number>;
};

/** The address of a node: `ws://` or `wss://`, a host and a port where it is not the usual one. */
export const publicUrlPattern = /^wss?:\/\/(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?$/;

/** Longest text of a node that is read. Chosen: 65,536 partitions with 6 digits of sessions each fit. */
const textCharsMax = 1024 * 1024;

/** The text is JSON, behind a signature (HMAC-SHA-256 over the key and the JSON) where there is a secret. */
export function encodeLivingNode(node: LivingNode, key: string, secret: string): string {
  const json = JSON.stringify({
    url: node.url,
    accepting: node.accepting,
    sessions: node.sessions,
    sessionsMax: node.sessionsMax, // JSON writes infinity as null.
    partitions: [...node.sessionsByPartition].flat(),
  });
  return secret === '' ? json : signatureOf(json, key, secret) + json;
}

/** Reads the text; undefined where it is none, or nobody who knows the secret made it. Never throws. */
export function decodeLivingNode(text: string, key: string, secret: string): LivingNode | undefined {
  if (text.length > textCharsMax) return undefined;
  const json = text.slice(secret === '' ? 0 : signatureChars);
  if (secret !== '' && !equal(text.slice(0, signatureChars), signatureOf(json, key, secret)))
    return undefined;
  let value: Record<string, unknown>;
  try {
    value = Object(JSON.parse(json));
  } catch {
    return undefined;
  }
  const { url, accepting, sessions, partitions } = value;
  const sessionsMax = value.sessionsMax ?? Number.POSITIVE_INFINITY;
  if (typeof url !== 'string' || !publicUrlPattern.test(url) || typeof accepting !== 'boolean')
    return undefined;
  if (!isCount(sessions) || (sessionsMax !== Number.POSITIVE_INFINITY && !isCount(sessionsMax)))
    return undefined;
  if (!Array.isArray(partitions) || !partitions.every(isCount)) return undefined;
  const sessionsByPartition = new Map<number, number>();
  for (let i = 0; i + 1 < partitions.length; i += 2)
    sessionsByPartition.set(partitions[i]!, partitions[i + 1]!);
  return { url, accepting, sessions, sessionsMax, sessionsByPartition };
}

/** Base64 of 32 bytes. */
const signatureChars = 44;

function signatureOf(json: string, key: string, secret: string): string {
  return createHmac('sha256', secret).update(`${key}\n`).update(json).digest('base64');
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
