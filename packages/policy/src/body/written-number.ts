/**
 * Numbers of a JSON body that a double does not hold as they are written: `9007199254740993`, `10000.0000000000001`,
 * `1e999`. One server reads every digit and the next rounds, so a comparison has a value only where both agree.
 */

/** The value is sign × 0.digits × 10^exponent; `digits` has no zero at either end and is empty for zero. */
interface Decimal {
  readonly sign: -1 | 0 | 1;
  readonly digits: string;
  readonly exponent: number;
}

export class WrittenNumber {
  /** As in the body: a number by RFC 8259 §6. */
  readonly literal: string;

  constructor(literal: string) {
    this.literal = literal;
  }

  /** As a server reads it that rounds; perhaps infinite. */
  get double(): number {
    return Number(this.literal);
  }
}

/** Up to so many characters every decimal number comes back from a double as it was (15 significant digits). */
const alwaysExact = 15;

/** A plain number where it is what is written, to the last digit. */
export function readNumber(literal: string): number | WrittenNumber {
  const value = Number(literal);
  if (literal.length <= alwaysExact && !/[eE]/.test(literal)) return value;
  if (!Number.isFinite(value)) return new WrittenNumber(literal);
  return compareDecimals(decimalOf(literal), decimalOf(String(value))) === 0 ? value : new WrittenNumber(literal);
}

type AnyNumber = number | bigint | WrittenNumber;

/** The order of two numbers to the last digit; doubles count as what is written to get them, as 0.1. */
export function compareExactly(a: AnyNumber, b: AnyNumber): number {
  const [left, right] = [textOf(a), textOf(b)];
  if (left === null || right === null) return Number.NaN;
  return compareDecimals(decimalOf(left), decimalOf(right));
}

function textOf(value: AnyNumber): string | null {
  if (value instanceof WrittenNumber) return value.literal;
  if (typeof value === 'bigint' || Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? null : value > 0 ? '1e400000000000000' : '-1e400000000000000';
}

/** @param literal of the form of a number of JSON, or of one of JavaScript's texts for a finite number */
function decimalOf(literal: string): Decimal {
  const [, minus, whole = '', fraction = '', power = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal)!;
  const all = whole + fraction;
  const first = all.search(/[1-9]/);
  if (first < 0) return { sign: 0, digits: '', exponent: 0 };
  let end = all.length;
  while (all.charCodeAt(end - 1) === 0x30) end--;
  return { sign: minus === '' ? 1 : -1, digits: all.slice(first, end), exponent: whole.length - first + Number(power) };
}

function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.sign !== b.sign) return a.sign < b.sign ? -1 : 1;
  if (a.exponent !== b.exponent) return a.exponent < b.exponent ? -a.sign : a.sign;
  if (a.digits === b.digits) return 0;
  return a.digits < b.digits ? -a.sign : a.sign;
}
