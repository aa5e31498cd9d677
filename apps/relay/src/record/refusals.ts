/**
 * The record of calls that were refused before their intent. Whoever is not known yet can make us refuse as fast as the
 * network goes, so above a limit such refusals are counted by error and address, and the counts are recorded once a second.
 */
import type { CallHead, OutcomeEntry } from '@hoop/contract';
import type { Recorder } from '@hoop/recording';

/** Refusals of strangers that are recorded one by one in each second. */
const strangersPerSecond = 50;
/** Kinds of refusals that are counted apart; what is beyond shares one count. */
const maxKinds = 500;
const windowMs = 1000;

interface Counted {
  readonly head: CallHead;
  readonly outcome: OutcomeEntry;
  times: number;
}

export class Refusals {
  readonly #recorder: Recorder;
  readonly #counted = new Map<string, Counted>();
  #timer: NodeJS.Timeout | undefined;
  #inWindow = 0;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** Resolves when the refusal is durable, or at once when it is only counted. */
  record(head: CallHead, outcome: OutcomeEntry, isStranger: boolean): Promise<void> {
    if (isStranger) {
      this.#timer ??= setTimeout(() => this.#endWindow(), windowMs);
      if (++this.#inWindow > strangersPerSecond) {
        this.#count(head, outcome);
        return Promise.resolve();
      }
    }
    return this.#recorder.refuse(head, outcome);
  }

  /** Hands the counts over; to be called before the recorder is closed. */
  close(): void {
    if (this.#timer) this.#endWindow();
  }

  #count(head: CallHead, outcome: OutcomeEntry): void {
    let kind = `${outcome.error} ${head.remoteAddress}`;
    if (!this.#counted.has(kind) && this.#counted.size >= maxKinds) kind = 'others';
    const counted = this.#counted.get(kind);
    if (counted) counted.times++;
    else this.#counted.set(kind, { head, outcome, times: 1 });
  }

  #endWindow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#inWindow = 0;
    for (const { head, outcome, times } of this.#counted.values()) {
      // The first stands for all; when the queue is down the recorder itself says so.
      this.#recorder.refuse(head, outcome, times - 1).catch(() => undefined);
    }
    this.#counted.clear();
  }
}
