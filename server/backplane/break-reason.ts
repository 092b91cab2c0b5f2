/** The reasons for which a node can follow the log of a partition no more. */

/** Every reason is a label of `chat_partition_gaps_total`. */
export type BreakReason = 'epoch' | 'trimmed' | 'behind' | 'unreadable' | 'not_appended' | 'foreign_write';

/** Reasons after which the log in Redis may be another one under the same epoch. */
export const endsEpoch: ReadonlySet<BreakReason> = new Set(['trimmed', 'behind', 'foreign_write']);

/** Each reason in words, for the log. */
export const breakTexts: Readonly<Record<BreakReason, string>> = {
  epoch: 'Redis has lost the log of a partition',
  trimmed: 'entries of a partition were trimmed before this node read them',
  behind: 'Redis has lost the newest entries of a partition',
  unreadable: 'an entry of a partition could not be read',
  not_appended: 'messages that were accepted could not be handed to Redis in time',
  foreign_write: 'something else wrote into the log of a partition',
};
