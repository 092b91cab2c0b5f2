/** The capacity of a variant as text, the same in tables and plots. */
import type { CapacityFinding } from '../analysis/finding.ts';
import { formatNumber } from './format.ts';

/** `≥` where nothing above it failed because of the server; an unconfirmed load stands in parentheses. */
export function capacityText({ capacity, variant }: CapacityFinding): string {
  const { answer } = variant;
  if (capacity !== null) return `${answer?.end === 'confirmed' ? '' : '≥ '}${formatNumber(capacity)}`;
  return answer?.highestPass == null ? 'none' : `none (${formatNumber(answer.highestPass)} once)`;
}
