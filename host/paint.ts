/** Colours of outcomes on a terminal. In a pipe and with NO_COLOR a text stays as it is. */
import { styleText } from 'node:util';

/** The colour of an outcome, on that text; another word has none. */
export type Paint = (outcome: string, text?: string) => string;

const colours: Readonly<Record<string, 'green' | 'red' | 'yellow'>> = {
  ...{ pass: 'green', held: 'green', better: 'green', ok: 'green' },
  ...{ fail: 'red', broken: 'red', worse: 'red', missing: 'red' },
  ...{ void: 'yellow', undetermined: 'yellow', interrupted: 'yellow', limits: 'yellow' },
};

/** For texts that are written to that stream. */
export function paintFor(stream: NodeJS.WritableStream): Paint {
  return (outcome, text = outcome) => {
    const colour = Object.hasOwn(colours, outcome) ? colours[outcome] : undefined;
    return colour === undefined ? text : styleText(colour, text, { stream });
  };
}

/** No colours. */
export const unpainted: Paint = (outcome, text = outcome) => text;
