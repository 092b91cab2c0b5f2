import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { neutralise } from '../core/visible-text.ts';
import { jsonLine, LineStyle, plainLine } from './line-format.ts';

const at = new Date(2026, 0, 2, 3, 4, 5);
const control = fc.integer({ min: 0, max: 0x9f }).map((code) => String.fromCharCode(code));
const anyCharacter = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 });
/** Any string of UTF-16 units, with many control characters. */
const anyText = fc.string({ unit: fc.oneof(anyCharacter, control) });

test('escape sequences in a message become visible text', () => {
  const evil = { clientId: 'm\u001b[31mallory', Message: 'a\u001b]52;c;ZXZpbA==\u0007b\u009b2Jc\nd\u202ee' };
  assert.equal(plainLine(evil), 'm␛[31mallory: a␛]52;c;ZXZpbA==␇b\\u{9b}2Jc␊d\\u{202e}e');
});

test('no text yields a control character or a second line', () => {
  fc.assert(
    fc.property(anyText, anyText, (clientId, Message) => {
      const message = { clientId, Message };
      const plain = new LineStyle(false);
      const forTerminal = [plain.message(message, true, at), plain.notice(Message, at)];
      for (const line of [plainLine(message), jsonLine(message), ...forTerminal]) {
        assert.doesNotMatch(line, /[\p{Cc}\u2028\u2029]/u);
      }
    }),
  );
});

test('a line of JSON parses to exactly the message', () => {
  fc.assert(
    fc.property(anyText, anyText, (clientId, Message) => {
      assert.deepEqual(JSON.parse(jsonLine({ clientId, Message })), { clientId, Message });
    }),
  );
});

test('invisible characters become visible: zero-width ones, tags, selectors and fillers', () => {
  const ghost = String.fromCodePoint(0xe0001, 0xe0041, 0xe007f, 0xe0100);
  assert.equal(neutralise(`a${ghost}b`), 'a\\u{e0001}\\u{e0041}\\u{e007f}\\u{e0100}b');
  const invisible = [
    '\u00ad',
    '\u034f',
    '\u061c',
    '\u115f',
    '\u180e',
    '\u200b',
    '\u200c',
    '\u200d',
    '\u2060',
    '\u2064',
    '\u206a',
    '\u3164',
    '\ufe0f',
    '\ufeff',
    '\uffa0',
    '\ufff9',
  ];
  for (const character of invisible)
    assert.equal(neutralise(`al${character}ice`), `al\\u{${character.charCodeAt(0).toString(16)}}ice`);
  const message = { clientId: `al\u200bice`, Message: ghost };
  assert.match(new LineStyle(false).message(message, false, at), / al\\u\{200b\}ice: \\u\{e0001\}/);
  assert.match(jsonLine(message), /al\\u200bice.*\\udb40\\udc01/);
});

test('ordinary text, emoji and other scripts are left as they are', () => {
  const text =
    'hi 👋🏽 日本語 naïve مرحبا می\u200cخواهم ❤\ufe0f 👨\u200d👩\u200d👧 1\ufe0f\u20e3 🏳\ufe0f\u200d🌈 क्\u200dष';
  assert.equal(neutralise(text), text);
});

test('without colours there is no escape sequence; with colours each clientId keeps one colour', () => {
  const message = { clientId: 'alice', Message: 'hi' };
  assert.equal(new LineStyle(false).message(message, true, at), '03:04:05 alice (you): hi');
  assert.equal(new LineStyle(false).message(message, false, at), '03:04:05 alice: hi');
  const style = new LineStyle(true);
  assert.equal(style.message(message, false, at), style.message(message, false, at));
  assert.ok(style.message(message, false, at).includes('malice\u001b['), 'the name is wrapped in a colour');
});
