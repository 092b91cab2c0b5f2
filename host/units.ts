/** How times, sizes, rates and shares are written in every command: a number with its unit. Pure. */

/** A kind of quantity. Values in code are milliseconds, bytes, per second and per cent. */
export type Unit = {
  /** Such as `a time`. */
  readonly noun: string;
  /** For the sentence about what is required: the units, and one value. */
  readonly example: string;
  /** Undefined for a text that is not of this form, and so for a number without its unit. */
  parse(text: string): number | undefined;
  /** The text that gives exactly this value. */
  format(value: number): string;
};

const number = String.raw`(\d+(?:\.\d+)?(?:e[+-]?\d+)?)`;

/** A unit by its sizes, the smallest first; `format` takes the largest in which the value is whole. */
function scaled(noun: string, sizes: Readonly<Record<string, number>>, example: string, base: string): Unit {
  const form = new RegExp(`^${number}(${Object.keys(sizes).join('|')})$`);
  const descending = Object.entries(sizes).toSorted(([, one], [, other]) => other - one);
  return {
    noun,
    example: `with its unit (${Object.keys(sizes).join(', ')}), such as ${example}`,
    parse(text) {
      const [, digits, unit] = form.exec(text) ?? [];
      return unit === undefined ? undefined : Number(digits) * sizes[unit]!;
    },
    format(value) {
      const whole = descending.find(([, size]) => value >= size && Number.isInteger(value / size));
      const [unit, size] = whole ?? [base, sizes[base]!];
      return `${value / size}${unit}`;
    },
  };
}

/** In milliseconds. */
export const time = scaled(
  'a time',
  { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 },
  '250ms or 5s',
  's',
);

/** In bytes. */
export const size = scaled(
  'a size',
  { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 },
  '512B or 64KiB',
  'B',
);

/** Per second. */
export const rateWithUnit = scaled('a rate', { '/s': 1 }, '500/s', '/s');
const bare = new RegExp(`^${number}$`);

/** Per second, also without its unit: there is only one, and no option with it had another before. */
export const rate: Unit = {
  ...rateWithUnit,
  example: 'with its unit (/s) or without, such as 500/s',
  parse: (text) => rateWithUnit.parse(bare.test(text) ? `${text}/s` : text),
};

/** In per cent. */
export const percent = scaled('a share', { '%': 1 }, '5%', '%');
