/** Figures as the page prints them: three digits, the unit beside them. Browsers use this file too. */

/** `20,000`, `0.42`, `3.34 M`. */
export function numberText(value: number): string {
  const units = { G: 1e9, M: 1e6, k: 1e5 };
  const unit = Object.entries(units).find(([, least]) => Math.abs(value) >= least);
  if (unit === undefined) return digits(value);
  return `${digits(value / { G: 1e9, M: 1e6, k: 1e3 }[unit[0] as keyof typeof units])} ${unit[0]}`;
}

/** `0.82 ms`, `41.2 ms`, `4.21 s`. */
export function msText(milliseconds: number): string {
  // 2^31 − 1 µs stands for a delivery that never came.
  if (milliseconds >= 2_147_483) return '∞';
  if (milliseconds >= 999.5) return `${digits(milliseconds / 1000)} s`;
  return `${digits(milliseconds, milliseconds < 1 ? 2 : 3)} ms`;
}

/** Powers of ten: `5.4 kB`, `212 MB`. */
export function bytesText(bytes: number): string {
  const unit = [1e9, 1e6, 1e3].find((size) => bytes >= size) ?? 1;
  return `${digits(bytes / unit)} ${{ 1e9: 'GB', 1e6: 'MB', 1e3: 'kB', 1: 'B' }[unit]}`;
}

/** `12 %`. */
export function shareText(share: number): string {
  return `${digits(share * 100)} %`;
}

/** `0:05`, `12:30`, `1:02:03`. */
export function clockText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const pad = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${pad(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(whole % 60)}`;
}

function digits(value: number, significant = 3): string {
  return Number(value.toPrecision(significant)).toLocaleString('en-US', { maximumFractionDigits: 12 });
}
