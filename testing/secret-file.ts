/** Files with secrets, for tests: secrets are not given on a command line. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

let directory = '';
let files = 0;
after(() => directory && rmSync(directory, { recursive: true }));

/** Path of a new file with this content, which is removed after the tests. */
export function secretFile(content: string): string {
  directory ||= mkdtempSync(join(tmpdir(), 'chat-secret-'));
  const path = join(directory, `${files++}`);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}
