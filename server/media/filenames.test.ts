import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { parseFilenamesAck } from '#protocol';
import type { PersonSession } from '../accounts/person.ts';
import { SettingsError } from '../settings.ts';
import { readSignedTarget } from './address.ts';
import { uploadAddresses } from './filenames.ts';

const settings = {
  mediaUrl: 'https://media.example/images',
  mediaSecret: ['a'.repeat(32), 'b'.repeat(32)],
  mediaExpiryMs: 60_000,
  mediaBytesMax: 5_000,
};

/** Gives the part one frame of ann; what she hears. */
function ask(frame: Record<string, unknown>, given: typeof settings = settings) {
  const heard: string[] = [];
  const session: PersonSession = {
    person: { user: 'ann', device: 'phone' },
    open: true,
    bufferedBytes: 0,
    sendText: (payload) => heard.push(String(payload)),
    whenWritten: () => {},
    close: (code, reason) => heard.push(`${code} ${reason}`),
  };
  const registry = new Registry();
  uploadAddresses(given, registry, () => 1_000_000).handlers.get('filenames')!(session, frame);
  assert.equal(heard.length, 1);
  return { heard: heard[0]!, ack: parseFilenamesAck(heard[0]!), registry };
}

test('as many addresses as asked for are given, each signed for this person, type, size and time', async () => {
  const { ack, registry } = ask({ type: 'filenames', count: 8, contentType: 'image/gif', bytes: 5_000 });
  assert.ok(ack?.result === 'ok');
  assert.equal(ack.expiresAtMs, 1_060_000);
  assert.equal(new Set(ack.uploads.map(({ image }) => image)).size, 8);
  for (const { upload, image } of ack.uploads) {
    const target = upload.slice(settings.mediaUrl.length);
    const path = image.slice(settings.mediaUrl.length);
    assert.ok(upload.startsWith(`${image}?`) && image.startsWith(`${settings.mediaUrl}/`));
    const grant = { path, type: 'image/gif', bytesMax: 5_000, expiresAtMs: 1_060_000, user: 'ann' };
    assert.deepEqual(readSignedTarget(target, settings.mediaSecret.slice(0, 1)), grant);
  }
  assert.match(await registry.metrics(), /^chat_media_filenames_total\{result="ok"\} 1$/m);
});

test('a type or a size that the media server does not take is refused with what it takes', () => {
  const frame = { count: 1, contentType: 'image/png', bytes: 1 };
  const refused = (changed: object, given?: typeof settings) => ask({ ...frame, ...changed }, given).ack;
  const type = refused({ contentType: 'image/svg+xml' });
  assert.ok(type?.result === 'unsupported');
  assert.match(type.detail, /image\/jpeg, image\/png, image\/gif, image\/webp/);
  const size = refused({ bytes: 5_001 });
  assert.ok(size?.result === 'too_large');
  assert.equal(size.bytesMax, 5_000);
  assert.equal(refused({}, { ...settings, mediaUrl: '', mediaSecret: [] })?.result, 'closed');
});

test('a frame that breaks a rule costs its sender the connection', () => {
  assert.match(ask({ count: 9, contentType: 'image/png', bytes: 1 }).heard, /^1007 count must be/);
});

test('an address without a key, or a key without an address, is a mistake that is told', () => {
  const make = (changed: Partial<typeof settings>) => () =>
    uploadAddresses({ ...settings, ...changed }, new Registry());
  assert.throws(
    make({ mediaSecret: [] }),
    (error) => error instanceof SettingsError && /media-secret/.test(error.message),
  );
  assert.throws(
    make({ mediaUrl: '' }),
    (error) => error instanceof SettingsError && /--media-url/.test(error.message),
  );
});
