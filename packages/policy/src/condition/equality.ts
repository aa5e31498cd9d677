/**
 * Equality in three values. The CEL specification has values of different types unequal. For values that came with the
 * request that is true only where no common server takes one for the other: PHP reads `role[]=admin` and Express a
 * repeated name as a list, many languages read `"10"` as 10, Go reads null as zero. Where a server could take them for
 * equal the comparison has no value, and so a restricting rule restricts and an allow does not allow.
 */
import { couldBeSameName, foldName } from '../body/member-names.ts';
import { isNumeric, testOrder } from './numbers.ts';
import type { Numeric } from './numbers.ts';
import { charge, Duration, Fault, isMap, maskedValue, mismatch, stringCost, Timestamp, typeName } from './values.ts';
import type { Meter } from './values.ts';

const isSame = (order: number): boolean => order === 0;
const maskedPart = (): Fault => new Fault('a part of a compared value is masked or not kept in the recording', 'masked');
const doubtful = (a: unknown, b: unknown): Fault =>
  typeof a === typeof b && typeName(a) === typeName(b)
    ? new Fault('two values differ only in what some servers do not look at')
    : new Fault(`a ${typeName(a)} is compared with a ${typeName(b)}, and some servers take them for equal`);

/**
 * Deep equality. Charges a unit per element.
 * @param isWide whether one of the two came with the request
 */
export function equality(a: unknown, b: unknown, isWide: boolean, meter: Meter): boolean | Fault {
  if (a === maskedValue || b === maskedValue) return maskedPart();
  if (typeof a === 'string' && typeof b === 'string') return equalTexts(a, b, isWide, meter);
  if (isNumeric(a) && isNumeric(b)) return testOrder(a, b, isSame);
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return equalLists(a, b, isWide, meter);
  if (isMap(a) && isMap(b)) return equalMaps(a, b, isWide, meter);
  if (a instanceof Timestamp && b instanceof Timestamp) return a.ns === b.ns;
  if (a instanceof Duration && b instanceof Duration) return a.ns === b.ns;
  if (isWide && typeName(a) !== typeName(b) && couldBeEqual(a, b, meter)) return doubtful(a, b);
  return false;
}

function equalTexts(a: string, b: string, isWide: boolean, meter: Meter): boolean | Fault {
  if (a.length === b.length) {
    charge(meter, stringCost(a));
    if (a === b) return true;
  }
  if (!isWide || (!a.includes('\0') && !b.includes('\0'))) return false;
  charge(meter, stringCost(a) + stringCost(b));
  return untilNul(a) === untilNul(b) ? doubtful(a, b) : false;
}

const untilNul = (text: string): string => text.split('\0', 1)[0]!;

/** A pair that differs decides; else a pair that is not known. */
function allEqual(results: Iterable<boolean | Fault>): boolean | Fault {
  let fault: Fault | undefined;
  for (const result of results) {
    if (result === false) return false;
    if (result instanceof Fault && fault?.kind !== 'masked') fault = result;
  }
  return fault ?? true;
}

function equalLists(a: readonly unknown[], b: readonly unknown[], isWide: boolean, meter: Meter): boolean | Fault {
  if (a.length !== b.length) return false;
  return allEqual(
    a.values().map((item, i) => {
      charge(meter, 1);
      return equality(item, b[i], isWide, meter);
    }),
  );
}

type MapValue = Readonly<Record<string, unknown>>;

function equalMaps(a: MapValue, b: MapValue, isWide: boolean, meter: Meter): boolean | Fault {
  const names = Object.keys(a);
  charge(meter, names.length);
  if (names.length !== Object.keys(b).length) return false;
  const folded = isWide ? new Map(Object.keys(b).map((name) => [foldName(name), name])) : undefined;
  return allEqual(
    names.values().map((name) => {
      if (Object.hasOwn(b, name)) return equality(a[name], b[name], isWide, meter);
      const other = folded?.get(foldName(name));
      if (other === undefined) return false;
      const result = equality(a[name], b[other], isWide, meter);
      return result === true ? new Fault('the names of two members differ only in what some servers do not look at') : result;
    }),
  );
}

