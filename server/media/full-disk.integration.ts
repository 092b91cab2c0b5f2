/** A disk that is full, before and during an upload: a small file system in memory, mounted by root. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { until } from '../../testing/until.ts';
import { address, image, putHead, TestMedia } from './media.fixture.ts';

const diskBytes = 2 * 1024 ** 2;
const disk = mkdtempSync(join(tmpdir(), 'chat-disk-'));
const isMounted = mount();
const skip = isMounted ? false : 'no file system can be mounted here: run it as root on Linux';
after(() => {
  if (isMounted) execFileSync('umount', [disk]);
  rmdirSync(disk);
});

function mount(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', disk], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** What a test has stored is removed after it, so that each begins with an empty disk. */
async function start(settings: { mediaFreeBytesMin?: number } = {}): Promise<TestMedia> {
  const root = join(disk, 'media');
  rmSync(root, { recursive: true, force: true });
  return TestMedia.start({ mediaDirectory: root, ...settings });
}

test('an upload for which there is no room is refused at once, and what is stored is served', {
  skip,
}, async () => {
  await using media = await start();
  const [first, second] = [address({ bytesMax: 1_500_000 }), address({ bytesMax: 1_500_000 })];
  const body = image('image/png', 1_500_000);
  assert.equal((await media.put(first.target, body)).status, 201);
  const full = await media.put(second.target, body);
  assert.equal(full.status, 507);
  assert.match(await full.text(), /disk of the images is full/);
  assert.equal((await (await media.get(first.path)).arrayBuffer()).byteLength, body.length);
  rmSync(media.directory + first.path);
  assert.equal((await media.put(second.target, body)).status, 201, 'room was made');
});

test('a disk that fills up during an upload leaves nothing of it', { skip }, async () => {
  await using media = await start();
  const { path, target } = address({ bytesMax: 1_500_000 });
  const body = image('image/png', 1_500_000);
  const socket = media.raw(putHead(target, { 'content-length': body.length }));
  socket.write(body.subarray(0, 10_000));
  await until(() => media.quarantined.length > 0, 'an upload under way');
  const others = join(disk, 'media', 'others');
  // More than the whole disk: what has come of the upload may not be written yet.
  assert.throws(() => writeFileSync(others, Buffer.alloc(diskBytes + 1)), /ENOSPC/);
  socket.write(body.subarray(10_000));
  assert.match(String(Buffer.concat(await socket.toArray())), /^HTTP\/1.1 507 .*nothing was stored/s);
  assert.equal((await media.get(path)).status, 404);
  assert.deepEqual(media.quarantined, []);
  rmSync(others);
  assert.equal((await media.put(target, body)).status, 201);
});

test('a reserve of the disk stays free, counted with the uploads under way', { skip }, async () => {
  await using media = await start({ mediaFreeBytesMin: 1024 ** 2 });
  const body = image('image/png', 600_000);
  const [first, second] = [address({ bytesMax: 600_000 }), address({ bytesMax: 600_000 })];
  const socket = media.raw(putHead(first.target, { 'content-length': body.length }));
  await until(() => media.quarantined.length > 0, 'an upload under way');
  assert.equal((await media.put(second.target, body)).status, 507);
  socket.write(body);
  assert.match(String(Buffer.concat(await socket.toArray())), /^HTTP\/1.1 201 /);
});
