import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeDirectory, WriteError, writeFault, writeWhole } from './whole-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'whole-file-'));
after(() => rmSync(directory, { recursive: true }));
const inside = (name: string) => join(directory, name);

test('a path that can be written has no fault, and the check leaves nothing behind', () => {
  assert.equal(writeFault(inside('new.json')), null);
  assert.deepEqual(readdirSync(directory), []);
  assert.equal(writeFault('/dev/null'), null);
});

test('each reason why nothing can be written is named', () => {
  assert.equal(writeFault(''), 'the name is empty');
  assert.equal(writeFault(directory), 'it is a directory');
  assert.equal(writeFault(inside('no/x')), `its directory ${inside('no')} does not exist`);
  writeFileSync(inside('file'), '');
  assert.match(writeFault(inside('file/x'))!, /its directory .*file does not exist/);
  assert.match(writeFault('/proc/x')!, /^no file can be made in \/proc \(E[A-Z]+\)$/);
  rmSync(inside('file'));
});

test('a file is replaced whole, through a link, and keeps its permissions', () => {
  writeFileSync(inside('real'), 'old', { mode: 0o600 });
  symlinkSync('real', inside('link'));
  writeWhole(inside('link'), 'new');
  assert.equal(readFileSync(inside('real'), 'utf8'), 'new');
  assert.equal(lstatSync(inside('real')).mode & 0o777, 0o600);
  assert.ok(lstatSync(inside('link')).isSymbolicLink());
  assert.deepEqual(readdirSync(directory), ['link', 'real']);
});

test('a write that fails throws a WriteError with the path, and leaves nothing behind', () => {
  const before = readdirSync(directory);
  assert.throws(
    () => writeWhole('/dev/full', 'x'),
    (error) => error instanceof WriteError && /^\/dev\/full: ENOSPC/.test(error.message),
  );
  assert.throws(() => writeWhole(inside('no/x'), 'x'), WriteError);
  assert.deepEqual(readdirSync(directory), before);
});

test('a directory is made with those above it, or its fault is thrown', () => {
  makeDirectory(inside('a/b/c'));
  makeDirectory(inside('a/b/c'));
  assert.equal(writeFault(inside('a/b/c/x')), null);
  assert.throws(() => makeDirectory('/proc/none'), WriteError);
  assert.throws(() => makeDirectory('/proc/none/further'), /\/proc\/none\/further: E/);
});
