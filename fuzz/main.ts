/** `npm run fuzz -- --time 30m`: every target in turn, in rounds, each round with a seed of its own. */
import { Command, InvalidArgumentError } from 'commander';
import { shapeHelp } from '#host/help.ts';
import { interruption } from '#host/interruption.ts';
import { translateOldNames } from '#host/old-names.ts';
import { time } from '#host/units.ts';
import { tell } from '#host/wrapped.ts';
import { fuzz } from './fuzz.ts';
import { targets } from './targets.ts';

/** Of one target in a round. */
const turnMs = 5000;

const minutesOf = (text: string) => {
  const ms = time.parse(text) ?? 0;
  if (ms > 0) return ms / 60_000;
  throw new InvalidArgumentError(`Required a time above 0 ${time.example}; given ${text}.`);
};
const positive = (text: string) => {
  if (Number(text) > 0) return Number(text);
  throw new InvalidArgumentError(`Required a number above 0; given ${text}.`);
};
const program = shapeHelp(new Command('npm run fuzz --'))
  .description(
    'Feeds every reader of foreign bytes with random ones. Exit codes: 0 all held, 1 one did not, 2 bad input.',
  )
  .option('--time <time>', 'how long, such as 30m (default: 1m)', minutesOf)
  .option('--seed <n>', 'of the first round (default: random)', positive)
  .option('--target <text>', 'only targets whose name contains it')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
const { argv, warning } = translateOldNames('FUZZ_', process.argv, {}, (name) => name === 'time');
if (warning !== undefined) console.error(warning);
const {
  time: minutes = 1,
  seed = Math.floor(Math.random() * 2 ** 30),
  target = '',
} = program.parse(argv).opts();
const chosen = targets.filter(({ name }) => name.includes(target));
if (chosen.length === 0) {
  tell(`Name a target: required a part of ${targets.map(({ name }) => name).join('; ')}; given ${target}.`);
  process.exit(2);
}
const signal = interruption();
const endAtMs = performance.now() + minutes * 60_000;
for (let round = 0; performance.now() < endAtMs && !signal.aborted; round++)
  for (const one of chosen) {
    const forMs = Math.min(turnMs, endAtMs - performance.now());
    if (forMs <= 0) break;
    try {
      console.log(`${one.name}: ${await fuzz(one, seed + round, forMs)} inputs held, seed ${seed + round}`);
    } catch (error) {
      console.error((error as Error).message);
      process.exit(1);
    }
  }
