/** Numbers of conditions: doubles, ints (bigint), uints, and numbers of a body that no double holds as written. */
import { compareExactly, WrittenNumber } from '../body/written-number.ts';
import { Fault } from './fault.ts';

/** A CEL uint, such as `1u`. */
export class Uint {
  readonly value: bigint;
  constructor(value: bigint) {
    if (value < 0n || value > maxUint) throw new Fault('the unsigned integer is out of range');
    this.value = value;
  }
}

const minInt = -(2n ** 63n);
const maxInt = 2n ** 63n - 1n;
const maxUint = 2n ** 64n - 1n;

export function inIntRange(value: bigint): bigint {
  if (value < minInt || value > maxInt) throw new Fault('the integer is out of range');
  return value;
}

export type Numeric = number | bigint | Uint | WrittenNumber;

export const isNumeric = (value: unknown): value is Numeric =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof Uint || value instanceof WrittenNumber;

export const numberInDoubt = (): Fault => new Fault('a number of the body has more digits than servers agree on', 'number');

/**
 * Whether `test` holds of the order of two numbers (-1, 0, 1; NaN where a double is none). A number that no double
 * holds is compared twice, to the last digit and rounded; where the two differ the result is a fault.
 */
export function testOrder(a: Numeric, b: Numeric, test: (order: number) => boolean): boolean | Fault {
  const left = a instanceof Uint ? a.value : a;
  const right = b instanceof Uint ? b.value : b;
  if (!(left instanceof WrittenNumber) && !(right instanceof WrittenNumber)) return test(orderOf(left, right));
  const exact = test(compareExactly(left, right));
  const rounded = orderOf(left instanceof WrittenNumber ? left.double : left, right instanceof WrittenNumber ? right.double : right);
  return exact === test(rounded) ? exact : numberInDoubt();
}

const orderOf = (a: number | bigint, b: number | bigint): number =>
  // oxlint-disable-next-line eqeqeq -- exact between bigint and number
  a < b ? -1 : a > b ? 1 : a == b ? 0 : Number.NaN;

/** A double that stands for an int exactly, as a number of a JSON body may. */
function toInt(value: Numeric): bigint | Uint {
  if (typeof value === 'bigint' || value instanceof Uint) return value;
  if (value instanceof WrittenNumber) throw numberInDoubt();
  if (!Number.isSafeInteger(value)) throw new Fault('the number is not a whole number');
  return BigInt(value);
}

type IntOperation = (a: bigint, b: bigint) => bigint;

/** An operation between ints, between uints, or between doubles (also of a double and an int, as JSON knows doubles only). */
function arithmetic(operator: string, a: Numeric, b: Numeric, ints: IntOperation, doubles: (a: number, b: number) => number): Numeric {
  if (typeof a === 'bigint' && typeof b === 'bigint') return inIntRange(ints(a, b));
  if (a instanceof Uint || b instanceof Uint) {
    if (a instanceof Uint && b instanceof Uint) return new Uint(ints(a.value, b.value));
    throw new Fault(`${operator} is not defined between uint and another kind of number`);
  }
  if (a instanceof WrittenNumber || b instanceof WrittenNumber) throw numberInDoubt();
  return doubles(Number(a), Number(b));
}

const divideInts: IntOperation = (a, b) => {
  if (b === 0n) throw new Fault('division by zero');
  return a / b;
};
const remainderOfInts: IntOperation = (a, b) => {
  if (b === 0n) throw new Fault('modulo by zero');
  return a % b;
};

export const addNumbers = (a: Numeric, b: Numeric): Numeric =>
  arithmetic(
    '+',
    a,
    b,
    (x, y) => x + y,
    (x, y) => x + y,
  );
export const subtractNumbers = (a: Numeric, b: Numeric): Numeric =>
  arithmetic(
    '-',
    a,
    b,
    (x, y) => x - y,
    (x, y) => x - y,
  );
export const multiplyNumbers = (a: Numeric, b: Numeric): Numeric =>
  arithmetic(
    '*',
    a,
    b,
    (x, y) => x * y,
    (x, y) => x * y,
  );
export const divideNumbers = (a: Numeric, b: Numeric): Numeric => arithmetic('/', a, b, divideInts, (x, y) => x / y);

export function remainderOfNumbers(a: Numeric, b: Numeric): Numeric {
  const [left, right] = [toInt(a), toInt(b)];
  return arithmetic('%', left, right, remainderOfInts, () => Number.NaN);
}

export function negate(value: unknown): unknown {
  if (typeof value === 'bigint') return inIntRange(-value);
  if (typeof value === 'number') return -value;
  if (value instanceof WrittenNumber) throw numberInDoubt();
  return undefined;
}
