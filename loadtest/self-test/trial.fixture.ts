/** For the self-test: a run of the simulator against a server with a known flaw. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { MessageFormat, runIdMax } from '../model/stamp.ts';
import { type LoadtestResult, parseResult } from '../result/schema.ts';
import { startSimulator } from '../simulator.fixture.ts';
import type { FaultReport, Flaw } from './flawed-server.ts';

export const delayMs = 80;
/** These tests share a machine: a disturbed simulator is not their question, but for the overloaded one. */
export const tolerant = '--lag-limit 10s --turn-limit 10s';
export const flawless = { lost: 0, duplicated: 0, reordered: 0, misrouted: 0, corrupted: 0 };

type Trial = { code: number | null; result: LoadtestResult; report: FaultReport };

/** Runs the simulator against a server, with arguments that are separated by blanks. */
export function runSimulator(url: string, args: string) {
  const all = `--url ${url} --warm-up 0s --drain 4s --progress none --json - ${args}`;
  return startSimulator(all).ended;
}

export async function startServer(
  flaw: Flaw,
  heldMs = delayMs,
): Promise<{ url: string; child: ChildProcess }> {
  const child = fork(new URL('./flawed-server.ts', import.meta.url), [flaw, String(heldMs)]);
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  return { url, child };
}

export async function stopServer(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

export async function tryServer(
  flaw: Flaw,
  args: string,
  meanwhile?: (server: ChildProcess) => Promise<void>,
  heldMs?: number,
): Promise<Trial> {
  const { url, child } = await startServer(flaw, heldMs);
  try {
    const [{ code, stdout, stderr }] = await Promise.all([runSimulator(url, args), meanwhile?.(child)]);
    assert.match(stderr, /^verdict /, 'the summary alone');
    child.send('report');
    const [report] = (await once(child, 'message')) as [FaultReport];
    return { code, result: parseResult(stdout, 'standard output'), report };
  } finally {
    await stopServer(child);
  }
}

/** A message as another simulator would send it: of the same format, with the number of its own run. */
export function messageOfAnotherRun(): string {
  const format = new MessageFormat(128, [1, 2]);
  const message = Buffer.alloc(format.payloadBytes);
  format.write(message, 0, 0, { runId: (runIdMax + 1) / 2, room: 0, number: 0, dueUs: 0, lagUs: 0 });
  return message.toString();
}
