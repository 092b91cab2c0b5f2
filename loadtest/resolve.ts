/** From the workload that is asked for to the assignment that fits this machine. */
import { randomInt } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import os from 'node:os';
import { readCgroup } from '#host/cgroup.ts';
import { redact } from '#host/secrets.ts';
import type { Address, Assignment } from './model/assignment.ts';
import { runIdMax } from './model/stamp.ts';
import { readEphemeralPorts, readFilesMax } from './result/environment.ts';
import { coresToFill, planWorkers } from './run/sizing.ts';
import { checkWorkload, type ResolvedWorkload, type Workload, withThinkTimes } from './workload.ts';

/**
 * Senders of a room by default. With as many senders as users, each has so few messages that a wrong order
 * cannot be seen. But servers limit what one session may send (ours to 100 messages/s, chosen).
 */
const sendersMin = 10;
const messagesPerSenderMax = 50;

/**
 * The assignment of a run of these steps, with as many workers as the largest of them needs. The problems say
 * why it does not fit this machine, with the arithmetic.
 */
export async function resolveAssignment(
  workload: Workload,
  steps: readonly Partial<Workload>[],
  headers: Record<string, string>,
): Promise<{ assignment: Assignment; problems: string[] }> {
  const plans = steps.map((step) => plan({ ...workload, ...step }));
  const problems = [...new Set(plans.flatMap((one) => one.problems))];
  const addresses = await Promise.all(workload.urls.map((url) => addressOf(url, problems)));
  const workers = Math.max(...plans.map((one) => one.workers));
  const assignment = {
    workload: resolveWorkload(workload, workers),
    // Not from the seed: two runs at the same time must not take each other's messages for their own.
    firstRunId: randomInt((runIdMax + 1) / 2) * 2,
    seal: [randomInt(2 ** 32), randomInt(2 ** 32)] as const,
    addresses,
    headers,
  };
  return { assignment, problems };
}

/** The workload of a run or of one of its steps, without open quantities. */
export function resolveWorkload(asked: Workload, workers: number): ResolvedWorkload {
  const workload = withThinkTimes(asked);
  const { clients, rooms, ratePerSecond } = workload;
  const byRate = Math.ceil(ratePerSecond / rooms / messagesPerSenderMax);
  const sendersPerRoom = workload.sendersPerRoom ?? Math.max(sendersMin, byRate);
  return { ...workload, workers, sendersPerRoom: Math.min(sendersPerRoom, Math.ceil(clients / rooms)) };
}

/** Why this step cannot be run, one sentence each. */
export function checkStep(workload: Workload): string[] {
  return [...checkWorkload(workload), ...plan(workload).problems];
}

function plan(workload: Workload): { workers: number; problems: string[] } {
  const memoryBytesMax = readCgroup()?.memoryLimitBytes ?? Number.POSITIVE_INFINITY;
  return planWorkers(workload, {
    filesMax: readFilesMax(),
    portsPerAddress: readEphemeralPorts(),
    auditBytesMax: Math.min(os.freemem(), memoryBytesMax) / 2,
    cores: coresToFill(os.availableParallelism(), os.cpus().length),
  });
}

/** Looks up the host of a URL. A host that cannot be found is one more problem. */
async function addressOf(url: string, problems: string[]): Promise<Address> {
  const { hostname, port } = new URL(url);
  try {
    const { address } = await lookup(hostname.replace(/^\[|\]$/g, ''));
    return { address, port: Number(port || 80) };
  } catch (error) {
    problems.push(`--url ${redact(url)} names a host that cannot be found: ${(error as Error).message}`);
    return { address: '', port: 0 };
  }
}
