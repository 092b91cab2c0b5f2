/** Menus over HTTP: `GET /menus` lists them, `GET /menus/<name>` is one. */
import { createHash } from 'node:crypto';
import type { RequestListener } from 'node:http';
import type { Menu } from '#protocol';

/** A client looks again after this time, and is told in a few bytes where nothing has changed; chosen. */
const maxAgeSeconds = 60;

/** A handler for each path. The answers are made once: menus do not change while the process runs. */
export function menuRoutes(menus: ReadonlyMap<string, Menu>): ReadonlyMap<string, RequestListener> {
  const list = { menus: [...menus.values()].map(({ name, title }) => ({ name, title })) };
  const pages = [...menus.values()].map((menu) => [`/menus/${menu.name}`, jsonPage(menu)] as const);
  return new Map([['/menus', jsonPage(list)], ...pages]);
}

function jsonPage(value: unknown): RequestListener {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  // An idle connection would hold a descriptor that a session needs.
  const ofAll = { connection: 'close', 'x-content-type-options': 'nosniff' };
  const fresh = { ...ofAll, etag, 'cache-control': `public, max-age=${maxAgeSeconds}` };
  return ({ method, headers }, response) => {
    if (method !== 'GET' && method !== 'HEAD') {
      response.writeHead(405, { ...ofAll, allow: 'GET, HEAD', 'content-type': 'text/plain' });
      return response.end('send GET\n');
    }
    const known = headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
    if (known?.includes(etag)) return response.writeHead(304, fresh).end();
    response.writeHead(200, { ...fresh, 'content-type': 'application/json', 'content-length': body.length });
    return response.end(body);
  };
}
