/** Adds nodes in the middle of a trial and sends them away again, while the clients stay. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeployedNode, Deployment } from '../deployment/deployment.ts';
import type { ResizeRecord } from '../records/resize-schema.ts';
import { readMetric } from './server-metrics.ts';

/** Times in seconds of the measure phase. */
export type Resize = {
  /** Nodes at the most: as many are added, one after the other, from that time on. */
  nodesMax: number;
  growAtSeconds: number;
  /** From then on they leave, the newest first, each told once the one before has ended. */
  shrinkAtSeconds: number;
};

const sampleMs = 500;
const answerMsMax = 2_000;

type Watched = { node: DeployedNode; runs: boolean; sessions: number; resumes: number; moves: number };

/** Begins when the measure phase does, and follows it until `ended` is asked for. */
export class Resizing {
  readonly #deployment: Pick<Deployment, 'nodes' | 'addNode'>;
  readonly #plan: Resize;
  readonly #signal: AbortSignal;
  readonly #watched: Watched[];
  readonly #record: ResizeRecord = { events: [], samples: [], error: null };
  #beganMs = 0;
  #done: Promise<void> | undefined;
  #sampling: Promise<void> | undefined;
  #isOver = false;
  #before = { resumes: 0, moves: 0 };

  constructor(deployment: Pick<Deployment, 'nodes' | 'addNode'>, plan: Resize, signal: AbortSignal) {
    this.#signal = signal;
    this.#deployment = deployment;
    this.#plan = plan;
    this.#watched = deployment.nodes.map(watch);
  }

  enter(phase: string): void {
    if (phase !== 'measure' || this.#done) return;
    this.#beganMs = performance.now();
    this.#sampling = this.#sample();
    this.#done = this.#resize().catch((error: Error) => {
      this.#record.error = error.message;
    });
  }

  /** Once the nodes have left. Null where there was no measure phase. */
  async ended(): Promise<ResizeRecord | null> {
    if (!this.#done) return null;
    await this.#done;
    this.#isOver = true;
    await this.#sampling;
    return this.#record;
  }

  get #atSeconds(): number {
    return Number(((performance.now() - this.#beganMs) / 1000).toFixed(3));
  }

  async #resize(): Promise<void> {
    const { nodesMax, growAtSeconds, shrinkAtSeconds } = this.#plan;
    const added: Watched[] = [];
    await this.#sleep(growAtSeconds * 1000);
    while (this.#watched.length < nodesMax) {
      const one = watch(await this.#deployment.addNode());
      this.#watched.push(one);
      added.push(one);
      this.#note(one, 'added');
    }
    await this.#sleep(Math.max(0, shrinkAtSeconds - this.#atSeconds) * 1000);
    for (const one of added.reverse()) {
      this.#note(one, 'leaves');
      await one.node.signal('SIGTERM');
      await one.node.ended;
      one.runs = false;
      one.sessions = 0;
      this.#note(one, 'left');
    }
  }

  #sleep(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#signal });
  }

  #note({ node }: Watched, what: ResizeRecord['events'][number]['what']): void {
    this.#record.events.push({ atSeconds: this.#atSeconds, node: node.name, what });
  }

  async #sample(): Promise<void> {
    for (let isFirst = true; !this.#isOver; isFirst = false) {
      await Promise.all(this.#watched.map(read));
      const sum = (field: 'resumes' | 'moves') => this.#watched.reduce((total, one) => total + one[field], 0);
      if (isFirst) this.#before = { resumes: sum('resumes'), moves: sum('moves') };
      this.#record.samples.push({
        atSeconds: this.#atSeconds,
        sessions: this.#watched.map(({ sessions }) => sessions),
        resumes: sum('resumes') - this.#before.resumes,
        moves: sum('moves') - this.#before.moves,
      });
      await sleep(sampleMs);
    }
  }
}

function watch(node: DeployedNode): Watched {
  return { node, runs: true, sessions: 0, resumes: 0, moves: 0 };
}

/** A node that does not answer stays as it was seen last. */
async function read(one: Watched): Promise<void> {
  if (!one.runs) return;
  try {
    const signal = AbortSignal.timeout(answerMsMax);
    const text = await (await fetch(`${one.node.internalUrl}/metrics`, { signal })).text();
    if (!one.runs) return;
    one.sessions = readMetric(text, 'chat_sessions') ?? 0;
    one.resumes = readMetric(text, 'chat_resume_total') ?? 0;
    one.moves = readMetric(text, 'chat_moves_total') ?? 0;
  } catch {
    // It has left, or is too busy.
  }
}
