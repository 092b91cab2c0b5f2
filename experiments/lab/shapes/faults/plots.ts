/** How long each failure was felt, and when clients knew of it, trial by trial. */
import { medianOf } from '../../analysis/statistics.ts';
import { formatCount, formatMs } from '../../report/format.ts';
import { looksBy } from '../../report/look.ts';
import type { Plot } from '../../report/plot.ts';
import { dotsPlot } from '../../report/plot-dots.ts';
import type { FaultRun, FaultTrial } from './record.ts';

/** Those for which the run has trials. */
export function plotsOfFaults(run: FaultRun): Plot[] {
  return [recoveryPlot(run), detectionPlot(run)].filter((plot) => plot !== null);
}

/** Null where the chat recovered in no trial. */
function recoveryPlot(run: FaultRun): Plot | null {
  const rows = rowsOf(run).flatMap(({ name, colour, own }) => {
    const times = own.flatMap(({ recoveredAfterMs }) => recoveredAfterMs ?? []);
    if (times.length === 0) return [];
    const missing = own.length - times.length;
    return {
      ...{ name, colour, figure: formatMs(medianOf(times)) },
      remarks: missing === 0 ? [] : [`never in ${missing}`],
      dots: times.map((value) => ({ value })),
    };
  });
  return timesPlot(rows, 'recovered after', {
    title: 'Recovery after each failure',
    caption:
      'A dot for each trial: from the fault until all participants are connected and receive everything within a second. The figure is the median.',
    file: 'recovery',
  });
}

/** How long nobody knew of a loss; null where nothing was lost. */
function detectionPlot(run: FaultRun): Plot | null {
  const rows = rowsOf(run).map(({ name, colour, own }) => {
    const times = own.map(({ detectionMsMax }) => detectionMsMax).filter((time) => time > 0);
    const silently = own.reduce((sum, trial) => sum + trial.lostSilently, 0);
    return {
      ...{ name, colour, figure: times.length === 0 ? 'nothing lost' : formatMs(medianOf(times)) },
      remarks: silently === 0 ? [] : [`${formatCount(silently)} lost silently`],
      dots: times.map((value) => ({ value })),
    };
  });
  return timesPlot(rows, 'told after', {
    title: 'How long a loss was not known',
    caption:
      'A dot for each trial: the longest time from a message that was lost to the close of the connection that told of it. The figure is the median.',
    file: 'detection',
  });
}

/** Null where there is no time to draw. */
function timesPlot(
  rows: Parameters<typeof dotsPlot>[0],
  name: string,
  words: Parameters<typeof dotsPlot>[2],
): Plot | null {
  if (rows.every(({ dots }) => dots.length === 0)) return null;
  return dotsPlot(rows, { name, format: formatMs, scale: 'log' }, words);
}

function rowsOf({ record, trials }: FaultRun): { name: string; colour: string; own: FaultTrial[] }[] {
  const looks = looksBy(record.variants);
  return record.variants.flatMap(({ name }) => {
    const own = trials.filter(({ variant }) => variant === name);
    return own.length === 0 ? [] : { name, colour: looks.get(name)!.colour, own };
  });
}
