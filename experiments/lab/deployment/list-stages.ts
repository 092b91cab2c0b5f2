/** The stages that the server offers. The server itself is asked, because it is always another process. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { PeerProgram } from './peers.ts';

/** One entry of `node server/main.ts --list-stages`, or a server of others that declares the same. */
export type StageInfo = {
  name: string;
  /** The one change against the stage before, in a clause. */
  summary: string;
  /** Its kinds of process, by role. */
  processes: readonly { role: string; count: 'one' | 'one per core' | 'any number' }[];
  /** Services that it cannot run without, e.g. `redis`. */
  services: readonly string[];
  /** Its bounds by setting, at their defaults; null is infinite. */
  limits: Readonly<Record<string, number | null>>;
  /** Whether all sessions of a room see one order of its messages, or only one order per sender. */
  order: 'one for all' | 'per sender';
  delivery: 'at most once' | 'exactly once for who resumes';
  /** Of a server of others, which takes no settings; absent of our stages. */
  program?: PeerProgram;
};

/** Runs one process for each core of a machine. */
export function isPerCore({ processes }: Pick<StageInfo, 'processes'>): boolean {
  return processes.some(({ count }) => count === 'one per core');
}

/** Runs on any number of nodes. */
export function isScalable({ processes }: Pick<StageInfo, 'processes'>): boolean {
  return processes.some(({ count }) => count === 'any number');
}

/** Its nodes need a Redis. */
export function needsRedis({ services }: Pick<StageInfo, 'services'>): boolean {
  return services.includes('redis');
}

/** Its nodes hear each other over channels of Redis. Where Redis keeps the log, there are none. */
export function usesPubSub(stage: Pick<StageInfo, 'services' | 'delivery'>): boolean {
  return needsRedis(stage) && !canResume(stage);
}

/** Lets who comes back continue where it was; nodes then have seats, too. */
export function canResume({ delivery }: Pick<StageInfo, 'delivery'>): boolean {
  return delivery !== 'at most once';
}

/** Has people with accounts, and a mailbox for each of them. */
export function hasMailboxes({ limits }: Pick<StageInfo, 'limits'>): boolean {
  return 'mailboxMessagesMax' in limits;
}

/** Keeps posts on channels of a menu. */
export function hasPosts({ limits }: Pick<StageInfo, 'limits'>): boolean {
  return 'postChannelsMax' in limits;
}

/** Has a media server, which keeps images of people. */
export function takesImages({ processes }: Pick<StageInfo, 'processes'>): boolean {
  return processes.some(({ role }) => role === 'media');
}

/** Is one process and needs no service, so that one allocation holds all of it. */
export function isOneProcess({ processes, services }: StageInfo): boolean {
  return services.length === 0 && processes.every(({ count }) => count === 'one');
}

const serverMain = fileURLToPath(new URL('../../../server/main.ts', import.meta.url));

/** The stages in their order. Rejects with the server's output where it does not answer. */
export async function listStages(): Promise<StageInfo[]> {
  const args = [serverMain, '--list-stages'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 15_000 });
  return JSON.parse(stdout) as StageInfo[];
}
