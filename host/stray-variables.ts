/** Environment variables that look like settings of a command and are none, most likely misspelt. Pure. */

/**
 * One sentence on the variables that begin with `prefix` and are not `known`; undefined where there are none.
 * It shows no value. They are no mistake by themselves: an orchestrator sets variables of that form too.
 */
export function tellStrayVariables(
  prefix: string,
  known: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const stray = Object.keys(environment).filter((name) => name.startsWith(prefix) && !known.includes(name));
  if (stray.length === 0) return undefined;
  const told = stray.sort().map((name) => {
    const near = nearest(name, known);
    return near === undefined ? name : `${name} (did you mean ${near}?)`;
  });
  return `Not read, because no setting has that name: ${told.join(', ')}.`;
}

/** The known name that differs least, if it differs little: in one letter of four at most. */
function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.floor(name.length / 4) + 1;
  for (const each of known) {
    const letters = difference(name, each);
    if (letters >= least) continue;
    least = letters;
    best = each;
  }
  return best;
}

/**
 * Letters to insert, delete, replace or swap with their neighbour until one text is the other: the optimal
 * string alignment distance.
 */
function difference(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const line = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = last[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      let least = Math.min(replaced, last[column]! + 1, line[column - 1]! + 1);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        least = Math.min(least, beforeLast[column - 2]! + 1);
      line.push(least);
    }
    beforeLast = last;
    last = line;
  }
  return last[b.length]!;
}
