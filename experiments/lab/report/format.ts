/** Numbers as people read them: three significant digits, thousands apart, the unit beside them. */
import { outstandingMs } from '../../../loadtest/record/histogram.ts';

/** `19,973`, `0.42`: whole numbers from 1,000. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : digits(value);
}

/** `117 k`, `10.2 M`: for figures whose magnitude matters more than their digits. */
export function formatMagnitude(value: number): string {
  const units = { G: 1e9, M: 1e6, k: 1e3 };
  const unit = Object.entries(units).find(([, size]) => Math.abs(value) >= size);
  return unit === undefined ? formatNumber(value) : `${digits(value / unit[1])} ${unit[0]}`;
}

/** `41.2 ms`, `4.21 s`, `∞` for a delivery that was outstanding when the drain ended. */
export function formatMs(milliseconds: number): string {
  if (milliseconds >= outstandingMs) return '∞';
  if (milliseconds >= 1000) return `${Number((milliseconds / 1000).toPrecision(3))} s`;
  return `${Number(milliseconds.toPrecision(3))} ms`;
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

/** `0:07`, `3:12`. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** `12 %`. */
export function formatShare(share: number): string {
  return share < 0.0005 ? '0 %' : `${digits(share * 100, 2)} %`;
}

function digits(value: number, significant = 3): string {
  return String(Number(value.toPrecision(significant)));
}
