/** Whether and when a user comes back, as our clients do. Pure. */
import { closeCodes, parseReconnectWaitMs } from '#protocol';

/** Bounds of the random wait, which doubles with every failed attempt: as in the client. Chosen. */
const firstWaitMsMax = 500;
const waitMsMax = 30_000;

/** `attempt`: failed attempts in a row before this one; `random`: uniform in [0, 1). Full jitter. */
function jitterMs(attempt: number, random: () => number): number {
  return random() * Math.min(waitMsMax, firstWaitMsMax * 2 ** attempt);
}

/**
 * Milliseconds until the next attempt after a close; undefined where the next connection would end so too.
 */
export function waitAfterClose(code: number, reason: string, random: () => number): number | undefined {
  if (closeCodes.get(code)?.reconnect === false) return undefined;
  return parseReconnectWaitMs(reason) ?? jitterMs(0, random);
}

/**
 * Milliseconds until the next attempt after a refusal with an HTTP status or a socket error code; undefined
 * where it is the request that is refused. The wait that the server asks for is not shortened.
 */
export function waitAfterRefusal(
  why: string,
  retryAfterMs: number | undefined,
  attempt: number,
  random: () => number,
): number | undefined {
  if (/^4\d\d$/.test(why) && why !== '429') return undefined;
  return (retryAfterMs ?? 0) + jitterMs(attempt, random);
}

/** Whether this user is one of a storm of that share, spread evenly over all users and so over rooms. */
export function isOfStorm(user: number, share: number): boolean {
  return Math.floor((user + 1) * share) > Math.floor(user * share);
}
