/** Numbers as people read them: three significant digits, thousands apart, the unit beside them. */
import { outstandingMs } from '../../../loadtest/record/histogram.ts';

/** `19,973`, `0.42`; three significant digits below 1,000, whole numbers above. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

/** `117 k`, `10.2 M`: for figures whose magnitude matters more than their digits. */
export function formatMagnitude(value: number): string {
  const units = [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const;
  for (const [size, unit] of units) {
    if (Math.abs(value) >= size) return `${Number((value / size).toPrecision(3))} ${unit}`;
  }
  return formatNumber(value);
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

/** `0:07`, `3:12`. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** `12 %`. */
export function formatShare(share: number): string {
  return share < 0.0005 ? '0 %' : `${Number((share * 100).toPrecision(2))} %`;
}
