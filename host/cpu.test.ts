import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { coresBetween, readHost } from './cpu.ts';

const parent = mkdtempSync(join(tmpdir(), 'proc-'));
after(() => rmSync(parent, { recursive: true }));
let made = 0;

/**
 * The use of the CPUs between two contents of /proc/stat, 10 s apart. Columns, in hundredths of a second:
 * user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice.
 */
function between(first: string, last: string, only?: readonly number[], softirqThreadTicks = [0, 0]) {
  const directory = join(parent, String(made++));
  mkdirSync(join(directory, '17'), { recursive: true });
  const [start, end] = [first, last].map((stat, index) => {
    writeFileSync(join(directory, 'stat'), stat);
    const unused = Array(10).fill('0').join(' ');
    writeFileSync(
      join(directory, '17/stat'),
      `17 (ksoftirqd/1) S ${unused} 3 ${softirqThreadTicks[index]} 0`,
    );
    return { ...readHost(directory), atSeconds: index * 10 };
  });
  const used = coresBetween(start!, end!, only);
  return used && Object.values(used).map((cores) => Number(cores.toFixed(3)));
}

const idle = 'cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\nintr 1 2\n';

test('a CPU is busy while it is neither idle, nor waits for a disk, nor is stolen', () => {
  // The columns of busy time hold less than that: what lies between two ticks is in none of them.
  const used =
    'cpu  150 0 50 1100 200 0 100 100 150 0\n' +
    'cpu0 100 0 50 500 100 0 100 50 100 0\ncpu1 50 0 0 600 100 0 0 50 50 0\n';
  assert.deepEqual(between(idle, used), [0.6, 0.1, 0.1]);
  assert.deepEqual(between(idle, used, [0]), [0.35, 0.05, 0.1]);
  assert.deepEqual(between(idle, used, []), [0, 0, 0]);
});

test('interrupts that the kernel counts in no task are not busy time either, and steal is not', () => {
  const used =
    'cpu  200 0 100 1500 0 40 160 0 0 0\ncpu0 200 0 100 500 0 40 160 0 0 0\ncpu1 0 0 0 1000 0 0 0 0\n';
  assert.deepEqual(between(idle, used), [0.3, 0, 0.2]);
});

test('the kernel’s own thread for softirqs is nobody’s, and is not subtracted twice', () => {
  const used = (irq: number) =>
    `cpu  200 0 100 1500 0 ${irq} 200 0 0 0\ncpu0 0 0 0 1000 0 0 0 0\ncpu1 200 0 100 500 0 ${irq} 200 0 0 0\n`;
  assert.deepEqual(between(idle, used(0), undefined, [50, 150]), [0.4, 0, 0.2]);
  assert.deepEqual(between(idle, used(100), undefined, [50, 150]), [0.2, 0, 0.3]);
});

test('without /proc nothing is known but the CPU of this process', () => {
  const { cpus, labSeconds } = readHost('/no/such/directory');
  assert.equal(cpus, null);
  assert.ok(labSeconds > 0);
  const known = { ...readHost('/no/such/directory'), cpus: [] };
  assert.equal(coresBetween(known, readHost('/no/such/directory')), null);
});
