/** A scenario: an offence of hostile clients, what they get for it, and how long the neighbours may wait. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, RawPeer } from '#host/raw-peer.ts';
import { pathOfRoom } from '#protocol';
import type { StageInfo } from '../../../deployment/list-stages.ts';

export type Scenario = {
  /** Unique; in plain words. */
  name: string;
  /** Clients that offend at the same time. */
  offenders: number;
  /** The same in the short suite; left out: at most 50; 0: not in it. */
  short?: number;
  /** Each offender gets one of these. */
  gets: readonly Answer[];
  /** What one offender does, from its first byte to its answer. */
  offend(scene: Scene, offender: number): Promise<Answer>;
  /** Longest p99 of the neighbours' latency meanwhile; left out: `p99MsMax`. */
  p99MsMax?: number;
  /**
   * A metric of the server that must have grown, such as `chat_evictions_total{reason="slow_consumer"}`: it
   * shows that the offence took place. Needed where the answers do not show it. Of several, one.
   */
  counter?: string | readonly string[];
  /** By how much at least, for each offender; left out: by anything. */
  countedPerOffender?: number;
  /** At least one offender must get each of these: else the offence had no effect. */
  someGet?: readonly Answer[];
  /** Left out: it applies to every stage. */
  appliesTo?(stage: StageInfo): boolean;
  /** The answer is that of RFC 6455 or RFC 9112; else a rule of this server, which others may not have. */
  isStandard?: true;
};

/** Chosen, not measured: four times the limit of the ladder, because offences cost CPU in a small box. */
export const p99MsMax = 1000;
/** Longest wait of an offender for its answer. Chosen: several times the timeouts of the suite's server. */
const answerDeadlineMs = 8000;
/** For offenders that ought to get nothing; sooner than the server cuts peers that ignore its pings. */
const nothingDeadlineMs = 500;
/** Longest wait for one's own message. Chosen: shorter than the time in which silent peers are cut. */
const hearDeadlineMs = 2000;

type SceneTarget = {
  chatUrls: readonly string[];
  /** Null where it is impossible. */
  limitDescriptors: ((more: number | null) => Promise<void>) | null;
};

/** The place of an offence: one server, and the connections that were opened to it. */
export class Scene implements Disposable {
  /** `ws://host:port`, of the nodes in turn. */
  readonly #origins: readonly string[];
  readonly #peers: RawPeer[] = [];
  readonly #gone = new Map<string, number>();
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Lets the server open so many more files; null: as many as before. */
  readonly limitDescriptors: SceneTarget['limitDescriptors'];
  #turn = 0;
  #over = false;

  constructor(
    { chatUrls, limitDescriptors }: Pick<SceneTarget, 'chatUrls' | 'limitDescriptors'>,
    random: () => number,
    signal: AbortSignal,
  ) {
    this.#origins = chatUrls.map((url) => `ws://${new URL(url).host}`);
    this.limitDescriptors = limitDescriptors;
    this.random = random;
    this.signal = signal;
  }

  /** A TCP connection. */
  async connect(): Promise<RawPeer> {
    return this.#keep(await RawPeer.connect(this.#origin()));
  }

  /** A session in a room of the offenders. */
  async join(room = 'offenders'): Promise<RawPeer> {
    return this.#keep(await RawPeer.join(this.#origin() + pathOfRoom(room)));
  }

  /** Repeats an act until its peer has ended, or for a time. */
  async every(periodMs: number, forMs: number, peer: RawPeer, act: () => unknown): Promise<void> {
    const endAtMs = performance.now() + forMs;
    while (performance.now() < endAtMs && !peer.socket.destroyed) {
      await act();
      await this.wait(periodMs);
    }
  }

  async wait(forMs: number): Promise<void> {
    await sleep(forMs, undefined, { signal: this.signal });
  }

  /** Notes that one of a room has gone. */
  leaves(room: string): void {
    this.#gone.set(room, this.gone(room) + 1);
  }

  /** How many of a room have gone. */
  gone(room: string): number {
    return this.#gone.get(room) ?? 0;
  }

  /** Ends all connections with a reset. */
  [Symbol.dispose](): void {
    this.#over = true;
    for (const peer of this.#peers) peer.destroy();
  }

  #origin(): string {
    return this.#origins[this.#turn++ % this.#origins.length]!;
  }

  #keep(peer: RawPeer): RawPeer {
    if (this.#over || this.signal.aborted) peer.destroy();
    this.#peers.push(peer);
    return peer;
  }
}

type Act = (peer: RawPeer, scene: Scene, offender: number) => unknown;

/** An offence in a session of its own. */
export const inSession =
  (act: Act, deadlineMs = answerDeadlineMs): Scenario['offend'] =>
  async (scene, offender) => {
    const peer = await scene.join();
    await act(peer, scene, offender);
    return peer.answer(deadlineMs);
  };

/** An offence on a connection that is no session. */
export const onConnection =
  (act: Act, deadlineMs = answerDeadlineMs): Scenario['offend'] =>
  async (scene, offender) => {
    const peer = await scene.connect();
    await act(peer, scene, offender);
    return peer.answer(deadlineMs);
  };

/**
 * Bytes in a session that is alone in its room, to which nothing is the right answer, but that it hears its
 * own messages, so many of them.
 */
export const unanswered =
  (act: Act, messages = 1): Scenario['offend'] =>
  async (scene, offender) => {
    const peer = await scene.join(`alone-${scene.random().toString(36).slice(2)}`);
    await act(peer, scene, offender);
    const endAtMs = performance.now() + hearDeadlineMs;
    while (peer.texts < messages && !peer.socket.destroyed && performance.now() < endAtMs)
      await scene.wait(10);
    const answer = await peer.answer(nothingDeadlineMs);
    if (answer === 'nothing' && peer.texts !== messages)
      throw new Error(`it heard ${peer.texts} messages of its own ${messages}`);
    return answer;
  };
