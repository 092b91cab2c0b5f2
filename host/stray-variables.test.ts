import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tellStrayVariables } from './stray-variables.ts';

const known = ['CHAT_PORT', 'CHAT_HOST', 'CHAT_SESSIONS_MAX', 'CHAT_INTERNAL_PORT'];
const tell = (...names: string[]) =>
  tellStrayVariables('CHAT_', known, Object.fromEntries(names.map((name) => [name, 's3cret'])));

test('a misspelt variable is told with the one that was meant, and without its value', () => {
  for (const [given, meant] of [
    ['CHAT_PROT', 'CHAT_PORT'],
    ['CHAT_PORTS', 'CHAT_PORT'],
    ['CHAT_SESSION_MAX', 'CHAT_SESSIONS_MAX'],
    ['CHAT_INTERNALPORT', 'CHAT_INTERNAL_PORT'],
    ['CHAT_hOST', 'CHAT_HOST'],
  ])
    assert.equal(
      tell(given!),
      `Not read, because no setting has that name: ${given} (did you mean ${meant}?).`,
    );
});

test('a variable that resembles none is told alone; known ones and those of others are not told', () => {
  assert.equal(tell('CHAT_COLOUR_OF_SKY'), 'Not read, because no setting has that name: CHAT_COLOUR_OF_SKY.');
  assert.equal(tell('CHAT_PORT', 'CHAT_HOST', 'CHATPORT', 'PATH'), undefined);
  assert.match(
    tell('CHAT_PROT', 'CHAT_HSOT')!,
    /CHAT_HSOT \(.*CHAT_HOST\?\), CHAT_PROT \(.*CHAT_PORT\?\)\.$/,
  );
});
