/** The accounts of a chat over HTTP: whether it has any, and how to make one. */
import type { Credentials } from '#protocol';
import { parseRetryAfterMs } from './reconnect.ts';
import { type ChatAddress, serviceUrl } from './route.ts';

/** The longest wait for an answer. Making an account costs the server a slow hash. Chosen, not measured. */
const answerMsMax = 15_000;

/** What became of a new account; `detail` is a sentence of the server or of the system. */
export type Registration =
  | { readonly result: 'ok' }
  | {
      readonly result: 'taken' | 'closed' | 'invalid' | 'unsupported' | 'unreachable';
      readonly detail: string;
    }
  | { readonly result: 'busy'; readonly detail: string; readonly retryAfterMs: number };

/** Whether the chat has accounts. Rejects where it does not answer. */
export async function hasAccounts({ chatUrl, headers }: ChatAddress): Promise<boolean> {
  const signal = AbortSignal.timeout(answerMsMax);
  // It answers that this is not the method.
  const response = await fetch(serviceUrl(chatUrl, 'accounts'), { headers, signal, credentials: 'omit' });
  await response.body?.cancel();
  return response.status !== 404;
}

/** Makes an account. Never rejects. */
export async function register(chat: ChatAddress, credentials: Credentials): Promise<Registration> {
  let response: Response;
  let detail: string;
  try {
    response = await ask(chat, credentials);
    detail = sentenceOf(await response.text());
  } catch (error) {
    return { result: 'unreachable', detail: (error as Error).message };
  }
  if (response.status === 201) return { result: 'ok' };
  const result = results[response.status];
  if (result !== undefined) return { result, detail };
  const retryAfterMs =
    parseRetryAfterMs(response.headers.get('retry-after') ?? undefined, Date.now()) ?? 1_000;
  if (response.status === 429 || response.status === 503) return { result: 'busy', detail, retryAfterMs };
  return { result: 'unreachable', detail: `the server answered HTTP ${response.status}` };
}

const results: Readonly<Record<number, 'taken' | 'closed' | 'invalid' | 'unsupported'>> = {
  400: 'invalid',
  403: 'closed',
  404: 'unsupported',
  409: 'taken',
  413: 'invalid',
};

function ask({ chatUrl, headers }: ChatAddress, body: unknown): Promise<Response> {
  return fetch(serviceUrl(chatUrl, 'accounts'), {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
    signal: AbortSignal.timeout(answerMsMax),
  });
}

/** The sentence in a plain answer, or in the `error` of a JSON one. */
function sentenceOf(body: string): string {
  try {
    const { error, detail } = Object(JSON.parse(body)) as Record<string, unknown>;
    for (const sentence of [error, detail]) if (typeof sentence === 'string') return sentence;
  } catch {
    // Plain text.
  }
  return body.trim().slice(0, 300);
}
