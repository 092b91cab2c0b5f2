/** Plain HTTP on the port of the chat: endpoints of the stage, the page, and hints for everything else. */
import type { IncomingMessage, RequestListener } from 'node:http';
import { createAccountEndpoint } from '../accounts/account-endpoint.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { WebPage } from '../web/web-page.ts';
import { type Admission, isAllowedOrigin } from './admission.ts';

type Parts = {
  /** A handler for each path, the query not included. */
  readonly endpoints: ReadonlyMap<string, RequestListener>;
  readonly page: WebPage | undefined;
};

export function createPlainHttp({ endpoints, page }: Parts): RequestListener {
  return (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0]!;
    const endpoint = endpoints.get(path);
    if (endpoint) return endpoint(request, response);
    // The page asks for it, to know whether to offer a login.
    if (endpoints.has('/accounts')) response.setHeader('chat-accounts', 'yes');
    if (page?.answer(path, request, response)) return;
    const upgradable = path === '/ws' || path.startsWith('/ws/');
    response.writeHead(upgradable ? 426 : 404, { connection: 'close' });
    response.end(upgradable ? 'this is a WebSocket endpoint\n' : 'not found: join at /ws or /ws/<room>\n');
  };
}

type AccountParts = {
  readonly accounts: Accounts;
  readonly admission: Admission;
  /** Origins that may ask; empty: all. */
  readonly origins: readonly string[];
  readonly addressOf: (request: IncomingMessage) => string;
};

/** `/accounts`, with the rules for who may join: its origin and the shared token of the chat. */
export function accountEndpoint({ accounts, admission, origins, addressOf }: AccountParts): RequestListener {
  return createAccountEndpoint({
    accounts,
    isAllowedOrigin: (origin) => isAllowedOrigin(origin, origins),
    hasToken: (request) => admission.hasToken(request),
    addressOf,
  });
}
