/** A question whose answer is no capacity: it goes its own way, and leaves its own files beside those of other runs. */
export type Procedure = {
  /** Directory name under experiments/, e.g. `008-kill`. */
  name: string;
  question: string;
  /** Runs it; an abort of the signal gives what is known until then. */
  run(options: ProcedureOptions, signal: AbortSignal): Promise<ProcedureOutcome>;
  /** Remakes REPORT.md from the kept runs; returns its path, or null where none is kept. */
  refresh(directory: string): string | null;
};

export type ProcedureOptions = {
  /** Undefined where the procedure is to decide. */
  repetitions: number | undefined;
  /** Where `<run>/` is made. */
  resultsDirectory: string;
  print(line: string): void;
};

export type ProcedureOutcome = {
  /** The table for the terminal. */
  text: string;
  /** The file that holds the run, to be kept as `experiments/<name>/results/<run>.json`. */
  path: string;
  /** 0 all limits held, 1 a limit broke, 130 interrupted. */
  exitCode: 0 | 1 | 130;
};
