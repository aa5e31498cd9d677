/** The functions that conditions may call. Regular expressions are RE2 (linear time) and not part of this table. */
import { durationFields, durationText, floorSeconds, parseDuration, parseTimestamp, timestampFields, timestampText } from './time.ts';
import { WrittenNumber } from '../body/written-number.ts';
import { inIntRange, numberInDoubt, Uint } from './numbers.ts';
import { charge, Duration, Fault, isMap, stringCost, Timestamp, typeName } from './values.ts';
import type { Meter } from './values.ts';

export type ConditionFunction = (args: readonly unknown[], meter: Meter) => unknown;

/** An argument that must be a string. */
function textOf(name: string, value: unknown): string {
  if (typeof value !== 'string') throw notFor(name, value);
  return value;
}

const notFor = (name: string, value: unknown): Fault => new Fault(`${name}() is not defined for ${typeName(value)}`);

function text(name: string, value: unknown, meter: Meter): string {
  if (typeof value !== 'string') throw notFor(name, value);
  charge(meter, stringCost(value));
  return value;
}

function index(name: string, value: unknown, limit: number): number {
  const at = Number(value);
  if ((typeof value !== 'bigint' && typeof value !== 'number') || !Number.isSafeInteger(at) || at < 0 || at > limit)
    throw new Fault(`${name}(): the index is out of range`);
  return at;
}

function size(value: unknown, meter: Meter): bigint {
  if (typeof value === 'string') {
    charge(meter, value.length);
    let count = 0n;
    for (const _character of value) count++;
    return count;
  }
  if (Array.isArray(value)) return BigInt(value.length);
  if (isMap(value)) {
    const { length } = Object.keys(value);
    charge(meter, length);
    return BigInt(length);
  }
  throw notFor('size', value);
}

function toIntValue(value: unknown): bigint {
  if (value instanceof WrittenNumber) throw numberInDoubt();
  if (typeof value === 'bigint') return value;
  if (value instanceof Uint) return inIntRange(value.value);
  if (typeof value === 'number' && Number.isFinite(value)) return wholeInRange(value);
  if (typeof value === 'string' && value.length <= 20 && /^[+-]?\d+$/.test(value)) return inIntRange(BigInt(value.replace(/^\+/, '')));
  if (value instanceof Timestamp) return floorSeconds(value);
  throw new Fault(`int(): the ${typeName(value)} is not a whole number`);
}

/** Neither bound itself: a double next to it could have been rounded to it. */
function wholeInRange(value: number): bigint {
  if (!(value > -(2 ** 63) && value < 2 ** 63)) throw new Fault('the integer is out of range');
  return BigInt(Math.trunc(value));
}

function toUint(value: unknown): Uint {
  if (value instanceof WrittenNumber) throw numberInDoubt();
  if (value instanceof Uint) return value;
  if (typeof value === 'bigint') return new Uint(value);
  if (typeof value === 'number' && value > -1 && value < 2 ** 64) return new Uint(BigInt(Math.trunc(value)));
  if (typeof value === 'string' && value.length <= 20 && /^\d+$/.test(value)) return new Uint(BigInt(value));
  throw new Fault(`uint(): the ${typeName(value)} is not an unsigned whole number`);
}

function toDouble(value: unknown): number {
  if (value instanceof WrittenNumber) throw numberInDoubt();
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint) return Number(value.value);
  if (typeof value === 'string' && value.length <= 64 && /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(value)) return Number(value);
  throw new Fault(`double(): the ${typeName(value)} is not a number`);
}

function toText(value: unknown): string {
  if (value instanceof WrittenNumber) throw numberInDoubt();
  if (typeof value === 'string') return value;
  if (value instanceof Uint) return String(value.value);
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Duration) return durationText(value);
  throw notFor('string', value);
}

function toBool(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  if (value === 'true') return true;
  if (value === 'false') return false;
  throw new Fault(`bool(): the ${typeName(value)} is neither true nor false`);
}

const asciiCase = (value: string, from: RegExp, to: (text: string) => string): string => value.replace(from, to);

