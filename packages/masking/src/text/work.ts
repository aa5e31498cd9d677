/**
 * The budget of work for one body, in steps of about ten nanoseconds: an account that every byte of the body pays
 * into, up to a limit, and every step is taken from. A search that finds the account empty hides its value whole. So a
 * chunk costs a bounded time for any bytes and rules, and a body never costs more than its length times a constant. A
 * body that emptied its account has shown what it is made for: from there on its bytes pay less, yet more than
 * ordinary text needs.
 */

/** Steps that a byte pays for, and that each pattern adds to them. */
export const stepsPerByte = 64;
export const stepsPerByteAndPattern = 8;
/** The same in a body that has emptied its account. */
export const laterStepsPerByte = 16;
export const laterStepsPerByteAndPattern = 4;
/** Bytes whose steps the account holds at most; it begins full. */
const accountBytes = 65_536;

/** Thrown by `spend`; caught where the value is known. */
export class OutOfSteps extends Error {
  override readonly name = 'OutOfSteps';
  constructor() {
    super('the steps of this body are used up');
  }
}

/** One for all: a stack trace for each would cost more than the steps that it stands for. */
const outOfSteps = new OutOfSteps();

export class Work {
  readonly #perByte: number;
  readonly #laterPerByte: number;
  readonly #most: number;
  #left: number;
  #wasEmpty = false;
  /** Steps that were taken. */
  spent = 0;
  /** Values that were hidden whole because the account was empty. */
  hiddenValues = 0;

  /** @param accountedBytes Bytes whose steps the account holds. @default 64 KiB */
  constructor(patterns: number, accountedBytes: number = accountBytes) {
    this.#perByte = stepsPerByte + stepsPerByteAndPattern * patterns;
    this.#laterPerByte = laterStepsPerByte + laterStepsPerByteAndPattern * patterns;
    this.#most = this.#left = this.#perByte * accountedBytes;
  }

  /** A full account, for another body. */
  reset(): void {
    this.#left = this.#most;
    this.#wasEmpty = false;
    this.spent = 0;
    this.hiddenValues = 0;
  }

  /** Bytes of the body have come. */
  earn(bytes: number): void {
    this.#left = Math.min(this.#most, this.#left + bytes * (this.#wasEmpty ? this.#laterPerByte : this.#perByte));
  }

  /** @throws OutOfSteps */
  spend(steps: number): void {
    this.spent += steps;
    this.#left -= steps;
    if (this.#left >= 0) return;
    this.#wasEmpty = true;
    throw outOfSteps;
  }

  /** Whether so many steps are left; takes them. */
  affords(steps: number): boolean {
    this.spent += steps;
    this.#left -= steps;
    if (this.#left < 0) this.#wasEmpty = true;
    return this.#left >= 0;
  }
}
