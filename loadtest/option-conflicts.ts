/** Options that cannot be given together. */
import type { Command } from 'commander';
import type { Workload } from './workload.ts';

/** Options that exclude each other, or need another one: one sentence for each that is given. */
export function checkTogether(command: Command, { people }: Workload): string[] {
  const isGiven = (name: string) => (command.getOptionValueSource(name) ?? 'default') !== 'default';
  const pairs = [
    ['step', 'rate', 'the rate of each step is in --step'],
    ['step', 'duration', 'the duration of each step is in --step'],
    ['thinkTime', 'rate', 'the rate follows from the think times'],
    ['thinkTime', 'step', 'the rate follows from the think times'],
    ['thinkTime', 'senders', 'every user is a sender'],
    ['thinkTime', 'arrival', 'every user has a schedule of its own'],
    ['control', 'step', 'steps come as commands'],
    ['control', 'json', 'results come on standard output'],
    ['control', 'baseline', 'its program compares'],
    ['control', 'summary', 'results come on standard output'],
    ['control', 'junit', 'results come on standard output'],
    ['control', 'progress', 'progress is always json'],
    ['control', 'html', 'a report is made of a run whose steps are known'],
    ...['clients', 'rooms', 'senders', 'resume', 'connect', 'order', 'stalledReaders', 'churn'].map(
      (name) => ['people', name, 'people write to each other, and are in no room'] as const,
    ),
  ] as const;
  const ofPeople = [
    'peoplePrefix',
    'devices',
    'present',
    'visit',
    'reads',
    'loginRate',
    'loginBy',
    'collect',
  ];
  const alone = people > 0 ? [] : ofPeople.filter(isGiven);
  const excluded = pairs
    .filter(([one, other]) => isGiven(one) && isGiven(other))
    .map(([one, other, why]) => `${flagOf(one)} and ${flagOf(other)} cannot be given together: ${why}`);
  return [...excluded, ...alone.map((name) => `${flagOf(name)} needs --people`)];
}

function flagOf(attribute: string): string {
  return `--${attribute.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
