/** The phase metrics for tests, on free ports. */
import { freePorts } from '#host/free-ports.ts';
import { PhaseMetrics } from './phase-metrics.ts';

const attemptsMax = 200;

/** Tries several ports: the next port must be free too, and a closed connection may hold it for a minute. */
export async function startPhaseMetrics(targetsFile: string): Promise<PhaseMetrics> {
  let fault: string | null = null;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const [metricsPort] = await freePorts(1);
    const options = { experiment: '001-ladder', metricsPort: metricsPort!, scrapeHost: '127.0.0.1' };
    const metrics = new PhaseMetrics({ ...options, targetsFile });
    fault = await metrics.listen();
    if (fault === null) return metrics;
  }
  throw new Error(`no two free ports next to each other: ${fault}`);
}
