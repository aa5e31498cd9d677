/**
 * Shares the processor between identities. In one turn of the event loop each lane (one per identity) works for a bounded
 * time; its other work waits for the next turns, in order. So another caller waits for one bounded piece of work of each
 * busy identity, however many sockets one of them has.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Work that can be put off to a later turn. */
export interface Deferrable {
  /** Called once, in a turn in which the lane may work; counts its own time by `spend`. */
  takeTurn(): void;
}

/** Milliseconds of work in one turn, divided among the lanes that are active. */
const turnMs = 1;
/** Of a lane that no other is active beside. */
const aloneMs = 8;
/** However many are active. */
const leastMs = 0.25;
/** A lane in which nothing was done for so long is no longer active. */
const windowMs = 1000;
/** A step of a call that reads no body. */
const stepMs = 0.05;

/** The turns of one event loop. */
export class Turns {
  number = 0;
  budgetMs = aloneMs;
  #isArmed = false;
  #lanes: Lane[] = [];
  #window = 0;
  #windowEndsAt = 0;
  #active = 0;
  #activeBefore = 0;

  /** More than one lane is active. */
  get isContended(): boolean {
    return this.budgetMs < aloneMs;
  }

  /** The lane counts among those that are active. Returns the window that it counts in. */
  note(window: number): number {
    if (window !== this.#window) {
      this.#active++;
      this.#divide();
    }
    return this.#window;
  }

  /** Something waits in the lane. */
  queue(lane: Lane): void {
    this.#lanes.push(lane);
    this.arm();
  }

  /** A turn will follow the present one. */
  arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    // Before anybody is counted: who works first after a pause is active.
    this.#renewWindow();
    setImmediate(this.#begin);
  }

  /** Resolves once nothing waits. */
  async idle(): Promise<void> {
    while (this.#lanes.length > 0) await nextTurn();
  }

  readonly #begin = (): void => {
    this.#isArmed = false;
    this.number++;
    const lanes = this.#lanes;
    if (lanes.length === 0) return;
    this.#lanes = [];
    let next = 0;
    try {
      while (next < lanes.length) lanes[next++]!.release();
    } finally {
      // After work that threw.
      for (; next < lanes.length; next++) this.queue(lanes[next]!);
    }
  };

  #renewWindow(): void {
    const now = performance.now();
    if (now < this.#windowEndsAt) return;
    // After a pause of a whole window, those of the last one are no longer active.
    this.#activeBefore = now < this.#windowEndsAt + windowMs ? this.#active : 0;
    this.#active = 0;
    this.#window++;
    this.#windowEndsAt = now + windowMs;
    this.#divide();
  }

  #divide(): void {
    const active = Math.max(this.#active, this.#activeBefore);
    this.budgetMs = active <= 1 ? aloneMs : Math.max(leastMs, turnMs / active);
  }
}

/** Of this process, which has one event loop. */
export const turns = new Turns();

export class Lane {
  readonly #turns: Turns;
  #turn = -1;
  #spentMs = 0;
  #window = -1;
  #waiting: Deferrable[] | null = null;
  #isReleasing = false;

  constructor(of: Turns = turns) {
    this.#turns = of;
  }

  /** Work should be cut into small pieces: others wait. */
  get isContended(): boolean {
    return this.#turns.isContended;
  }

  /** Whether work may be done in this turn; if not, it must `wait`. */
  isOpen(): boolean {
    // Work that has its turn may go on; other work goes behind what waits.
    return (this.#waiting === null || this.#isReleasing) && this.#hasBudget();
  }

  /** @param ms time that was spent just now */
  spend(ms: number): void {
    const { number } = this.#turns;
    if (this.#turn !== number) {
      this.#turn = number;
      this.#spentMs = 0;
      this.#turns.arm();
      this.#window = this.#turns.note(this.#window);
    }
    this.#spentMs += ms;
  }

  wait(work: Deferrable): void {
    if (this.#waiting === null) {
      this.#waiting = [];
      this.#turns.queue(this);
    }
    this.#waiting.push(work);
  }

  /**
   * Undefined: the work may be done at once.
   * @param ms the estimated cost of the work: measuring every step of a call would cost more than it is worth
   */
  step(ms = stepMs): Promise<void> | undefined {
    if (this.isOpen()) {
      this.spend(ms);
      return undefined;
    }
    return new Promise((resolve) => {
      this.wait({
        takeTurn: () => {
          this.spend(ms);
          resolve();
        },
      });
    });
  }

  /** Does as much of the waiting work as fits into the turn, and always one piece: a single piece may be longer than a turn. */
  release(): void {
    const waiting = this.#waiting!;
    let done = 0;
    this.#isReleasing = true;
    try {
      do waiting[done++]!.takeTurn();
      while (done < waiting.length && this.#hasBudget());
    } finally {
      this.#isReleasing = false;
      if (done === waiting.length) {
        this.#waiting = null;
      } else {
        waiting.splice(0, done);
        this.#turns.queue(this);
      }
    }
  }

  #hasBudget(): boolean {
    return this.#turn !== this.#turns.number || this.#spentMs < this.#turns.budgetMs;
  }
}
