/** Least squares in logarithms with coefficients that are never negative, as costs and shares. Pure. */
import { sumOf } from './statistics.ts';

/** One value with the weights of the coefficients in it: value ≈ Σ coefficient × term. All above 0 or 0. */
export type Observation = { readonly terms: readonly number[]; readonly value: number };

const iterationsMax = 50;
/** Relative change of a coefficient below which the fit has settled. */
const settled = 1e-7;
/** A pivot below this share of the largest entry: the terms cannot be told apart. */
const singular = 1e-9;

/**
 * The coefficients ≥ 0 that minimize Σ weight × (ln value − ln Σ coefficient × term)². Where the observations
 * cannot tell two terms apart, one of them gets 0. Weights default to 1. There must be an observation, and
 * its value must be above 0.
 */
export function fitLogarithms(observations: readonly Observation[], weights?: readonly number[]): number[] {
  const roots = observations.map((_, index) => Math.sqrt(weights?.[index] ?? 1));
  // The first step is linear, relative to the values; each later one is linear around the fit before it.
  let predicted = observations.map(({ value }) => value);
  let coefficients: number[] = [];
  for (let iteration = 0; iteration < iterationsMax; iteration++) {
    const rows = observations.map(({ terms }, index) =>
      terms.map((term) => (term / predicted[index]!) * roots[index]!),
    );
    const targets = observations.map(
      ({ value }, index) => (1 + Math.log(value / predicted[index]!)) * roots[index]!,
    );
    const next = fitNonNegative(rows, targets);
    const change = next.map((one, index) => Math.abs(one - (coefficients[index] ?? 0)) / (one || 1));
    coefficients = next;
    predicted = observations.map(({ terms }) => sumOf(terms.map((term, index) => term * next[index]!)));
    if (Math.max(...change) < settled || predicted.some((value) => !(value > 0))) break;
  }
  return coefficients;
}

/** Tries every choice of coefficients that are above 0: there are at most a few of them. */
function fitNonNegative(rows: readonly (readonly number[])[], targets: readonly number[]): number[] {
  const columns = rows[0]!.length;
  let best = new Array<number>(columns).fill(0);
  let least = sumOf(targets.map((target) => target ** 2));
  for (let choice = 1; choice < 2 ** columns; choice++) {
    const chosen = [...Array(columns).keys()].filter((column) => (choice >> column) & 1);
    const solution = solveNormal(
      rows.map((row) => chosen.map((column) => row[column]!)),
      targets,
    );
    if (solution === null || solution.some((value) => value < 0)) continue;
    const full = new Array<number>(columns).fill(0);
    chosen.forEach((column, index) => {
      full[column] = solution[index]!;
    });
    const errors = rows.map((row, index) => {
      return sumOf(row.map((cell, column) => cell * full[column]!)) - targets[index]!;
    });
    const squares = sumOf(errors.map((error) => error ** 2));
    if (squares >= least - 1e-14) continue;
    least = squares;
    best = full;
  }
  return best;
}

/** The solution of rowsᵀ rows x = rowsᵀ targets, by elimination; null where it is not unique. */
function solveNormal(rows: readonly (readonly number[])[], targets: readonly number[]): number[] | null {
  const size = rows[0]!.length;
  const scales = [...Array(size).keys()].map((column) =>
    Math.sqrt(sumOf(rows.map((row) => row[column]! ** 2))),
  );
  if (scales.some((scale) => scale === 0)) return null;
  const scaled = rows.map((row) => row.map((cell, column) => cell / scales[column]!));
  const matrix = [...Array(size).keys()].map((i) => [
    ...[...Array(size).keys()].map((j) => sumOf(scaled.map((row) => row[i]! * row[j]!))),
    sumOf(scaled.map((row, index) => row[i]! * targets[index]!)),
  ]);
  for (let column = 0; column < size; column++) {
    const pivot = matrix[column]!;
    // The matrix is positive definite with ones on its diagonal: a small pivot is a column that depends.
    if (pivot[column]! < singular) return null;
    for (let below = 0; below < size; below++) {
      if (below === column) continue;
      const factor = matrix[below]![column]! / pivot[column]!;
      matrix[below] = matrix[below]!.map((cell, index) => cell - factor * pivot[index]!);
    }
  }
  return matrix.map((row, index) => row[size]! / row[index]! / scales[index]!);
}
