/** The fields of a run of the figures shape, added to those of every shape. */
import type { Run, RunRecord, TrialHeader } from '../../records/schema.ts';

/** How a figure is written: a count, a time in ms or µs, any number, a multiple. */
export type FigureKind = 'count' | 'ms' | 'µs' | 'number' | 'times';

/** One figure of each trial. */
export type FigureDefinition = {
  key: string;
  /** Of its column; report/explain.ts says what it means. */
  title: string;
  kind: FigureKind;
  /** Left out where there is no room. */
  isDetail?: boolean;
  /** In the sentence of a variant, with `{}` in the place of the figure; left out: it is not in it. */
  words?: string;
  /** It is drawn. `file`: name of the picture. */
  plot?: { title: string; caption: string; file: string };
  /** Which change of it is an improvement; left out: it is not compared. */
  good?: 'lower' | 'higher';
};

export type FigureTrial = TrialHeader & {
  /** By the key of the definition; null: it is not known. */
  figures: Readonly<Record<string, number | null>>;
};

export type FigureRunRecord = RunRecord & {
  figures: readonly FigureDefinition[];
  repetitions: number;
  /** What a trial does, a sentence each. */
  procedure: readonly string[];
  /** The quantity along which variants are drawn; left out: a row for each variant. */
  across?: { name: string; places: Readonly<Record<string, { family: string; value: number }>> };
};
export type FigureRun = Run<FigureRunRecord, FigureTrial>;
