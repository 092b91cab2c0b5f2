/**
 * CPU time of the whole machine and of this process (Linux), so that a report can say how much of it was not
 * the experiment's.
 *
 * A CPU counts as busy while it is not idle. The columns of busy time in /proc/stat are not added up: most
 * kernels sample them at clock ticks, and what runs for less than a tick between two idle times is missed.
 * Measured with two processes that answer each other over loopback (Linux 6.18, 2 CPUs, 4 s): 3.7 s not idle,
 * 3.9 s run by all tasks of the machine, 2.4 s in the columns user to softirq, 1.0 s without irq and softirq.
 * So the time of a task also contains the softirqs that run in its context, which is how loopback traffic is
 * handled: what a trial's parts used, subtracted from what was not idle, leaves the others. The rest of the
 * softirqs runs in the kernel's own threads. It cannot be told whose traffic that is; it counts for nobody.
 */
import { readdirSync } from 'node:fs';
import { textOf } from './process-tree.ts';

/** Of one CPU since boot: only differences between two readings have a meaning. */
export type CpuReading = {
  cpu: number;
  /** Waiting for a disk included. */
  idleSeconds: number;
  /** Wanted to run while the hypervisor ran another machine. */
  stealSeconds: number;
  /** In interrupts (irq and softirq), as far as the kernel counts them apart. */
  interruptSeconds: number;
  /** Of the kernel's thread for softirqs (ksoftirqd); 0 where it is hidden, as from a container. */
  softirqThreadSeconds: number;
};

export type HostReading = {
  /** Of a monotonic clock. */
  atSeconds: number;
  /** CPU time of this process since its start. */
  labSeconds: number;
  /** Null where there is no /proc (macOS). */
  cpus: readonly CpuReading[] | null;
  /** True where the time of interrupts is in no task's (the kernel's option IRQ_TIME_ACCOUNTING). */
  interruptsApart: boolean;
};

/** Mean cores between two readings. Busy: with tasks, and with the interrupts that count as theirs. */
export type CoresUsed = { busyCores: number; stealCores: number; interruptCores: number };

/**
 * A kernel that counts interrupts exactly has time in the column irq. One that samples them at ticks has
 * none, because a tick does not interrupt an interrupt. Chosen, not measured: far below exact counts.
 */
const irqShareMin = 0.001;
/** USER_HZ is 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** Reads the machine now; `procDirectory` is for tests. */
export function readHost(procDirectory = '/proc'): HostReading {
  const stat = textOf(`${procDirectory}/stat`);
  const { user, system } = process.cpuUsage();
  return {
    atSeconds: performance.now() / 1000,
    labSeconds: (user + system) / 1e6,
    cpus: stat === '' ? null : parseCpus(stat, readSoftirqThreads(procDirectory)),
    interruptsApart: countsInterruptsApart(stat),
  };
}

/** Use of the CPUs between two readings: of `only` these, or of all. Null where either has none. */
export function coresBetween(
  first: HostReading,
  last: HostReading,
  only?: readonly number[],
): CoresUsed | null {
  if (first.cpus === null || last.cpus === null) return null;
  const seconds = last.atSeconds - first.atSeconds;
  const used = { busyCores: 0, stealCores: 0, interruptCores: 0 };
  for (const end of last.cpus) {
    const start = first.cpus.find(({ cpu }) => cpu === end.cpu);
    if (start === undefined || only?.includes(end.cpu) === false) continue;
    const stealSeconds = end.stealSeconds - start.stealSeconds;
    const interruptSeconds = end.interruptSeconds - start.interruptSeconds;
    const threadSeconds = end.softirqThreadSeconds - start.softirqThreadSeconds;
    const apartSeconds = last.interruptsApart ? interruptSeconds : threadSeconds;
    const idleSeconds = end.idleSeconds - start.idleSeconds;
    used.busyCores += Math.max(0, seconds - idleSeconds - stealSeconds - apartSeconds) / seconds;
    used.stealCores += stealSeconds / seconds;
    used.interruptCores += interruptSeconds / seconds;
  }
  return used;
}

function parseCpus(stat: string, softirqThreads: ReadonlyMap<number, number>): CpuReading[] {
  return [...stat.matchAll(/^cpu(\d+) +(.*)$/gm)].map(([, cpu, columns]) => {
    const { idle, waiting, irq, softirq, steal } = secondsOf(columns!);
    const times = { idleSeconds: idle + waiting, stealSeconds: steal, interruptSeconds: irq + softirq };
    return { cpu: Number(cpu), ...times, softirqThreadSeconds: softirqThreads.get(Number(cpu)) ?? 0 };
  });
}

function countsInterruptsApart(stat: string): boolean {
  const { user, nice, system, irq, softirq } = secondsOf(/^cpu +(.*)$/m.exec(stat)?.[1] ?? '');
  return irq > irqShareMin * (user + nice + system + irq + softirq);
}

/** The columns of proc(5). Those behind them, of guests, lie in user and nice. */
function secondsOf(columns: string) {
  const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, softirq = 0, steal = 0] = columns
    .split(' ')
    .map((ticks) => Number(ticks) / ticksPerSecond);
  return { user, nice, system, idle, waiting, irq, softirq, steal };
}

/** Process numbers of the softirq threads, by directory: they stay as long as the machine runs. */
const softirqThreadPids = new Map<string, readonly string[]>();

/** CPU time of the softirq thread of each CPU. */
function readSoftirqThreads(procDirectory: string): Map<number, number> {
  const stats = (pids: readonly string[]) => pids.map((pid) => textOf(`${procDirectory}/${pid}/stat`));
  let pids = softirqThreadPids.get(procDirectory);
  if (pids === undefined) {
    const all = readdirSync(procDirectory).filter((name) => /^\d+$/.test(name));
    pids = all.filter((pid) => softirqThread.test(textOf(`${procDirectory}/${pid}/stat`)));
    softirqThreadPids.set(procDirectory, pids);
  }
  const threads = stats(pids).map((stat) => {
    const [, cpu, fields] = softirqThread.exec(stat) ?? [];
    // Fields 14 and 15 of proc(5): user and system time; the text here begins with field 3.
    const [user = 0, system = 0] = fields?.split(' ').slice(11, 13).map(Number) ?? [];
    return [Number(cpu), (user + system) / ticksPerSecond] as const;
  });
  return new Map(threads);
}

const softirqThread = /^\d+ \(ksoftirqd\/(\d+)\) (.*)/;
