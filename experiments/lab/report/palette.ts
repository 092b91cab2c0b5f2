/**
 * Every colour of the pictures, in a shade for light and one for dark pages. A drawing names a colour by its
 * placeholder; the page or the file that shows the drawing says which shade it has. Pure.
 */

/**
 * One colour for each stage, the same in every picture: the set of Okabe and Ito (2008), which people with
 * any kind of colour blindness can tell apart. Grey stands for its black; shades that are too faint on a
 * white page are darker there.
 */
const stageShades = [
  ['#6e7681', '#9aa3ae'],
  ['#b87700', '#e69f00'],
  ['#0072b2', '#3b97d6'],
  ['#00805d', '#1aab80'],
  ['#d55e00', '#ee7733'],
  ['#56b4e9', '#9bd6ff'],
  ['#b5568d', '#d98fb8'],
  ['#9a8b00', '#f0e442'],
] as const;
/** For servers that are no stage, in the order of the run: the muted set of Tol. */
const otherShades = [
  ['#882255', '#c8588a'],
  ['#44aa99', '#66ccbb'],
  ['#332288', '#8f7fe8'],
  ['#117733', '#4fae6c'],
] as const;
const pageShades = {
  ink: ['#1c2024', '#e6e9ed'],
  muted: ['#646b75', '#9aa3ae'],
  line: ['#dfe3e8', '#343a42'],
  page: ['#ffffff', '#16191d'],
  warning: ['#b3364a', '#ef7d8d'],
} as const;

const named: [string, readonly [string, string]][] = [
  ...Object.entries(pageShades),
  ...stageShades.map((shades, index): [string, typeof shades] => [`stage-${index + 1}`, shades]),
  ...otherShades.map((shades, index): [string, typeof shades] => [`other-${index + 1}`, shades]),
];
/** What a drawing contains until it is themed: echarts takes no CSS variables. */
const placeholders = new Map(
  named.map(([name], index) => [name, `#0000${(index + 1).toString(16).padStart(2, '0')}`]),
);

export const ink = placeholders.get('ink')!;
export const muted = placeholders.get('muted')!;
export const line = placeholders.get('line')!;
export const page = placeholders.get('page')!;
/** Of limits. */
export const warning = placeholders.get('warning')!;

/** The colour of each stage by its number, as in `03-cursor`; others have theirs by their place. */
export function stageColours(stages: readonly string[]): ReadonlyMap<string, string> {
  const isNumbered = (stage: string) => {
    const number = Number.parseInt(stage, 10);
    return number >= 1 && number <= stageShades.length;
  };
  const others = [...new Set(stages)].filter((stage) => !isNumbered(stage));
  const nameOf = (stage: string) =>
    isNumbered(stage)
      ? `stage-${Number.parseInt(stage, 10)}`
      : `other-${(others.indexOf(stage) % otherShades.length) + 1}`;
  return new Map(stages.map((stage) => [stage, placeholders.get(nameOf(stage))!]));
}

/** The drawing with a CSS variable in place of each placeholder. */
export function themed(drawing: string): string {
  return [...placeholders].reduce(
    (text, [name, placeholder]) => text.replaceAll(placeholder, `var(--${name})`),
    drawing,
  );
}

/** The kinds of page. */
export const pageKinds = ['light', 'dark'] as const;
export type Shade = (typeof pageKinds)[number];

/** Declares the variables, with the shades for dark pages in a media query. */
export const colourVariables = `:root { color-scheme: light dark; ${declarations('light')} }
@media (prefers-color-scheme: dark) { :root { ${declarations('dark')} } }`;

/** Declares the variables for one kind of page. */
export function coloursOf(shade: Shade): string {
  return `:root { color-scheme: ${shade}; ${declarations(shade)} }`;
}

function declarations(shade: Shade): string {
  return named.map(([name, shades]) => `--${name}: ${shades[pageKinds.indexOf(shade)]};`).join(' ');
}
