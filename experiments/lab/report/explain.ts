/** What the columns of the tables mean, for `report --explain`. Pure. */
import { left, type ReportContent, type Table, tableOf } from './table.ts';

/** By title, the first that matches. A title may name a stage, a unit or a count. */
const meanings: readonly (readonly [title: RegExp, meaning: string])[] = [
  [/^#$/, 'number of the trial in its run'],
  [/^(variant|stage)$/, 'a stage, or a setting of it, under the question'],
  [/^failure$/, 'the part that was made to fail'],
  [/^scenario$/, 'an offence, or a part that failed'],
  [/^safe load/, 'the load that 9 of 10 trials hold, with its 90 % interval'],
  [
    /\(90 %\)$/,
    'capacity: the load that half of the trials hold, with its 90 % interval; ≥: no trial failed',
  ],
  [/^× /, 'how many times as much as the one that is named, with its 90 % interval'],
  [/^deliveries per CPU s$/, 'frames that reached a client ÷ seconds of CPU time of the servers'],
  [/^deliveries\/s$/, 'frames that reached a client, per second'],
  [/^trials/, 'trials that were made; in parentheses those that were void: the instrument failed'],
  [/^CPU µs per message/, 'CPU time of the servers for a message said, ÷ the number of workers or nodes'],
  [/^messages read per/, 'messages that each worker or node read from the others, for one said'],
  [/^read for nothing$/, 'entries of the log that a node read without a session for them'],
  [/^(bound by|stopped by)$/, 'what failed trials used more of than trials that passed'],
  [/^purpose$/, 'why it was made: to warm up, to search, at a given load, for a curve'],
  [/^max$/, 'the longest delivery latency'],
  [/^p99.9$/, 'delivery latency that 99.9 % of the deliveries did not exceed'],
  [/^server CPU$/, 'CPU time of the servers ÷ time, in cores'],
  [/^sim\. CPU$/, 'CPU time of the simulator ÷ time, in cores'],
  [/^other CPU$/, 'CPU time of all other processes of the machine ÷ time, in cores'],
  [/^throttled$/, 'time for which the CPU quota held the servers back'],
  [/^lag p99$/, 'how much later than due the simulator sent: its own error'],
  [/^outcome$/, 'pass: all limits held; fail: one broke; void: the instrument failed, nothing is known'],
  [/^verdict$/, 'what the row says of the server'],
  [/^p50$/, 'delivery latency that half of the deliveries did not exceed, from the moment a message was due'],
  [/^p99$/, 'delivery latency that 99 % of the deliveries did not exceed, from the moment a message was due'],
  [/^lost$/, 'deliveries that were outstanding when the drain ended'],
  [/^lost silently$/, 'deliveries that never came, of which nobody was told'],
  [/^lost and told$/, 'deliveries that never came, of which the sender or the recipient was told'],
  [/^undelivered and told$/, 'messages that were not accepted, as their sender was told'],
  [/^duplicated/, 'deliveries that came twice, or after a later one of the same sender'],
  [/^published$/, 'messages that entered the server'],
  [/^sent$/, 'messages of the neighbours'],
  [/^detected after$/, 'from the failure until the last client had noticed it'],
  [/^(recovered|crossed) after$/, 'from the end of the failure or offence until messages went to all again'],
  [/^stayed connected$/, 'clients whose connection outlived the failure'],
  [/^fault lasted$/, 'how long the part was out of order'],
  [/^unready after$/, 'until /readyz of a node that cannot serve said so'],
  [/^ready while broken$/, 'how long /readyz said that a node could serve, and it could not'],
  [/^closed$/, 'connections that the server closed, by close code where there are several'],
  [/^memory grown$/, 'resident memory of the servers at its highest, less that before the load'],
  [/^memory before$/, 'resident memory of the servers before the load'],
  [/^(memory|memory max|memory, most)$/, 'resident memory of the servers at its highest'],
  [/^per session$/, 'memory that one more session takes'],
  [/^evicted$/, 'sessions that the server closed because they were too far behind'],
  [/^at /, 'the load of this row'],
  [/^box$/, 'CPU and memory that a server container may use'],
  [/^CPU cores$/, 'CPU time of the servers ÷ time; of each node where there are several'],
  [/^share$/, 'part of the capacity that was the load'],
  [/^(heap|memory|descriptors|p50|p99)\/h$/, 'growth in an hour, with its 90 % interval'],
  [/^tips\/h$/, 'times in an hour that the p99 of a window went above the limit'],
  [/^offenders$/, 'clients that committed the offence'],
  [/^get$/, 'answers that an offender may get: close codes, HTTP statuses'],
  [/^got$/, 'answers that they got'],
  [/^sessions$/, 'sessions that were left, against those before'],
  [/^descriptors$/, 'open files that were left, against those before'],
  [/^s$/, 'how long it took, in seconds'],
  [/^remark$/, 'why it is no pass'],
  [/^p99 sent late$/, 'how much later than due the simulator sent: its own error'],
  [/^refused$/, 'connections that were refused on the way back'],
  [/^refusals$/, 'the same, by what the server answered'],
  [/^came late$/, 'deliveries that users had missed and got after they were back'],
  [/^left$/, 'users that dropped their connection'],
  [/connected/, 'time until so many were connected again'],
  [/caught up/, 'time until all that they had missed had come'],
  [/stayed/, 'delivery latency to those who never left'],
  [/missed/, 'deliveries in gaps, of which the users were told'],
  [/^\d\d-/, 'of that stage: the worst p99 of the neighbours, memory that stayed, time until all was well'],
  [/handshakes/, 'connections opened per second, while all came back'],
  [/^moved$/, 'sessions that a node sent to another one (close code 4012)'],
  [/^came back per second/, 'users that connected again within one second, in the worst one'],
  [/^p99 before$/, 'delivery latency before nodes came or went, which 99 % of the deliveries did not exceed'],
  [/nodes come$/, 'p99 of the delivery latency in the worst second while nodes were added'],
  [/nodes leave$/, 'p99 of the delivery latency in the worst second while nodes went'],
  [/^in the new seats after$/, 'time from the last node that came until its people sat there'],
  [/^all gone after$/, 'time until the nodes that went had no session left'],
  [/^closed otherwise$/, 'connections that ended in another way than by a move or a drain'],
  [/^repeated, out of order$/, 'deliveries that came twice, or in another order than was sent'],
];

/** A row for each column of the tables of a report. A column that is not known is one of loads. */
export function explainedReport({ summary, more = [], trials }: ReportContent): Table {
  const tables = [summary, ...more.map(({ table }) => table), trials];
  const titles = new Set(tables.flatMap(({ columns }) => columns.map(({ title }) => title)));
  return tableOf(
    [...titles],
    [
      left('column', (title) => title),
      left('means', (title) => meaningOf(title) ?? 'the load, in that unit'),
    ],
  );
}

/** Undefined for a title that only names the unit of a load. */
export function meaningOf(title: string): string | undefined {
  return meanings.find(([pattern]) => pattern.test(title))?.[1];
}
