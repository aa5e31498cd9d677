/** Flags that choose calls, as the API's filters name them. */
import { durationSeconds } from '@hoop/contract';
import type { ParseArgsOptionsConfig } from 'node:util';

import { StartError } from '../start-error.ts';

const names = [
  'identity',
  'connection',
  'decision',
  'rule',
  'state',
  'status',
  'error',
  'method',
  'path',
  'trace',
  'since',
  'until',
] as const;

export const filterOptions = Object.fromEntries(names.map((name) => [name, { type: 'string' }])) as Record<
  (typeof names)[number],
  { type: 'string' }
> satisfies ParseArgsOptionsConfig;

export const filterHelp = `  --identity NAME  --connection NAME  --decision allow|deny|require_context|require_approval  --rule NAME
  --state pending|completed|failed|aborted|refused|unknown  --status CODE  --error CODE
  --method METHOD  --path PATH (a "*" at its end: every path that starts so)  --trace ID
  --since, --until TIME    RFC 3339, or how long ago: 30m, 12h, 30d`;

/** RFC 3339 of an instant, or of so long before `now`. @throws StartError */
export function instantOf(flag: string, text: string, now: number): string {
  if (/^[1-9][0-9]{0,5}[smhd]$/.test(text)) return new Date(now - durationSeconds(text) * 1000).toISOString();
  const ms = Date.parse(text);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(ms))
    throw new StartError(`--${flag} must be a time such as 2026-11-24T08:00:00Z, or how long ago: 30m, 12h, 30d.`);
  return new Date(ms).toISOString();
}

/** @throws StartError */
export function readFilters(values: Partial<Record<(typeof names)[number], string | undefined>>, now: number): Record<string, string> {
  const filters: Record<string, string> = {};
  for (const name of names) {
    const value = values[name];
    if (value === undefined) continue;
    filters[name] = name === 'since' || name === 'until' ? instantOf(name, value, now) : name === 'method' ? value.toUpperCase() : value;
  }
  return filters;
}

/** A whole number of a flag. @throws StartError */
export function numberOf(flag: string, text: string | undefined, fallback: number, least: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d+(?:\.\d+)?$/.test(text) || value < least) throw new StartError(`--${flag} must be a number, at least ${least}.`);
  return value;
}
