/**
 * The record of calls that were refused before their intent. A refusal costs its caller nothing, so a caller can make us
 * refuse as fast as the network goes. Above a rate, refusals are counted by error and caller (the identity; the address
 * of a stranger), and the counts are recorded once a second. A refusal that is only counted is answered at the end of that
 * second: a flood gets no faster than one answer a second on each socket, and others keep their share of the processor.
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
  #waiting = 0;
  #windowEnd = Promise.withResolvers<void>();

  /** @param perIdentity refusals of one identity that are recorded one by one in each second */
  constructor(recorder: Recorder, perIdentity: number) {
    this.#recorder = recorder;
    this.#perIdentity = perIdentity;
  }

  /**
   * Resolves when the refusal is durable, or at the end of the second when it is only counted.
   * @param share of the identity; null: nobody is known
   */
  record(head: CallHead, outcome: OutcomeEntry, share: Share | null): Promise<void> {
    this.#timer ??= setTimeout(() => this.#endWindow(), windowMs);
    if (!this.#isAboveRate(share)) return this.#recorder.refuse(head, outcome);
    this.#count(head, outcome);
    if (this.#waiting >= maxWaiting) return Promise.resolve();
    this.#waiting++;
    return this.#windowEnd.promise;
  }

  /** Hands the counts over; to be called before the recorder is closed. */
  close(): void {
    if (this.#timer) this.#endWindow();
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
    this.#waiting = 0;
    this.#windowEnd.resolve();
    this.#windowEnd = Promise.withResolvers<void>();
  }
}
