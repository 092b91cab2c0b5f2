/** People with accounts: their logins, the messages in their mailboxes, their posts and images. */
import { board, brokenLimits, labPhases, stageVariable } from './board.ts';
import { figure, lines, of, row, chosenStages as stage } from './panel.ts';

const name = {
  uid: 'chat-people',
  title: 'Chat · People',
  description: 'Accounts and logins, messages to persons, presence, posts on channels, and images.',
};
const rates = { unit: 'ops', stacked: true };
const perSecond = { unit: 'ops' };

/** The sum over the nodes of the chosen stages; 0 where none of them has the metric. */
const sum = (metric: string, legend: string) => ({ expr: `${ofStages('', metric)} or vector(0)`, legend });

/** The rate of a counter of them, by a label where one is given. */
const rate = (metric: string, legend: string, label = '') => ({
  expr: `${ofStages(label, `rate(${metric}[5s])`)} or vector(0)`,
  legend,
});

function ofStages(label: string, value: string): string {
  const by = label === '' ? 'sum' : `sum by (${label})`;
  return `${by} (${value} * on (job, instance) group_left () chat_build_info{${stage}})`;
}

/** Quantile of the times of logins whose password was checked. */
const loginSeconds = (quantile: number, legend: string) => ({
  expr: `histogram_quantile(${quantile}, ${ofStages('le', 'rate(chat_login_seconds_bucket[15s])')}) >= 0 or vector(0)`,
  legend,
});

/** The People dashboard. */
export const people = board(name, [stageVariable('stage', 'Stage', 'all')], [labPhases(), brokenLimits()], {
  Now: row(4, [
    figure(
      'Sessions',
      'Open connections, of people and of others.',
      { unit: 'short' },
      of('stage:chat_sessions:sum'),
    ),
    figure('Logins', 'Answers to logins per second.', perSecond, rate('chat_logins_total', 'logins')),
    figure(
      'Messages stored',
      'Messages to a person per second.',
      perSecond,
      rate('chat_mailbox_stored_total', 'stored'),
    ),
    figure(
      'Messages delivered',
      'Messages of mailboxes handed to sockets per second.',
      perSecond,
      rate('chat_mailbox_delivered_total', 'delivered'),
    ),
    figure(
      'Not acknowledged',
      'Messages that connected devices have not acknowledged yet.',
      { unit: 'short' },
      sum('chat_mailbox_waiting', 'waiting'),
    ),
    figure(
      'Posts delivered',
      'Posts handed to sockets per second.',
      perSecond,
      rate('chat_posts_delivered_total', 'posts'),
    ),
  ]),
  'Accounts and logins': row(8, [
    lines('Accounts', 'Requests to create an account per second, by result.', rates, [
      rate('chat_accounts_total', '{{result}}', 'result'),
    ]),
    lines('Logins by result', 'Answers per second. Busy and limited: told to come back.', rates, [
      rate('chat_logins_total', '{{result}}', 'result'),
    ]),
    lines('Time of a login', 'From the frame to its answer, where a password was checked.', { unit: 's' }, [
      loginSeconds(0.5, 'p50'),
      loginSeconds(0.99, 'p99'),
    ]),
  ]),
  'Messages to a person': row(6, [
    lines(
      'Stored by answer',
      'Messages per second by the answer to their sender. Anything but ok was not accepted.',
      rates,
      [rate('chat_mailbox_stored_total', '{{result}}', 'result')],
    ),
    lines(
      'Delivered, and receipts',
      'Messages and receipts per second that were handed to sockets.',
      perSecond,
      [rate('chat_mailbox_delivered_total', 'messages'), rate('chat_mailbox_receipts_total', 'receipts')],
    ),
    lines('On their way', 'Messages that connected devices have not acknowledged yet.', { unit: 'short' }, [
      sum('chat_mailbox_waiting', 'waiting'),
    ]),
    lines(
      'Removed unread',
      'Messages per second that were removed before every device had them, by reason.',
      rates,
      [rate('chat_mailbox_expired_total', '{{reason}}', 'reason')],
    ),
  ]),
  'Presence and posts': row(6, [
    lines('Changes of presence', 'Changes per second that were handed to sockets.', perSecond, [
      rate('chat_presence_changes_total', 'changes'),
    ]),
    lines('Posts published', 'Posts per second by result.', rates, [
      rate('chat_posts_published_total', '{{result}}', 'result'),
    ]),
    lines('Posts delivered to readers', 'Posts per second that were handed to sockets.', perSecond, [
      rate('chat_posts_delivered_total', 'delivered'),
    ]),
    lines('Subscriptions', 'Subscriptions to channels of menus.', { unit: 'short' }, [
      sum('chat_posts_subscriptions', 'subscriptions'),
    ]),
  ]),
  Images: row(8, [
    lines('Uploads', 'Uploads per second by the status of their answer.', rates, [
      rate('chat_media_uploads_total', '{{status}}', 'status'),
    ]),
    lines('Downloads', 'Answers per second to GET, by status.', rates, [
      rate('chat_media_downloads_total', '{{status}}', 'status'),
    ]),
    lines('Bytes', 'Bytes per second of published and of sent images.', { unit: 'Bps' }, [
      rate('chat_media_bytes_total', 'published'),
      rate('chat_media_sent_bytes_total', 'sent'),
    ]),
  ]),
});
