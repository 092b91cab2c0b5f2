/** Rules that the linter cannot check: no cycles between folders, the length of lines and files. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
/** The width of the formatter, which does not break comments. */
const columnsMax = 110;
const linesMax = 300;

/** The text of every TypeScript file, by its path from the root. */
const sources = new Map<string, string>();
for (const path of globSync('*/**/*.ts', { cwd: fileURLToPath(root), exclude: ['node_modules/**'] }))
  sources.set(path, readFileSync(new URL(path, root), 'utf8'));
const packageText = readFileSync(new URL('package.json', root), 'utf8');
const { imports, scripts } = JSON.parse(packageText);
const aliases = Object.entries<string>(imports);
const graph = new Map(
  [...sources]
    .filter(([path]) => !/\.(test|integration|contract|fixture)\.ts$/.test(path))
    .map(([path, text]) => [path, importsOf(path, text)]),
);

test('every import of a file of this repository is found', () => {
  const missing = [...graph].flatMap(([path, imports]) =>
    imports.filter((imported) => !sources.has(imported)).map((imported) => `${path} imports ${imported}`),
  );
  assert.deepEqual(missing, []);
});

test('no file imports itself by way of other files, types included', () => {
  assert.deepEqual(cycles(graph), []);
});

test('no folder imports itself by way of other folders, types included', () => {
  assert.deepEqual(cycles(folderGraph()), []);
});

test(`no line is longer than ${columnsMax} columns, except for a URL or a long string`, () => {
  const long = [...sources].flatMap(([path, text]) =>
    text.split('\n').flatMap((line, index) => {
      const fits = line.length <= columnsMax || /https?:\/\/\S+/.test(line) || hasLongLiteral(line);
      return fits ? [] : [`${path}:${index + 1}: ${line.length} columns`];
    }),
  );
  assert.deepEqual(long, []);
});

test(`no file has more than ${linesMax} lines`, () => {
  const long = [...sources].flatMap(([path, text]) => {
    const lines = text.split('\n').length - 1;
    return lines > linesMax ? [`${path}: ${lines} lines`] : [];
  });
  assert.deepEqual(long, []);
});

test('no file switches a rule about imports off', () => {
  const ignores = /biome-ignore\S* lint\/\w+\/no\w*Import/;
  const ignoring = [...sources].flatMap(([path, text]) => (ignores.test(text) ? [path] : []));
  assert.deepEqual(ignoring, []);
});

test('npm test runs every test file, and each of them once', () => {
  const patterns = ['test:together', 'test:alone'].map((name) => /'(.+)'/.exec(scripts[name])![1]!);
  const run = patterns.flatMap((pattern) => globSync(pattern, { cwd: fileURLToPath(root) }));
  const all = [...sources.keys()].filter((path) => /\.(test|integration)\.ts$/.test(path));
  assert.deepEqual(run.sort(), all.sort());
});

test('a cycle is found, with its members in order', () => {
  const edges = { a: ['b'], b: ['c', 'd'], c: ['a'], d: [] };
  assert.deepEqual(cycles(new Map(Object.entries(edges))), ['a → b → c → a']);
});

/** The files of this repository that a file imports or exports from, types included. */
function importsOf(path: string, text: string): string[] {
  const specifiers = [...text.matchAll(/(?:\bfrom|\bimport\(?)\s*'([.#][^']+)'/g)].map((match) => match[1]!);
  return specifiers.map((specifier) =>
    specifier.startsWith('#') ? resolveAlias(specifier) : join(dirname(path), specifier),
  );
}

function resolveAlias(specifier: string): string {
  for (const [alias, target] of aliases) {
    const [start = ''] = alias.split('*');
    if (specifier === alias) return join(target);
    if (alias.endsWith('*') && specifier.startsWith(start))
      return join(target.replace('*', specifier.slice(start.length)));
  }
  return specifier;
}

/** The imports between folders. A file at the root of a part, as `server/main.ts`, is a node of its own. */
function folderGraph(): Map<string, string[]> {
  const folderOf = (path: string) => (path.split('/').length <= 2 ? path : dirname(path));
  const folders = new Map<string, string[]>();
  for (const [path, imports] of graph) {
    const folder = folderOf(path);
    const others = imports.map(folderOf).filter((other) => other !== folder);
    folders.set(folder, [...new Set([...(folders.get(folder) ?? []), ...others])]);
  }
  return folders;
}

/** One cycle for each back edge of a depth-first search, as `a → b → a`; none without a cycle. */
function cycles(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): void => {
    if (path.includes(node)) found.push([...path.slice(path.indexOf(node)), node].join(' → '));
    if (done.has(node) || path.includes(node)) return;
    path.push(node);
    for (const next of edges.get(node) ?? []) visit(next);
    path.pop();
    done.add(node);
  };
  for (const node of edges.keys()) visit(node);
  return found;
}

/** The formatter cannot break a string, a template or a regular expression. Comments count in full. */
function hasLongLiteral(line: string): boolean {
  const code = line.trim();
  if (code.startsWith('*') || code.startsWith('/*') || code.startsWith('//')) return false;
  return /'[^']{40,}'|"[^"]{40,}"|`[^`]{40,}|\/[^/]{40,}\//.test(line);
}
