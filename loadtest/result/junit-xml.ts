/** JUnit XML, which continuous integration shows as tests. Pure. */

/** `error`: nothing is known, because the instrument failed or no trial was possible. */
export type JunitCase = {
  classname: string;
  name: string;
  outcome: 'passed' | 'failed' | 'error' | 'skipped';
  /** Why it has not passed, or what was observed. */
  message: string;
};

/** One suite. `seconds` is the duration of the run. */
export function junitXml(suite: string, seconds: number, cases: readonly JunitCase[]): string {
  const count = (wanted: JunitCase['outcome']) => cases.filter(({ outcome }) => outcome === wanted).length;
  const counts = { failures: count('failed'), errors: count('error'), skipped: count('skipped') };
  const attributes = attributesOf({ name: suite, tests: cases.length, ...counts, time: seconds });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    `  <testsuite${attributes}>`,
    ...cases.map(caseXml),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function caseXml({ classname, name, outcome, message }: JunitCase): string {
  const head = `    <testcase${attributesOf({ classname, name })}>`;
  const tags = { failed: 'failure', error: 'error', skipped: 'skipped', passed: 'system-out' } as const;
  const tag = tags[outcome];
  const body =
    outcome === 'passed' ? `<${tag}>${escaped(message)}</${tag}>` : `<${tag}${attributesOf({ message })}/>`;
  return `${head}${body}</testcase>`;
}

function attributesOf(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
};

/** For text and for attributes. Characters that XML 1.0 cannot hold in any form become U+FFFD. */
export function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll(/[&<>"'\n\r\t]/g, (character) => entities[character]!);
}
