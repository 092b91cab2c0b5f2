/** What the coordinator does for people beyond what it does for users in rooms. */
import { redact } from '#host/secrets.ts';
import type { AckedMessages } from '../audit/mailbox-audit.ts';
import type { Assignment } from '../model/assignment.ts';
import { mergeCounts } from '../record/counts.ts';
import type { Totals } from '../record/totals.ts';
import type { AccountCounts } from '../users/accounts.ts';
import { RunError } from './run-error.ts';
import type { StepReport } from './worker-messages.ts';
import type { WorkerPool } from './worker-pool.ts';

/** Rejects with a RunError where no account is there, and the server was not just closed for new ones. */
export async function createAccounts(pool: WorkerPool, assignment: Assignment): Promise<AccountCounts> {
  const made = await pool.ask('accounts-made', (worker) => ({ kind: 'accounts', assignment, worker }));
  const counts = made.map(({ accounts }) => accounts);
  const total = (of: (one: AccountCounts) => number) => counts.reduce((sum, one) => sum + of(one), 0);
  const refused = mergeCounts(counts.map((one) => one.refused));
  const all = { created: total((one) => one.created), existed: total((one) => one.existed), refused };
  const isClosed = Object.keys(refused).every((why) => why === '403');
  if (all.created + all.existed > 0 || isClosed) return all;
  const list = Object.entries(refused).map(([why, count]) => `${why} (${count})`);
  const urls = redact(assignment.workload.urls.join(', '));
  throw new RunError(
    'input',
    `no account could be created by POST /accounts on ${urls}: ${list.join(', ')}; does a server with accounts run there?`,
  );
}

/**
 * Judges what was acknowledged with all workers. `isFinal`: everybody has been back, so that what has not
 * come is lost; else only what devices that were there all the time must have.
 */
export async function judge(
  pool: WorkerPool,
  reports: readonly StepReport[],
  totals: Totals,
  isFinal: boolean,
): Promise<{ untold: number; isFinal: boolean }> {
  const messages = reports.flatMap(({ direct }): AckedMessages[] => direct?.acked ?? []);
  const judged = await pool.ask('judged', () => ({ kind: 'judge', messages, isFinal }));
  totals.judged = {
    lost: judged.reduce((sum, { judgement }) => sum + judgement.lost, 0),
    waiting: judged.reduce((sum, { judgement }) => sum + judgement.waiting, 0),
  };
  return { untold: judged.reduce((sum, { untold }) => sum + untold, 0), isFinal };
}
