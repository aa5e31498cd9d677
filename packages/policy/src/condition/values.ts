/**
 * Values of conditions and the operations on them. A CEL int is a bigint, a double a number; JSON numbers are
 * doubles, and mixed comparison is exact. Timestamps and durations are milliseconds in a class of their own.
 * Equality between types is false, as the CEL specification has it; everything else between types is a fault.
 */

/**
 * Why a condition has no value. Not an Error: a quantifier may meet one per element, and a stack trace for each
 * would cost more than the evaluation.
 */
export class Fault {
  readonly message: string;
  /**
   * `value`: something is missing or of another type. `masked`: the value was masked when the call was recorded, so
   * that it is not known. Both can be outvoted in `&&`, `||`, `all` and `exists`. `body`: the body cannot be
   * inspected; `budget`: the evaluation cost too much. Both end the evaluation.
   */
  readonly kind: 'value' | 'masked' | 'body' | 'budget';
  constructor(message: string, kind: Fault['kind'] = 'value') {
    this.message = message;
    this.kind = kind;
  }
}

/** Stands in recorded facts for a value that was masked. A condition that reads it has no value. */
export const maskedValue: unique symbol = Symbol('masked');

export function known(value: unknown, source: string): unknown {
  if (value === maskedValue) throw new Fault(`\`${source}\` was masked in the recording`, 'masked');
  return value;
}

export class Timestamp {
  readonly ms: number;
  constructor(ms: number) {
    if (!(ms >= -62_135_596_800_000 && ms <= 253_402_300_799_999)) throw new Fault('the timestamp is out of range');
    this.ms = ms;
  }
}

export class Duration {
  readonly ms: number;
  constructor(ms: number) {
    if (!Number.isFinite(ms)) throw new Fault('the duration is out of range');
    this.ms = ms;
  }
}

/** Counts the cost of one evaluation. A unit is about one step on one value, or 32 characters of a string. */
export interface Meter {
  left: number;
}

export function charge(meter: Meter, units: number): void {
  meter.left -= units;
  if (meter.left < 0) throw overBudget;
}

const overBudget = new Fault('the condition costs too much to evaluate on this request', 'budget');

export const stringCost = (value: string): number => 1 + (value.length >>> 5);

export function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'double';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Timestamp) return 'timestamp';
  if (value instanceof Duration) return 'duration';
  return 'map';
}

const isNumeric = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint';

export const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Timestamp) && !(value instanceof Duration);

const mismatch = (operator: string, a: unknown, b: unknown): Fault =>
  new Fault(`${operator} is not defined between ${typeName(a)} and ${typeName(b)}`);

/** Deep equality; values of different types are unequal. Charges a unit per element. */
export function isEqual(a: unknown, b: unknown, meter: Meter): boolean {
  if (typeof a === 'string' && typeof b === 'string') {
    if (a.length !== b.length) return false;
    charge(meter, stringCost(a));
    return a === b;
  }
  if (a === maskedValue || b === maskedValue) throw new Fault('a part of a compared value was masked in the recording', 'masked');
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    // oxlint-disable-next-line eqeqeq -- exact between bigint and number
    return isNumeric(a) && isNumeric(b) && a == b;
  }
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) {
      charge(meter, 1);
      if (!isEqual(a[i], b[i], meter)) return false;
    }
    return true;
  }
  if (a instanceof Timestamp) return b instanceof Timestamp && a.ms === b.ms;
  if (a instanceof Duration) return b instanceof Duration && a.ms === b.ms;
  if (!isMap(a) || !isMap(b)) return false;
  const keys = Object.keys(a);
  charge(meter, keys.length);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key], meter));
}

