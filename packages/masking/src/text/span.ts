import type { Action } from '../actions/action.ts';

/** A place in a text, UTF-16 offsets. */
export interface Span {
  start: number;
  end: number;
  action: Action;
}

/** Sorts, and joins what overlaps under the action that hides most. */
export function merge(spans: Span[]): Span[] {
  spans.sort((a, b) => a.start - b.start || b.end - a.end);
  const merged: Span[] = [];
  for (const span of spans) {
    const last = merged.at(-1);
    if (last !== undefined && span.start < last.end) {
      last.end = Math.max(last.end, span.end);
      last.action = Math.max(last.action, span.action);
    } else merged.push(span);
  }
  return merged;
}
