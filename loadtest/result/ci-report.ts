/** A run as test cases and as Markdown, for continuous integration. Pure. */
import type { BaselineRow } from './baseline.ts';
import type { JunitCase } from './junit-xml.ts';
import { observedText } from './limits.ts';
import type { LoadtestResult } from './schema.ts';

/** A step with its comparison; no rows without a baseline. */
export type Judged = { result: LoadtestResult; rows: readonly BaselineRow[] };

/** A case for each limit and each row of the comparison, step by step. A void step is an error. */
export function casesOfSteps(steps: readonly Judged[]): JunitCase[] {
  return steps.flatMap(({ result, rows }, index) => {
    const classname = steps.length === 1 ? 'loadtest' : `loadtest.step ${index + 1}`;
    const isVoid = ['void', 'undetermined'].includes(result.verdict);
    const instrument: JunitCase[] = isVoid
      ? [{ classname, name: 'is measured', outcome: 'error', message: result.reasons.join('; ') }]
      : [];
    const limits = result.limits.map(({ expression, held, observed }): JunitCase => {
      const message = `observed ${observedText(expression, observed)}`;
      const broken = isVoid ? 'error' : 'failed';
      return { classname, name: expression, outcome: held ? 'passed' : broken, message };
    });
    const compared = rows.map(({ metric, before, now, ratio, verdict }): JunitCase => {
      const message = `${verdict}: ${before} → ${now}, × ${ratio.toFixed(2)}`;
      const outcome = isVoid ? 'error' : verdict === 'worse' ? 'failed' : 'passed';
      return { classname, name: `${metric} against the baseline`, outcome, message };
    });
    return [...instrument, ...limits, ...compared];
  });
}

/** Verdict, limits and comparison of each step; ends with a line break, so that files can be appended to. */
export function summaryOfSteps(steps: readonly Judged[]): string {
  const blocks = steps.flatMap(({ result, rows }, index) => {
    const { verdict, reasons, limits, interrupted } = result;
    const title = steps.length === 1 ? 'Load test' : `Load test, step ${index + 1}`;
    const ofLimits = limits.map(({ expression, held, observed }) => [
      `\`${expression}\``,
      observedText(expression, observed),
      held ? 'held' : '**broken**',
    ]);
    const compared = rows.map(({ metric, before, now, ratio, verdict: one }) => [
      ...[metric, before, now, ratio.toFixed(2)],
      one === 'worse' ? '**worse**' : one,
    ]);
    return [
      `## ${title}: ${interrupted ? 'interrupted' : verdict}`,
      ...(reasons.length === 0 ? [] : [reasons.map((reason) => `- ${reason}`).join('\n')]),
      tableText(['limit', 'observed', ''], ofLimits),
      ...(rows.length === 0 ? [] : [tableText(['against the baseline', 'before', 'now', '×', ''], compared)]),
    ];
  });
  return `${blocks.join('\n\n')}\n\n`;
}

function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}
