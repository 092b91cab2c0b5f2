/** One line for the terminal when a trial or a variant of a load experiment has ended. */
import type { TrialRecord, VariantRecord } from '../records/schema.ts';
import { intervalText } from './claims.ts';
import {
  formatAtLeast,
  formatBytes,
  formatMagnitude,
  formatMs,
  formatNumber,
  formatTrials,
} from './format.ts';

/** Outcome and main figures of a trial. */
export function trialLine(trial: TrialRecord, unit: string): string {
  const { loadtest, server } = trial;
  const head = `${trial.variant}  trial ${String(trial.number).padStart(2)}  ${formatNumber(trial.load).padStart(7)} ${unit}`;
  const parts = [`${head}  ${trial.outcome.padEnd(4)}`];
  if (loadtest !== null) {
    parts.push(`p99 ${formatMs(loadtest.deliveryLatencyMs.p99).padStart(7)}`);
    parts.push(`${formatMagnitude(loadtest.deliveriesPerSecond).padStart(6)} deliveries/s`);
  }
  if (server !== null) parts.push(`CPU ${server.cpuCores.toFixed(2)}`, formatBytes(server.rssMaxBytes));
  // The numbers behind the first reason are in the report.
  if (trial.outcome === 'void') parts.push(trial.reasons[0]?.split(/\n| \(/)[0] ?? '');
  return parts.join('  ');
}

/** The capacity of a variant and its bound; null where none was searched. */
export function answerLine({ name, answer, bound }: VariantRecord, unit: string): string | null {
  if (answer === null) return null;
  const { threshold, atLeast, isBeyondTried = false, trials, voids, end } = answer;
  const effort = `${formatTrials(trials)}${voids === 0 ? '' : `, ${voids} void`}, ${end}`;
  if (threshold === null) return `${name}: no trial passed (${effort})`;
  const { capacity, safeLoad } = threshold;
  const boundBy = bound === null ? '' : `; bound by ${bound.name}`;
  if (atLeast !== null) return `${name}: ${formatAtLeast(atLeast)} ${unit}; ${effort}${boundBy}`;
  const mark = isBeyondTried ? '~ ' : '';
  return `${name}: ${mark}${formatNumber(capacity.middle)} ${unit} (90 %: ${intervalText(capacity)}), safe ${formatNumber(safeLoad.middle)}; ${effort}${boundBy}`;
}