/** `name(args)`. */
export const plainFunctions: ReadonlyMap<string, ConditionFunction> = new Map<string, ConditionFunction>([
  ['size', ([value], meter) => size(value, meter)],
  ['dyn', ([value]) => value],
  ['int', ([value]) => toIntValue(value)],
  ['uint', ([value]) => toUint(value)],
  ['double', ([value]) => toDouble(value)],
  ['string', ([value]) => toText(value)],
  ['bool', ([value]) => toBool(value)],
  [
    'timestamp',
    ([value]) => {
      if (value instanceof Timestamp) return value;
      return typeof value === 'string' ? parseTimestamp(value) : new Timestamp(toIntValue(value) * 1_000_000_000n);
    },
  ],
  [
    'duration',
    ([value]) => {
      if (value instanceof Duration) return value;
      if (typeof value !== 'string') throw notFor('duration', value);
      return parseDuration(value);
    },
  ],
]);

const receiverFunctions = new Map<string, ConditionFunction>([
  ['size', ([value], meter) => size(value, meter)],
  ['startsWith', ([value, part], meter) => text('startsWith', value, meter).startsWith(text('startsWith', part, meter))],
  ['endsWith', ([value, part], meter) => text('endsWith', value, meter).endsWith(text('endsWith', part, meter))],
  ['contains', ([value, part], meter) => text('contains', value, meter).includes(text('contains', part, meter))],
  ['lowerAscii', ([value], meter) => asciiCase(text('lowerAscii', value, meter), /[A-Z]+/g, (part) => part.toLowerCase())],
  ['upperAscii', ([value], meter) => asciiCase(text('upperAscii', value, meter), /[a-z]+/g, (part) => part.toUpperCase())],
  ['trim', ([value], meter) => text('trim', value, meter).trim()],
  [
    'indexOf',
    ([value, part, from], meter) => {
      const whole = text('indexOf', value, meter);
      return BigInt(whole.indexOf(text('indexOf', part, meter), from === undefined ? 0 : index('indexOf', from, whole.length)));
    },
  ],
  [
    'lastIndexOf',
    ([value, part, from], meter) => {
      const whole = text('lastIndexOf', value, meter);
      const start = from === undefined ? Number.POSITIVE_INFINITY : index('lastIndexOf', from, whole.length);
      return BigInt(whole.lastIndexOf(text('lastIndexOf', part, meter), start));
    },
  ],
  [
    'substring',
    ([value, start, end], meter) => {
      const whole = text('substring', value, meter);
      const to = end === undefined ? whole.length : index('substring', end, whole.length);
      return whole.slice(index('substring', start, to), to);
    },
  ],
  [
    'split',
    ([value, separator, limit], meter) => {
      const whole = text('split', value, meter);
      charge(meter, whole.length);
      const parts = whole.split(text('split', separator, meter));
      const most = limit === undefined ? -1 : Number(limit);
      if (most === 0) return [];
      if (most < 0 || parts.length <= most) return parts;
      return [...parts.slice(0, most - 1), parts.slice(most - 1).join(String(separator))];
    },
  ],
  [
    'join',
    ([value, separator], meter) => {
      if (!Array.isArray(value)) throw notFor('join', value);
      charge(meter, value.length);
      const between = separator === undefined ? '' : text('join', separator, meter);
      // each use of the separator is paid for: a long one times many elements is a way to make much of little
      charge(meter, (value.length * between.length) >>> 5);
      return value.map((item) => text('join', item, meter)).join(between);
    },
  ],
]);

for (const name of new Set([...Object.keys(timestampFields), ...Object.keys(durationFields)])) {
  receiverFunctions.set(name, ([value, zone], meter) => {
    charge(meter, zone === undefined ? 1 : 100);
    if (value instanceof Duration && name in durationFields && zone === undefined) return durationFields[name]!(value);
    if (value instanceof Timestamp && name in timestampFields)
      return BigInt(Math.floor(timestampFields[name]!(value, zone === undefined ? undefined : textOf(name, zone))));
    throw notFor(name, value);
  });
}

/** `receiver.name(args)`; the receiver is the first argument. */
export const methodFunctions: ReadonlyMap<string, ConditionFunction> = receiverFunctions;