/** -1, 0, 1, or NaN where a double is NaN. */
export function compare(a: unknown, b: unknown, operator: string, meter: Meter): number {
  let left: number | bigint | string | boolean;
  let right: number | bigint | string | boolean;
  if (isNumeric(a) && isNumeric(b)) [left, right] = [a, b];
  else if (typeof a === 'string' && typeof b === 'string') {
    charge(meter, stringCost(a));
    [left, right] = [a, b];
  } else if (typeof a === 'boolean' && typeof b === 'boolean') [left, right] = [a, b];
  else if (a instanceof Timestamp && b instanceof Timestamp) [left, right] = [a.ms, b.ms];
  else if (a instanceof Duration && b instanceof Duration) [left, right] = [a.ms, b.ms];
  else throw mismatch(operator, a, b);
  if (left < right) return -1;
  if (left > right) return 1;
  return typeof left === 'number' && typeof right === 'number' && left !== right ? Number.NaN : 0;
}

export function isIn(value: unknown, container: unknown, meter: Meter): boolean {
  if (Array.isArray(container)) {
    for (const item of container) {
      charge(meter, 1);
      if (isEqual(value, item, meter)) return true;
    }
    return false;
  }
  if (isMap(container)) {
    if (typeof value !== 'string') throw mismatch('in', value, container);
    return Object.hasOwn(container, value);
  }
  throw mismatch('in', value, container);
}

const minInt = -(2n ** 63n);
const maxInt = 2n ** 63n - 1n;

export function inIntRange(value: bigint): bigint {
  if (value < minInt || value > maxInt) throw new Fault('integer overflow');
  return value;
}

/** A double that stands for an int exactly, e.g. a number of a JSON body. */
export function toInt(value: number | bigint): bigint {
  if (typeof value === 'bigint') return value;
  if (!Number.isSafeInteger(value)) throw new Fault('the number is not a whole number');
  return BigInt(value);
}

export function add(a: unknown, b: unknown, meter: Meter): unknown {
  if (typeof a === 'bigint' && typeof b === 'bigint') return inIntRange(a + b);
  if (isNumeric(a) && isNumeric(b)) return Number(a) + Number(b);
  if (typeof a === 'string' && typeof b === 'string') {
    charge(meter, stringCost(a) + stringCost(b));
    return a + b;
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    charge(meter, a.length + b.length);
    return [...(a as unknown[]), ...(b as unknown[])];
  }
  if (a instanceof Timestamp && b instanceof Duration) return new Timestamp(a.ms + b.ms);
  if (a instanceof Duration && b instanceof Timestamp) return new Timestamp(a.ms + b.ms);
  if (a instanceof Duration && b instanceof Duration) return new Duration(a.ms + b.ms);
  throw mismatch('+', a, b);
}

export function subtract(a: unknown, b: unknown): unknown {
  if (typeof a === 'bigint' && typeof b === 'bigint') return inIntRange(a - b);
  if (isNumeric(a) && isNumeric(b)) return Number(a) - Number(b);
  if (a instanceof Timestamp && b instanceof Timestamp) return new Duration(a.ms - b.ms);
  if (a instanceof Timestamp && b instanceof Duration) return new Timestamp(a.ms - b.ms);
  if (a instanceof Duration && b instanceof Duration) return new Duration(a.ms - b.ms);
  throw mismatch('-', a, b);
}

export function multiply(a: unknown, b: unknown): unknown {
  if (typeof a === 'bigint' && typeof b === 'bigint') return inIntRange(a * b);
  if (isNumeric(a) && isNumeric(b)) return Number(a) * Number(b);
  throw mismatch('*', a, b);
}

export function divide(a: unknown, b: unknown): unknown {
  if (typeof a === 'bigint' && typeof b === 'bigint') {
    if (b === 0n) throw new Fault('division by zero');
    return inIntRange(a / b);
  }
  if (isNumeric(a) && isNumeric(b)) return Number(a) / Number(b);
  throw mismatch('/', a, b);
}

export function remainder(a: unknown, b: unknown): unknown {
  if (!isNumeric(a) || !isNumeric(b)) throw mismatch('%', a, b);
  const divisor = toInt(b);
  if (divisor === 0n) throw new Fault('modulo by zero');
  return toInt(a) % divisor;
}

export function negate(value: unknown): unknown {
  if (typeof value === 'bigint') return inIntRange(-value);
  if (typeof value === 'number') return -value;
  throw new Fault(`- is not defined for ${typeName(value)}`);
}
