/** Numbers as people read them: three significant digits, thousands apart, the unit beside them. */
import { formatMs } from '../../../loadtest/record/histogram.ts';

export { formatMs };

/** `20,000`, `0.42`, `3.34 M` from a million. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 1e6) return formatMagnitude(value);
  return Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 12 });
}

/** The same, but never more than the value: for a lower bound. */
export function formatAtLeast(value: number): string {
  const rounded = Number(value.toPrecision(3));
  const step = 10 ** (Math.floor(Math.log10(value)) - 2);
  return `≥ ${formatNumber(rounded > value ? rounded - step : rounded)}`;
}

/** Counts of an audit: every digit up to 99,999. */
export function formatCount(value: number): string {
  return Math.abs(value) < 1e5 ? Math.round(value).toLocaleString('en-US') : formatMagnitude(value);
}

/** `117 k`, `10.2 M`: for figures whose magnitude matters more than their digits. */
export function formatMagnitude(value: number): string {
  const units = { G: 1e9, M: 1e6, k: 1e3 };
  const unit = Object.entries(units).find(([, size]) => Math.abs(value) >= size);
  return unit === undefined ? formatNumber(value) : `${digits(value / unit[1])} ${unit[0]}`;
}

/** Powers of ten, as bytes on a wire are counted: `5.4 kB`, `212 MB`. */
export function formatBytes(bytes: number): string {
  const magnitude = formatMagnitude(bytes);
  return `${magnitude}${magnitude.includes(' ') ? '' : ' '}B`;
}

/** `15.6 GiB`. */
export function formatGibibytes(bytes: number): string {
  return `${formatNumber(bytes / 2 ** 30)} GiB`;
}

/** `1 core`, `0.25 cores`. */
export function formatCores(cores: number): string {
  return `${formatNumber(cores)} ${cores === 1 ? 'core' : 'cores'}`;
}

/** `1 trial`, `12 trials`. */
export function formatTrials(trials: number): string {
  return `${trials} ${trials === 1 ? 'trial' : 'trials'}`;
}

/** `0:07`, `3:12`. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** `12 %`. */
export function formatShare(share: number): string {
  return share < 0.0005 ? '0 %' : `${digits(share * 100, 2)} %`;
}

/** A sentence of a program with its figures rounded; limits such as `p99<250ms` and names stay. */
export function roundFigures(sentence: string): string {
  return sentence
    .replaceAll(/(?<![\w.<>=:-])(\d+\.\d+|\d{4,}) ms\b/g, (_, figure) => formatMs(Number(figure)))
    .replaceAll(/(?<![\w.<>=:-])(\d+\.\d{2,}|\d{5,})(?![\w.:-]*\w)/g, (_, figure) =>
      formatNumber(Number(figure)),
    )
    .replaceAll(/(?<![\w.<>=:-])1 cores\b/g, '1 core');
}

function digits(value: number, significant = 3): string {
  return String(Number(value.toPrecision(significant)));
}
