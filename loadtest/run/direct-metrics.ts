/** What an observer shows of people with accounts: names of metrics, and where their values come from. */
import type { DirectCounts } from '../record/direct-counts.ts';
import type { DirectTime } from '../record/direct-recorder.ts';

type Count = keyof DirectCounts;

/** Counters without a label, by name. All are counts of the step that goes on. */
export const directCounters: readonly (readonly [name: string, help: string, of: Count])[] = [
  ['loadtest_direct_messages_sent', 'Direct messages sent for the first time', 'sent'],
  ['loadtest_direct_messages_resent', 'Direct messages sent again under the same id', 'resent'],
  ['loadtest_direct_deliveries', 'First deliveries of a direct message to a device', 'delivered'],
  ['loadtest_direct_waited', 'First deliveries to a device that came later than they were due', 'waited'],
  ['loadtest_direct_receipts', 'Receipts received', 'receipts'],
];

/** Counters with the label `result`. */
export const directResults: readonly (readonly [
  name: string,
  help: string,
  results: Readonly<Record<string, Count>>,
])[] = [
  [
    'loadtest_direct_answers',
    'Answers of the server to direct messages',
    { ok: 'acked', full: 'full', unknown: 'unknown', busy: 'busy' },
  ],
  [
    'loadtest_direct_logins',
    'Answers of the server to logins',
    { ok: 'loginsMade', busy: 'loginsBusy', fail: 'loginsFailed' },
  ],
];

/** Histograms of the measure phase. */
export const directHistograms: readonly (readonly [name: string, help: string, of: DirectTime])[] = [
  ['loadtest_direct_ack_seconds', 'From the due time of a direct message to server_ack', 'ack'],
  ['loadtest_direct_login_seconds', 'From the request to login_ack', 'login'],
  ['loadtest_direct_collected_seconds', 'From the request to the last message that waited', 'collected'],
  ['loadtest_direct_caught_up_seconds', 'From wanting to come to the last message that waited', 'caughtUp'],
];
