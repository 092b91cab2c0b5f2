/** Reads metrics from the answers of a server's internal port. */

/** A duration in milliseconds from a `Server-Timing` header (W3C); null where it has no such entry. */
export function readServerTiming(header: string | null, name: string): number | null {
  for (const entry of (header ?? '').split(',')) {
    const [metric, ...parameters] = entry.split(';').map((part) => part.trim());
    const duration = parameters.find((parameter) => parameter.startsWith('dur='));
    if (metric === name && duration !== undefined) return Number(duration.slice('dur='.length));
  }
  return null;
}

/** The sum of all samples of a metric in Prometheus text, with any labels; null where there is none. */
export function readMetric(text: string, metric: string): number | null {
  let sum: number | null = null;
  for (const line of text.split('\n')) {
    if (!line.startsWith(`${metric} `) && !line.startsWith(`${metric}{`)) continue;
    const [value] = line
      .slice(Math.max(metric.length, line.lastIndexOf('}') + 1))
      .trim()
      .split(' ');
    sum = (sum ?? 0) + Number(value);
  }
  return sum;
}
