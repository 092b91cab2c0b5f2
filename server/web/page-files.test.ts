import assert from 'node:assert/strict';
import { join } from 'node:path/posix';
import { test } from 'node:test';
import { readPageFiles } from './page-files.ts';

const files = new Map(readPageFiles().map((file) => [file.path, file]));
const textOf = (path: string) => Buffer.from(files.get(path)!.body).toString();
const modules = [...files.keys()].filter((path) => path.endsWith('.ts'));

test('the page, its style and icon, the core of the client and the protocol are served', () => {
  const kinds = ['/', 'web/style.css', 'web/icon.svg', 'core/chat-client.ts', 'protocol/message.ts'];
  const types = ['text/html', 'text/css', 'image/svg+xml', 'text/javascript', 'text/javascript'];
  for (const [index, end] of kinds.entries()) {
    const path = [...files.keys()].find((each) => each.endsWith(end));
    assert.equal(files.get(path ?? '')?.type.split(';')[0], types[index], end);
  }
});

test('every module imports only modules that are served, by a path that a browser resolves', () => {
  assert.ok(modules.length > 10, `${modules}`);
  for (const path of modules) {
    for (const [, specifier] of textOf(path).matchAll(/^(?:import|export) [^;]*?from '([^']+)'/gm)) {
      assert.match(specifier!, /^\.\.?\//, path);
      assert.ok(files.has(join(path, '..', specifier!)), `${path} imports ${specifier}`);
    }
  }
});

test('the modules are JavaScript', () => {
  for (const path of modules) {
    const script = textOf(path).replace(/^export \*.*$/gm, '');
    assert.doesNotMatch(script, /^(?:import|export) type |^type \w+ =/m, path);
    // As a function body, without what only a module may hold.
    const body = script.replace(/^import [^;]*;$/gm, '').replace(/^export /gm, '');
    assert.doesNotThrow(() => new Function(body), path);
  }
});

test('the HTML holds no script, no style and no handler, and refers to nothing elsewhere', () => {
  const html = textOf('/');
  assert.doesNotMatch(html, /<style|<script(?![^>]* src=)|\son\w+=|\sstyle=|(?:src|href)="(?!page\/)/);
});

test('the tag of a file differs from that of every other file', () => {
  const tags = new Set([...files.values()].map(({ etag }) => etag));
  assert.equal(tags.size, files.size);
  for (const tag of tags) assert.match(tag, /^"[\w-]{22}"$/);
});
