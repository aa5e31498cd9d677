/** Timestamps and durations of conditions: parsing, and calendar fields in a time zone. */
import { Duration, Fault, Timestamp } from './values.ts';

const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/** RFC 3339 §5.6. */
export function parseTimestamp(text: string): Timestamp {
  const ms = text.length <= 40 && rfc3339.test(text) ? Date.parse(text.toUpperCase()) : Number.NaN;
  if (Number.isNaN(ms)) throw new Fault('timestamp() needs a time such as 2026-11-24T09:00:00Z');
  return new Timestamp(ms);
}

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 0.001, µs: 0.001, ns: 0.000_001 };

/** A possibly signed sequence of numbers with units: `1h30m`, `-1.5s`. */
export function parseDuration(text: string): Duration {
  const sign = text.startsWith('-') ? -1 : 1;
  const step = /(\d{1,15}(?:\.\d{0,9})?)(ns|us|µs|ms|s|m|h)/y;
  step.lastIndex = text.startsWith('-') || text.startsWith('+') ? 1 : 0;
  let ms = 0;
  let parts = 0;
  while (text.length <= 64 && step.lastIndex < text.length) {
    const part = step.exec(text);
    if (part === null) throw new Fault('duration() needs a text such as 90s or 1h30m');
    ms += Number(part[1]) * unitMs[part[2]!]!;
    parts++;
  }
  if (parts === 0) throw new Fault('duration() needs a text such as 90s or 1h30m');
  return new Duration(sign * ms);
}

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
    const utc = new Date(at.ms);
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
  for (const { type, value } of zoneFormatter(zone).formatToParts(at.ms)) parts[type] = Number(value);
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
  getMilliseconds: (at) => ((at.ms % 1000) + 1000) % 1000,
};

export const durationFields: Readonly<Record<string, (of: Duration) => number>> = {
  getHours: (of) => Math.trunc(of.ms / 3_600_000),
  getMinutes: (of) => Math.trunc(of.ms / 60_000),
  getSeconds: (of) => Math.trunc(of.ms / 1000),
  getMilliseconds: (of) => Math.trunc(of.ms),
};
