/** The files of the chat page: found from its HTML, each TypeScript module stripped to JavaScript. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, extname, join, relative } from 'node:path/posix';

/** A file as it is served. */
export type PageFile = {
  /** The path of its URL: `/`, or `/page/` and its path in the repository. */
  readonly path: string;
  /** The media type. */
  readonly type: string;
  readonly body: Uint8Array;
  /** Changes with the body; in quotation marks, as HTTP wants it. */
  readonly etag: string;
};

export const pagePrefix = '/page/';

const repository = new URL('../../', import.meta.url);
const htmlPath = 'client/web/index.html';
const protocolPath = 'server/protocol/protocol.ts';
/** A browser gets files of these folders, and of no other. */
const servedFolders = new Set(['client/web', 'client/core', 'server/protocol']);
const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ts': 'text/javascript; charset=utf-8',
};
const referencePattern = /(?:src|href)="page\/([^"]+)"/g;
const importPattern = /(\b(?:from|import)\s*\(?\s*')([.#][^']+)'/g;

/**
 * Reads the page: its HTML, what that refers to, and every module that those import. Throws where a file
 * cannot be read, or where one refers to a file that a browser does not get.
 */
export function readPageFiles(): PageFile[] {
  const found = new Map<string, PageFile>();
  const add = (path: string, referrer: string): void => {
    if (found.has(path)) return;
    const type = mediaTypes[extname(path)];
    if (!servedFolders.has(dirname(path)) || type === undefined)
      throw new Error(`${referrer} refers to ${path}, which a browser does not get`);
    const { text, references } = prepare(path, readFileSync(new URL(path, repository), 'utf8'));
    const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
    found.set(path, { path: urlPathOf(path), type, body: Buffer.from(text), etag });
    for (const reference of references) add(reference, path);
  };
  add(htmlPath, 'the server');
  return [...found.values()];
}

/** The text as a browser gets it, and the paths of the files that it refers to. */
function prepare(path: string, text: string): { readonly text: string; readonly references: string[] } {
  const references: string[] = [];
  if (path.endsWith('.html')) {
    for (const [, reference] of text.matchAll(referencePattern)) references.push(reference!);
    return { text, references };
  }
  if (!path.endsWith('.ts')) return { text, references };
  const rewritten = stripTypeScriptTypes(text).replace(importPattern, (_, start: string, given: string) => {
    const target = given === '#protocol' ? protocolPath : join(dirname(path), given);
    references.push(target);
    const specifier = relative(dirname(path), target);
    return `${start}${specifier.startsWith('.') ? '' : './'}${specifier}'`;
  });
  return { text: rewritten, references };
}

function urlPathOf(path: string): string {
  return path === htmlPath ? '/' : pagePrefix + path;
}
