/**
 * Values of conditions and the operations on them. A CEL int is a bigint, a double a number; JSON numbers are
 * doubles, and mixed comparison is exact. Timestamps and durations are nanoseconds in a class of their own.
 * Equality between types is false, as the CEL specification has it, but see equality.ts; everything else between types
 * is a fault.
 */
import { WrittenNumber } from '../body/written-number.ts';
import { Fault } from './fault.ts';
import {
  addNumbers,
  divideNumbers,
  isNumeric,
  multiplyNumbers,
  negate as negateNumber,
  remainderOfNumbers,
  subtractNumbers,
  testOrder,
  Uint,
} from './numbers.ts';

export { Fault } from './fault.ts';

/** Stands in recorded facts for a value that was masked. A condition that reads it has no value. */
export const maskedValue: unique symbol = Symbol('masked');

export function known(value: unknown, source: string): unknown {
  if (value === maskedValue) throw new Fault(`\`${source}\` is masked or not kept in the recording`, 'masked');
  return value;
}

const nanosPerSecond = 1_000_000_000n;

/** Nanoseconds since 1970, of the years 1 to 9999. */
export class Timestamp {
  readonly ns: bigint;
  constructor(ns: bigint) {
    if (ns < -62_135_596_800n * nanosPerSecond || ns >= 253_402_300_800n * nanosPerSecond) throw new Fault('the timestamp is out of range');
    this.ns = ns;
  }
}

/** About 10,000 years, as google.protobuf.Duration has it. */
const maxDuration = 315_576_000_001n * nanosPerSecond;

/** Nanoseconds. */
export class Duration {
  readonly ns: bigint;
  constructor(ns: bigint) {
    if (ns <= -maxDuration || ns >= maxDuration) throw new Fault('the duration is out of range');
    this.ns = ns;
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
  if (typeof value === 'number' || value instanceof WrittenNumber) return 'double';
  if (value instanceof Uint) return 'uint';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Timestamp) return 'timestamp';
  if (value instanceof Duration) return 'duration';
  return 'map';
}

const scalarClasses = [Timestamp, Duration, Uint, WrittenNumber] as const;

export const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !scalarClasses.some((one) => value instanceof one);

export const mismatch = (operator: string, a: unknown, b: unknown): Fault =>
  new Fault(`${operator} is not defined between ${typeName(a)} and ${typeName(b)}`);

/** Whether `test` holds of the order of two values: -1, 0, 1, or NaN where a double is NaN. */
export function isOrdered(a: unknown, b: unknown, operator: string, test: (order: number) => boolean, meter: Meter): boolean {
  let left: string | boolean | bigint;
  let right: string | boolean | bigint;
  if (isNumeric(a) && isNumeric(b)) {
    const result = testOrder(a, b, test);
    if (result instanceof Fault) throw result;
    return result;
  }
  if (typeof a === 'string' && typeof b === 'string') {
    charge(meter, stringCost(a));
    [left, right] = [a, b];
  } else if (typeof a === 'boolean' && typeof b === 'boolean') [left, right] = [a, b];
  else if (a instanceof Timestamp && b instanceof Timestamp) [left, right] = [a.ns, b.ns];
  else if (a instanceof Duration && b instanceof Duration) [left, right] = [a.ns, b.ns];
  else throw mismatch(operator, a, b);
  return test(left < right ? -1 : left > right ? 1 : 0);
}

export function add(a: unknown, b: unknown, meter: Meter): unknown {
  if (isNumeric(a) && isNumeric(b)) return addNumbers(a, b);
  if (typeof a === 'string' && typeof b === 'string') {
    charge(meter, stringCost(a) + stringCost(b));
    return a + b;
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    charge(meter, a.length + b.length);
    return [...(a as unknown[]), ...(b as unknown[])];
  }
  if (a instanceof Timestamp && b instanceof Duration) return new Timestamp(a.ns + b.ns);
  if (a instanceof Duration && b instanceof Timestamp) return new Timestamp(a.ns + b.ns);
  if (a instanceof Duration && b instanceof Duration) return new Duration(a.ns + b.ns);
  throw mismatch('+', a, b);
}

export function subtract(a: unknown, b: unknown): unknown {
  if (isNumeric(a) && isNumeric(b)) return subtractNumbers(a, b);
  if (a instanceof Timestamp && b instanceof Timestamp) return new Duration(a.ns - b.ns);
  if (a instanceof Timestamp && b instanceof Duration) return new Timestamp(a.ns - b.ns);
  if (a instanceof Duration && b instanceof Duration) return new Duration(a.ns - b.ns);
  throw mismatch('-', a, b);
}

export function multiply(a: unknown, b: unknown): unknown {
  if (isNumeric(a) && isNumeric(b)) return multiplyNumbers(a, b);
  throw mismatch('*', a, b);
}

export function divide(a: unknown, b: unknown): unknown {
  if (isNumeric(a) && isNumeric(b)) return divideNumbers(a, b);
  throw mismatch('/', a, b);
}

export function remainder(a: unknown, b: unknown): unknown {
  if (!isNumeric(a) || !isNumeric(b)) throw mismatch('%', a, b);
  return remainderOfNumbers(a, b);
}

export function negate(value: unknown): unknown {
  const negated = negateNumber(value);
  if (negated === undefined) throw new Fault(`- is not defined for ${typeName(value)}`);
  return negated;
}
