/** Creates the accounts of people: POST /accounts at the address of the chat. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Credentials } from '#protocol';

/** Requests at the same time. Chosen: more than one process hashes at once. */
const requestsMax = 16;
/** Chosen, not measured. */
const retryMs = 200;
const requestTimeoutMs = 10_000;

/** `count` people whose names begin so; their password is the same in every run, and guards nothing. */
export function peopleNamed(prefix: string, count: number): Credentials[] {
  return Array.from({ length: count }, (_, index) => ({
    user: `${prefix}${index}`,
    password: `password of ${prefix}${index}`,
  }));
}

/** Resolves when each account is there. While the server is busy, it waits. Rejects on another refusal. */
export async function createAccounts(
  chatUrl: string,
  people: readonly Credentials[],
  signal: AbortSignal,
): Promise<void> {
  const queue = people.values();
  const work = async () => {
    for (const person of queue) await createAccount(chatUrl, person, signal);
  };
  await Promise.all(Array.from({ length: requestsMax }, work));
}

/** The same for one. An account that is there already counts as created. */
export async function createAccount(
  chatUrl: string,
  person: Credentials,
  signal: AbortSignal,
): Promise<void> {
  const url = new URL('/accounts', chatUrl.replace(/^ws/, 'http'));
  for (;;) {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(person),
      signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]),
    });
    const text = await response.text();
    if (response.status === 201 || response.status === 409) return;
    if (response.status !== 429 && response.status !== 503)
      throw new Error(`POST /accounts for ${person.user} was answered with ${response.status}: ${text}`);
    const afterSeconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    await sleep(Number.isFinite(afterSeconds) ? afterSeconds * 1000 : retryMs, undefined, { signal });
  }
}