/** Whether some server takes two values of different types for equal. */
function couldBeEqual(a: unknown, b: unknown, meter: Meter): boolean {
  const [left, right] = [partsOf(a), partsOf(b)];
  if (left !== null && right !== null) {
    // a map in the place of a list, as PHP and qs number its members
    if (left.length !== right.length) return false;
    return left.every((item, i) => equality(item, right[i], true, meter) !== false);
  }
  if (left !== null) return couldHold(left, b, meter);
  if (right !== null) return couldHold(right, a, meter);
  if (a instanceof Timestamp || a instanceof Duration || b instanceof Timestamp || b instanceof Duration) return true;
  charge(meter, 8);
  const readings = readingsOf(a);
  return readingsOf(b).some((reading) => readings.includes(reading));
}

const partsOf = (value: unknown): readonly unknown[] | null => (Array.isArray(value) ? value : isMap(value) ? Object.values(value) : null);

function couldHold(parts: readonly unknown[], scalar: unknown, meter: Meter): boolean {
  if (parts.length === 0) return readingsOf(scalar).includes('');
  charge(meter, parts.length);
  if (typeof scalar === 'string' && scalar.includes(',') && parts.every((part) => typeof part === 'string')) {
    charge(meter, stringCost(scalar));
    if (scalar.split(',', parts.length + 1).every((text, i) => text.trim() === (parts[i] as string | undefined)?.trim())) return true;
  }
  return parts.some((part) => equality(part, scalar, true, meter) !== false);
}

const nothing = ['', 'null', '0', 'false'];

/** Lists the values that servers may convert a scalar to. */
function readingsOf(value: unknown): readonly string[] {
  if (value === null || value === undefined) return nothing;
  if (value === true) return ['true', '1', 'on', 'yes', 't', 'y'];
  if (value === false) return [...nothing, 'off', 'no', 'f', 'n'];
  if (isNumeric(value)) return readingsOfNumber(value);
  if (typeof value !== 'string' || value.length > 64) return [];
  const text = value.trim().toLowerCase();
  // JavaScript's Number takes 0x10, parseInt and PHP take 10 of "10 EUR"
  const numbers = [Number(text), Number.parseFloat(text), Number.parseInt(text, 10)].filter((one) => !Number.isNaN(one));
  return [text, ...numbers.map(String)];
}

function readingsOfNumber(value: Numeric): readonly string[] {
  const number =
    typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : 'double' in value ? value.double : Number(value.value);
  return number === 0 ? nothing : [String(number)];
}

/**
 * Membership in a list, or of a name in a map. What is equal decides; else what could be.
 * @param isDoubtfulName whether a server could find the name in the map although it is not there
 */
export function membership(
  value: unknown,
  container: unknown,
  isWide: boolean,
  meter: Meter,
  isDoubtfulName: (map: MapValue, name: string) => boolean,
): boolean | Fault {
  if (Array.isArray(container)) {
    let fault: Fault | undefined;
    for (const item of container) {
      charge(meter, 1);
      const result = equality(value, item, isWide, meter);
      if (result === true) return true;
      if (result instanceof Fault && fault?.kind !== 'masked') fault = result;
    }
    return fault ?? false;
  }
  if (!isMap(container) || typeof value !== 'string') return mismatch('in', value, container);
  if (Object.hasOwn(container, value)) return true;
  return isDoubtfulName(container, value) ? nameInDoubt(value) : false;
}

export const nameInDoubt = (source: string): Fault => new Fault(`\`${source}\` is spelled in a way that some servers take for it`);

/** Names of members as values, as a quantifier over a map sees them: equal, or a fault where a server could take one for the other. */
export const equalNames = (a: unknown, b: unknown): boolean | Fault =>
  a === b ? true : typeof a === 'string' && typeof b === 'string' && couldBeSameName(a, b) ? nameInDoubt(b) : false;
