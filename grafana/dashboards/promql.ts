/** Which metrics a PromQL expression reads: enough of the grammar to find the names, for the checks of this folder. */

const wordsOfTheLanguage = new Set([
  ...[
    'and',
    'or',
    'unless',
    'by',
    'without',
    'on',
    'ignoring',
    'group_left',
    'group_right',
    'bool',
    'offset',
  ],
  ...['inf', 'nan'],
]);

/** The names of the metrics in an expression, each once, in order of first use. */
export function metricNames(expr: string): string[] {
  const bare = expr
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ');
  const found = new Set<string>();
  for (const match of bare.matchAll(/(?<![\w:.])[a-zA-Z_:][\w:]*(?!\s*\()(?![\w:])/g))
    if (!wordsOfTheLanguage.has(match[0].toLowerCase())) found.add(match[0]);
  return [...found];
}
