/**
 * The record of calls that were refused before their intent. A refusal costs its caller nothing, so a caller can make us
 * refuse as fast as the network goes. Above a rate, refusals are counted by error and caller (the identity; the address
 * of a stranger), and the counts are recorded once a second. Refusals that are only counted are answered in the second
 * after, spread over it: a flood gets no faster than one answer a second on each socket, and others keep their share of the
 * processor, also where each answer closes a socket that comes back with many pipelined requests.
 */
import type { CallHead, OutcomeEntry } from '@hoop/contract';
import type { Recorder } from '@hoop/recording';

import type { Share } from '../caller/share.ts';

/** Refusals of strangers, of all together, that are recorded one by one in each second. */
const strangersPerSecond = 50;
/** Kinds of refusals that are counted apart; what is beyond shares one count. */
const maxKinds = 500;
/** Answers that wait for the end of the second; further ones are given at once. */
const maxWaiting = 1000;
const windowMs = 1000;

interface Counted {
  readonly head: CallHead;
  readonly outcome: OutcomeEntry;
  times: number;
}

export class Refusals {
  readonly #recorder: Recorder;
  readonly #perIdentity: number;
  readonly #counted = new Map<string, Counted>();
  #timer: NodeJS.Timeout | undefined;
  #ofStrangers = 0;
  /** Numbers the seconds in which something was refused. */
  #window = 0;
  /** They are answered once the second has ended. */
  #waiting: (() => void)[] = [];
  /** They are answered in this second, the last first. */
  #leaving: (() => void)[] = [];
  #pauseMs = 0;

  /** @param perIdentity refusals of one identity that are recorded one by one in each second */
  constructor(recorder: Recorder, perIdentity: number) {
    this.#recorder = recorder;
    this.#perIdentity = perIdentity;
  }

  /**
   * Resolves when the refusal is durable, or in the next second when it is only counted.
   * @param share of the identity; null: nobody is known
   * @param isLate the answer waits for the next second in any case
   */
  record(head: CallHead, outcome: OutcomeEntry, share: Share | null, isLate = false): Promise<void> {
    this.#timer ??= setTimeout(() => this.#endWindow(), windowMs);
    if (!this.#isAboveRate(share)) {
      const durable = this.#recorder.refuse(head, outcome);
      return isLate ? durable.then(() => this.#endOfWindow()) : durable;
    }
    this.#count(head, outcome);
    return this.#endOfWindow();
  }

  #endOfWindow(): Promise<void> {
    if (this.#timer === undefined || this.#waiting.length + this.#leaving.length >= maxWaiting) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Hands the counts over; to be called before the recorder is closed. */
  close(): void {
    if (this.#timer) this.#endWindow();
    for (const answer of this.#leaving.splice(0)) answer();
  }

  #isAboveRate(share: Share | null): boolean {
    if (share === null) return ++this.#ofStrangers > strangersPerSecond;
    if (share.window !== this.#window) {
      share.window = this.#window;
      share.refusals = 0;
    }
    return ++share.refusals > this.#perIdentity;
  }

  #count(head: CallHead, outcome: OutcomeEntry): void {
    const caller = head.subject.identityId;
    let kind =
      caller === null ? `${outcome.error} ${head.remoteAddress}` : `${outcome.error} ${caller} ${head.connectionId} ${head.decision?.rule}`;
    if (!this.#counted.has(kind) && this.#counted.size >= maxKinds) kind = 'others';
    const counted = this.#counted.get(kind);
    if (counted) counted.times++;
    else this.#counted.set(kind, { head, outcome, times: 1 });
  }

  #endWindow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#ofStrangers = 0;
    this.#window++;
    for (const { head, outcome, times } of this.#counted.values()) {
      // The first stands for all; when the queue is down the recorder itself says so.
      this.#recorder.refuse(head, outcome, times - 1).catch(() => undefined);
    }
    this.#counted.clear();
    if (this.#waiting.length === 0) return;
    if (this.#leaving.length === 0) setImmediate(this.#answerOne);
    this.#leaving = this.#waiting.reverse().concat(this.#leaving);
    this.#waiting = [];
    this.#pauseMs = Math.floor(windowMs / this.#leaving.length);
  }

  readonly #answerOne = (): void => {
    this.#leaving.pop()?.();
    if (this.#leaving.length === 0) return;
    if (this.#pauseMs > 0) setTimeout(this.#answerOne, this.#pauseMs);
    else setImmediate(this.#answerOne);
  };
}
