import assert from 'node:assert/strict';
import { test } from 'node:test';
import { besideName, columnsOf, wrapped, wrappedParagraphs } from './wrapped.ts';

test('lines break at spaces, and a word that is too long has a line of its own', () => {
  assert.deepEqual(wrapped('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrapped('a incomprehensibilities b', 7), ['a', 'incomprehensibilities', 'b']);
  assert.deepEqual(wrapped('', 7), ['']);
  assert.deepEqual(wrapped('one two', Number.POSITIVE_INFINITY), ['one two']);
});

test('a text stands beside its name', () => {
  assert.equal(besideName('name  ', 'one two three', 13), 'name  one two\n      three');
});

test('paragraphs are broken anew; commands stay, and explanations are indented', () => {
  const text = ['', 'A paragraph', 'of two lines.', '', 'Codes:', '  0  all held', '  1  one of them broke'];
  const command = '  npm run a-long-command -- --that stays';
  const lines = [
    '',
    'A paragraph of',
    'two lines.',
    '',
    'Codes:',
    '  0  all held',
    '  1  one of them',
    '     broke',
  ];
  assert.equal(wrappedParagraphs([...text, command].join('\n'), 16), [...lines, command].join('\n'));
});

test('a pipe has no width', () => {
  assert.equal(columnsOf({ isTTY: true, columns: 200 }), 200);
  assert.equal(columnsOf({ isTTY: true, columns: 0 }), 80);
  assert.equal(columnsOf({ columns: 200 }), Number.POSITIVE_INFINITY);
});
