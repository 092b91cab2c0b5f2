import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SettingsError } from '../settings.ts';
import { mediaSettings } from './media.fixture.ts';
import { checkMediaServer, mediaAddressSettings, mediaServerSettings } from './settings.ts';

const { mediaUrl, mediaSecret } = mediaAddressSettings.settings;
const { mediaOrigins } = mediaServerSettings.settings;

test('the address of the media server is a plain URL, and loses the slash at its end', () => {
  assert.equal(mediaUrl.read('https://media.example/'), 'https://media.example');
  assert.equal(mediaUrl.read('http://127.0.0.1:8090/images/'), 'http://127.0.0.1:8090/images');
  const wrong = ['', 'media.example', 'ftp://media.example', 'https://a:b@media.example', 'https://m/?a=b'];
  for (const text of [...wrong, 'https://m/#a', "https://m/';script-src", 'https://m/a b'])
    assert.equal(mediaUrl.read(text), undefined, text);
});

test('keys are long, and several are separated by commas', () => {
  const [one, other] = ['a'.repeat(32), 'b'.repeat(1024)];
  assert.deepEqual(mediaSecret.read(one), [one]);
  assert.deepEqual(mediaSecret.read(`${one},${other}`), [one, other]);
  const five = Array(5).fill(one).join(',');
  for (const text of ['', 'a'.repeat(31), `${one},`, `${one}, ${other}`, 'a'.repeat(1025), five, `${one}\n`])
    assert.equal(mediaSecret.read(text), undefined, text);
});

test('an origin is what a browser sends, to the character', () => {
  const two = ['https://chat.example', 'http://localhost:8080'];
  assert.deepEqual(mediaOrigins.read(two.join(', ')), two);
  for (const text of ['*', 'null', 'chat.example', 'https://chat.example/', 'https://Chat.example'])
    assert.equal(mediaOrigins.read(text), undefined, text);
});

test('a media server without a directory and a key is told both at once', () => {
  const settings = mediaSettings({ mediaSecret: [], mediaDirectory: '' });
  assert.throws(
    () => checkMediaServer(settings),
    (error) => error instanceof SettingsError && /media-directory.*\n.*CHAT_MEDIA_SECRET/.test(error.message),
  );
});
