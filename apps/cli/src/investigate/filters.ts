/** Flags that choose calls, as the API's filters name them. */
import { durationSeconds } from '@hoop/contract';
import type { Command } from 'commander';

import { StartError } from '../start-error.ts';

/** The options, by name, with their value's name and description. */
const filters = {
  identity: ['name', 'of this identity'],
  connection: ['name', 'to this connection'],
  decision: ['effect', 'allow, deny, require_context or require_approval'],
  rule: ['name', 'decided by this rule'],
  state: ['state', 'pending, completed, failed, aborted, refused or unknown'],
  status: ['code', 'answered with this status'],
  error: ['code', 'ended with this error'],
  method: ['method', 'of this method'],
  path: ['path', 'of this path (a "*" at its end: every path that starts so)'],
  trace: ['id', 'of this trace'],
  since: ['time', 'RFC 3339, or how long ago: 30m, 12h, 30d'],
  until: ['time', 'the same'],
} as const;
type FilterName = keyof typeof filters;
const names = Object.keys(filters) as FilterName[];

/** Values of the options that `addFilterOptions` adds. */
export type FilterFlags = Readonly<Partial<Record<FilterName, string>>>;

/** The options that choose calls. */
export function addFilterOptions(command: Command): Command {
  for (const name of names) {
    const [value, description] = filters[name];
    command.option(`--${name} <${value}>`, description);
  }
  return command;
}

/** RFC 3339 of an instant, or of so long before `now`. @throws StartError */
export function instantOf(flag: string, text: string, now: number): string {
  if (/^[1-9][0-9]{0,5}[smhd]$/.test(text)) return new Date(now - durationSeconds(text) * 1000).toISOString();
  const ms = Date.parse(text);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(ms))
    throw new StartError(`--${flag} must be a time such as 2026-11-24T08:00:00Z, or how long ago: 30m, 12h, 30d.`);
  return new Date(ms).toISOString();
}

/** @throws StartError */
export function readFilters(flags: FilterFlags, now: number): Record<string, string> {
  const chosen: Record<string, string> = {};
  for (const name of names) {
    const value = flags[name];
    if (value === undefined) continue;
    chosen[name] = name === 'since' || name === 'until' ? instantOf(name, value, now) : name === 'method' ? value.toUpperCase() : value;
  }
  return chosen;
}

/** A whole number of a flag. @throws StartError */
export function numberOf(flag: string, text: string | undefined, fallback: number, least: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d+(?:\.\d+)?$/.test(text) || value < least) throw new StartError(`--${flag} must be a number, at least ${least}.`);
  return value;
}
