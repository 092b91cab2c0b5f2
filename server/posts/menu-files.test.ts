import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SettingsError } from '../settings.ts';
import { channelsOfPost } from './channels.ts';
import { readMenus, shippedMenus } from './menu-files.ts';
import { smallMenu } from './posts.fixture.ts';

/** A directory with one file for each menu. */
function directoryOf(files: Readonly<Record<string, unknown>>) {
  const path = mkdtempSync(join(tmpdir(), 'chat-menus-'));
  for (const [name, value] of Object.entries(files))
    writeFileSync(join(path, name), typeof value === 'string' ? value : JSON.stringify(value));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** What is said of a directory that cannot be used. */
function problemsOf(files: Readonly<Record<string, unknown>>): string {
  using directory = directoryOf(files);
  try {
    readMenus(directory.path);
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    return error.message;
  }
  return assert.fail('the directory was accepted');
}

test('the menus that come with the server can be used', () => {
  const menus = readMenus(shippedMenus);
  assert.deepEqual([...menus.keys()], ['cars', 'events', 'housing']);
  for (const menu of menus.values()) {
    assert.ok(menu.trees.length >= 2 && menu.trees.length <= 3);
    const to = menu.trees.map(({ children }) => (children[0]!.children ? [0, 0] : [0]));
    assert.ok(Array.isArray(channelsOfPost(menu, to)));
  }
});

test('a menu may be of ones own; its name may be left to the file', () => {
  const { name, ...nameless } = smallMenu;
  using directory = directoryOf({ 'small.json': smallMenu, 'other.json': nameless, 'notes.txt': 'no menu' });
  const menus = readMenus(directory.path);
  assert.deepEqual([...menus.keys()], ['other', name]);
  assert.deepEqual(menus.get(name), smallMenu);
});

test('every mistake is said with the file, the place, what is required and what was given', () => {
  const [place, kind] = smallMenu.trees;
  const said = problemsOf({
    'a.json': '{',
    'b.json': { ...smallMenu, name: 'c' },
    'd.json': { title: '', trees: [] },
    'e.json': {
      ...smallMenu,
      name: 'e',
      trees: [
        { ...place, depths: [2, 1] },
        { ...kind, depths: [2] },
        { ...kind, name: 'Kind', children: [{ name: 7 }] },
      ],
      features: ['one', 'one'],
      quantities: [{ name: 'price' }],
    },
  }).split('\n');
  const expected = [
    /^Put JSON into .*a\.json: /,
    /^Set name in .*b\.json to the name of the file.*; given was "c"\.$/,
    /^Set title in .*d\.json to a text of 1 to 100 characters; given was ""\.$/,
    /^Set trees in .*d\.json to a list of 1 to 8 trees; given was \[\]\.$/,
    /^Set trees\[0\]\.depths in .*e\.json to a list of rising whole numbers.*; given was \[2,1\]\.$/,
    /^Set trees\[1\]\.children\[0\] in .*e\.json to a node with children.*depth 2; given was "x"\.$/,
    /^Set trees\[2\]\.name in .*e\.json to 1 to 32 of a-z0-9_-.*; given was "Kind"\.$/,
    /^Set trees\[2\]\.children\[0\]\.name in .*; given was 7\.$/,
    /^Set features in .*e\.json to a list of at most 64 different texts; given was /,
    /^Set quantities in .*e\.json to a list of at most 16 objects.*; given was /,
  ];
  assert.equal(said.length, expected.length, said.join('\n'));
  for (const [index, pattern] of expected.entries()) assert.match(said[index]!, pattern);
});

test('a menu whose posts had too many channels is refused', () => {
  const deep = { name: 'deep', depths: [0, 1, 2], children: [{ name: 'a', children: [{ name: 'b' }] }] };
  const trees = [1, 2, 3, 4].map((number) => ({ ...deep, name: `t${number}` }));
  assert.match(problemsOf({ 'm.json': { title: 'm', trees } }), /at most 32 channels; given was 81\./);
});

test('a directory without menus is refused, and so is one that is not there', () => {
  assert.match(problemsOf({}), /^Set --menus .* to a directory .*, 1 to 64 of them; .* has 0\.$/);
  assert.throws(() => readMenus('/nowhere/menus'), /given was "\/nowhere\/menus" \(ENOENT\)\./);
});
