/** The capacity of a variant as text, the same in tables and plots. */
import type { CapacityFinding } from '../analysis/finding.ts';
import type { LoadEstimate } from '../records/schema.ts';
import { formatNumber } from './format.ts';

/** The load that half of the trials hold; `≥` and a load that is held where no trial failed. */
export function capacityText({ threshold, atLeast }: CapacityFinding): string {
  if (threshold === null) return 'none';
  return atLeast === null ? formatNumber(threshold.capacity.middle) : `≥ ${formatNumber(atLeast)}`;
}

/** `10,200–12,400`. */
export function intervalText({ low, high }: LoadEstimate): string {
  return `${formatNumber(low)}–${formatNumber(high)}`;
}
