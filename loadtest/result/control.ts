/**
 * The control channel of `--control`: one JSON object per line. The simulator connects and probes as always.
 * Then it takes commands from standard input, one after another; a command that comes during a step waits.
 * On standard output it writes the events of `--progress json`, and the events below.
 *
 *     {"command":"step","ratePerSecond":2000,"durationSeconds":4}
 *     {"command":"end"}
 *
 * Each step runs on the connections that are open then. Quantities of a step that are not given are those of
 * the command line. The end of the input ends the run like `end`.
 */
import { type Workload, workloadTable } from '../workload.ts';
import { type ProgressEvent, parseProgress } from './progress.ts';
import { checkSchema, type LoadtestResult } from './schema.ts';

/** The quantities of the workload that a step may change. */
const stepQuantities = [
  'ratePerSecond',
  'durationSeconds',
  'warmUpSeconds',
  'drainSeconds',
  'arrival',
  'seed',
  'stormShare',
  'stormAtSeconds',
  'loginPerSecond',
] as const;
export type StepQuantities = Pick<Workload, (typeof stepQuantities)[number]>;

/**
 * One line of input. With `reconnect`, users whose connection has been closed connect again before the step
 * and are probed; without, they stay closed. The drain of a step ends when nothing is outstanding; with
 * `last` it takes its full time, so that a duplicate that comes later than its original is seen. With
 * `abortOnFail`, its measure phase ends as soon as a limit of latency can no longer hold in it.
 */
export type ControlCommand =
  | ({
      command: 'step';
      reconnect?: boolean;
      last?: boolean;
      abortOnFail?: boolean;
    } & Partial<StepQuantities>)
  | { command: 'end' };

/** One line of output. */
export type ControlEvent =
  | ProgressEvent
  /** A step has ended. */
  | { event: 'step'; result: LoadtestResult }
  /** A command could not be carried out and has changed nothing. */
  | { event: 'refused'; reason: string };

/** The line of a command, with its line break. */
export function encodeCommand(command: ControlCommand): string {
  return `${JSON.stringify(command)}\n`;
}

/** Reads one line of input. Throws a sentence with what is required and what was given. */
export function parseCommand(line: string): ControlCommand {
  const required = `a command is {"command":"step"} with ${stepQuantities.join(', ')}, reconnect, last, abortOnFail as wanted, or {"command":"end"}`;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error(`${required}; given: ${line}`);
  }
  const { command, reconnect, last, abortOnFail, ...quantities } = (value ?? {}) as Record<string, unknown>;
  const flags = Object.entries({ reconnect, last, abortOnFail }).filter(([, flag]) => flag !== undefined);
  if (command === 'end' && flags.length + Object.keys(quantities).length === 0) return { command };
  if (command !== 'step') throw new Error(`${required}; given: ${line}`);
  for (const [name, flag] of flags)
    if (typeof flag !== 'boolean')
      throw new Error(`${name} must be true or false; given: ${JSON.stringify(flag)}`);
  return { command, ...checkQuantities(quantities, required), ...Object.fromEntries(flags) };
}

/** The line of an event, with its line break. */
export function encodeEvent(event: ControlEvent): string {
  return `${JSON.stringify(event)}\n`;
}

/** Reads one line of output; undefined if it is no event. Throws if its result is of another schema. */
export function parseEvent(line: string): ControlEvent | undefined {
  const [, kind] = /^\{"event":"(step|refused)"/.exec(line) ?? [];
  if (kind === undefined) return parseProgress(line);
  let event: ControlEvent;
  try {
    event = JSON.parse(line) as ControlEvent;
  } catch {
    return undefined; // The simulator was killed in the middle of a line.
  }
  if (event.event === 'step') checkSchema(event.result, 'the result of a step');
  return event;
}

/** A quantity is checked as its flag is, so that both have the same bounds and the same sentences. */
function checkQuantities(given: Record<string, unknown>, required: string): Partial<StepQuantities> {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    const known = stepQuantities.find((quantity) => quantity === name);
    if (known === undefined) problems.push(`${required}; given: ${name}`);
    else if (typeof value !== typeof workloadTable[known].fallback)
      problems.push(
        `${name} must be a ${typeof workloadTable[known].fallback}; given: ${JSON.stringify(value)}`,
      );
    else
      workloadTable[known].read(
        (workloadTable[known].write as (value: unknown) => string[])(value),
        problems,
      );
  }
  if (problems.length > 0) throw new Error(problems.join('; '));
  return given;
}
