import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamRead } from './stream-read.ts';

/** The arguments of a command as it is sent, and how many it says it has. */
function argumentsOf(text: string): { said: number; args: string[] } {
  const lines = text.split('\r\n');
  const bytes = lines.filter((line) => line.startsWith('$')).map((line) => Number(line.slice(1)));
  const args = lines.slice(1).filter((_, index) => index % 2 === 1);
  assert.deepEqual(
    args.map((arg) => Buffer.byteLength(arg)),
    bytes,
  );
  return { said: Number(lines[0]!.slice(1)), args };
}

test('a read names each log and its cursor as it is now', () => {
  const logs = [
    { stream: 'chat:1:{0}', cursor: '0-0' },
    { stream: 'chat:é', cursor: '17-1' },
  ];
  const read = new StreamRead(logs, { count: 16, blockMs: 400 });
  const head = ['XREAD', 'COUNT', '16', 'BLOCK', '400', 'STREAMS', 'chat:1:{0}', 'chat:é'];
  const first = argumentsOf(read.command().toWritable({}) as string);
  assert.deepEqual(first, { said: 10, args: [...head, '0-0', '17-1'] });

  logs[0]!.cursor = '1234567-12';
  const second = argumentsOf(read.command().toWritable({}) as string);
  assert.deepEqual(second, { said: 10, args: [...head, '1234567-12', '17-1'] });
  assert.equal(read.logOf('chat:é'), logs[1]);
});
