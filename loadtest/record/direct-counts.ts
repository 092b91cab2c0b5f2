/** What is counted of people and their direct messages, in one worker; all but the last three by step. */

const names = [
  /** Messages that were sent for the first time; again under the same id. */
  'sent',
  'resent',
  /** Answers of the server to them. */
  'acked',
  'full',
  'unknown',
  'busy',
  /** First deliveries to a device; of them those to a device that came later than the message was due. */
  'delivered',
  'waited',
  /** First deliveries that came during the measure phase. */
  'measured',
  /** Deliveries that could have shown a wrong order. */
  'ordered',
  'duplicated',
  'misordered',
  'misdelivered',
  'corrupted',
  /** Messages of other runs with these people; deliveries that had been counted as lost. */
  'foreign',
  'late',
  /** Frames `gap`. */
  'gaps',
  'receipts',
  /** Receipts that went back. */
  'wentBack',
  /** Logins: attempts, and their answers. */
  'loginsAsked',
  'loginsMade',
  'loginsBusy',
  'loginsFailed',
  /** Of `--login-rate`: due, and made because a device was away. */
  'lookInsDue',
  'lookInsMade',
  /** Over the whole run: messages acknowledged, deliveries made, deliveries counted as lost. */
  'ackedEver',
  'deliveredEver',
  'lostEver',
] as const;

export type DirectCounts = Record<(typeof names)[number], number>;

/** All at zero, but for those of the whole run. */
export function newDirectCounts(before?: DirectCounts): DirectCounts {
  const counts = Object.fromEntries(names.map((name) => [name, 0])) as DirectCounts;
  const { ackedEver = 0, deliveredEver = 0, lostEver = 0 } = before ?? {};
  return { ...counts, ackedEver, deliveredEver, lostEver };
}

/** The sum of all workers. */
export function sumDirectCounts(parts: readonly DirectCounts[]): DirectCounts {
  const sum = newDirectCounts();
  for (const part of parts) for (const name of names) sum[name] += part[name];
  return sum;
}
