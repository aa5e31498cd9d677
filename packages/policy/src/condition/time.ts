/** Timestamps and durations of conditions: parsing, and calendar fields in a time zone. */
import { Duration, Fault, Timestamp } from './values.ts';

const rfc3339 = /^(\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/;

const nanosPerSecond = 1_000_000_000n;
const nanosPerMs = 1_000_000n;

/** RFC 3339 §5.6. */
export function parseTimestamp(text: string): Timestamp {
  const parts = text.length <= 40 ? rfc3339.exec(text) : null;
  const ms = parts === null ? Number.NaN : Date.parse(`${parts[1]}${parts[3]}`.toUpperCase());
  if (Number.isNaN(ms)) throw new Fault('timestamp() needs a time such as 2026-11-24T09:00:00Z');
  return new Timestamp(BigInt(ms) * nanosPerMs + BigInt((parts![2] ?? '').padEnd(9, '0')));
}

const unitNanos: Readonly<Record<string, bigint>> = {
  h: 3600n * nanosPerSecond,
  m: 60n * nanosPerSecond,
  s: nanosPerSecond,
  ms: nanosPerMs,
  us: 1000n,
  µs: 1000n,
  ns: 1n,
};

/** A possibly signed sequence of numbers with units: `1h30m`, `-1.5s`. */
export function parseDuration(text: string): Duration {
  const sign = text.startsWith('-') ? -1n : 1n;
  const step = /(\d{1,15})(?:\.(\d{0,9}))?(ns|us|µs|ms|s|m|h)/y;
  step.lastIndex = text.startsWith('-') || text.startsWith('+') ? 1 : 0;
  let nanos = 0n;
  let parts = 0;
  while (text.length <= 64 && step.lastIndex < text.length) {
    const part = step.exec(text);
    if (part === null) throw new Fault('duration() needs a text such as 90s or 1h30m');
    const unit = unitNanos[part[3]!]!;
    nanos += BigInt(part[1]!) * unit + (BigInt((part[2] ?? '').padEnd(9, '0')) * unit) / nanosPerSecond;
    parts++;
  }
  if (parts === 0) throw new Fault('duration() needs a text such as 90s or 1h30m');
  return new Duration(sign * nanos);
}

/** The fraction of a second without zeros at its end: `.5`, or nothing. */
const fractionText = (nanos: bigint): string => (nanos === 0n ? '' : `.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`);

/** Rounded down, as that of a time before 1970 as well. */
export const floorSeconds = ({ ns }: Timestamp): bigint => (ns - remainderOf(ns, nanosPerSecond)) / nanosPerSecond;

const remainderOf = (value: bigint, divisor: bigint): bigint => ((value % divisor) + divisor) % divisor;

/** RFC 3339 in UTC, with as many digits of a second as it needs. */
export const timestampText = (at: Timestamp): string =>
  new Date(millisecondsOf(at)).toISOString().replace(/\.\d{3}Z$/, `${fractionText(remainderOf(at.ns, nanosPerSecond))}Z`);

/** In seconds: `5400s`, `-1.5s`. */
export function durationText({ ns }: Duration): string {
  const size = ns < 0n ? -ns : ns;
  return `${ns < 0n ? '-' : ''}${size / nanosPerSecond}${fractionText(size % nanosPerSecond)}s`;
}

const millisecondsOf = ({ ns }: Timestamp): number => Number((ns - remainderOf(ns, nanosPerMs)) / nanosPerMs);

interface CalendarFields {
  readonly year: number;
  /** 0 is January. */
  readonly month: number;
  readonly date: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Throws RangeError for a zone that does not exist. The zones of conditions are literals, so the cache is bounded by them. */
export function zoneFormatter(zone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(zone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US-u-ca-iso8601', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    if (formatters.size >= 1000) formatters.clear();
    formatters.set(zone, formatter);
  }
  return formatter;
}

function calendarFields(at: Timestamp, zone: string | undefined): CalendarFields {
  if (zone === undefined) {
    const utc = new Date(millisecondsOf(at));
    return {
      year: utc.getUTCFullYear(),
      month: utc.getUTCMonth(),
      date: utc.getUTCDate(),
      hours: utc.getUTCHours(),
      minutes: utc.getUTCMinutes(),
      seconds: utc.getUTCSeconds(),
    };
  }
  const parts: Record<string, number> = {};
  for (const { type, value } of zoneFormatter(zone).formatToParts(millisecondsOf(at))) parts[type] = Number(value);
  return {
    year: parts['year']!,
    month: parts['month']! - 1,
    date: parts['day']!,
    hours: parts['hour']!,
    minutes: parts['minute']!,
    seconds: parts['second']!,
  };
}

const dayMs = 86_400_000;

/** CEL's accessors: month, day of month, week and year count from 0, the date from 1, Sunday is 0. */
export const timestampFields: Readonly<Record<string, (at: Timestamp, zone: string | undefined) => number>> = {
  getFullYear: (at, zone) => calendarFields(at, zone).year,
  getMonth: (at, zone) => calendarFields(at, zone).month,
  getDate: (at, zone) => calendarFields(at, zone).date,
  getDayOfMonth: (at, zone) => calendarFields(at, zone).date - 1,
  getDayOfWeek: (at, zone) => {
    const { year, month, date } = calendarFields(at, zone);
    return new Date(Date.UTC(year, month, date)).getUTCDay();
  },
  getDayOfYear: (at, zone) => {
    const { year, month, date } = calendarFields(at, zone);
    return (Date.UTC(year, month, date) - Date.UTC(year, 0, 1)) / dayMs;
  },
  getHours: (at, zone) => calendarFields(at, zone).hours,
  getMinutes: (at, zone) => calendarFields(at, zone).minutes,
  getSeconds: (at, zone) => calendarFields(at, zone).seconds,
  getMilliseconds: (at) => ((millisecondsOf(at) % 1000) + 1000) % 1000,
};

/** Of a duration `getMilliseconds` is the part that is left over from its seconds; the others are of the whole. */
export const durationFields: Readonly<Record<string, (of: Duration) => bigint>> = {
  getHours: ({ ns }) => ns / (3600n * nanosPerSecond),
  getMinutes: ({ ns }) => ns / (60n * nanosPerSecond),
  getSeconds: ({ ns }) => ns / nanosPerSecond,
  getMilliseconds: ({ ns }) => (ns / nanosPerMs) % 1000n,
};
