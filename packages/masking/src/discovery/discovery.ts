/**
 * Finds sensitive fields that no rule covers yet: detectors run over a sample of the responses and remember the path
 * and the detector, never the value. Bounded in time and memory.
 */
import { parseMediaType } from '@hoop/contract';
import type { MaskRule, MaskSuggestion } from '@hoop/contract';

import { REDACT } from '../actions/action.ts';
import { detectorGroups, detectors } from '../detectors/registry.ts';
import { formatOf } from '../response/content-type.ts';
import type { FieldObserver } from '../formats/field-observer.ts';
import { TextRules } from '../text/text-rules.ts';

export interface DiscoveryOptions {
  /** Milliseconds. */
  readonly now: () => number;
  /** One response of so many is looked at, the first of each connection always. @default 50 */
  readonly sampleEvery?: number;
  /** Values of one response that are looked at. @default 2000 */
  readonly maxValues?: number;
  /** Fields of one connection that are remembered. @default 500 */
  readonly maxFields?: number;
  /** Connections that are remembered. @default 1000 */
  readonly maxConnections?: number;
}

export interface Discovery {
  /** The observer for a response, null where it is not in the sample. `rules`: those of the connection. */
  observe(connectionId: string, rules: readonly MaskRule[]): FieldObserver | null;
  /** Takes the findings since the last call; the control plane adds them up. */
  take(): { connectionId: string; suggestions: MaskSuggestion[] }[];
}

interface Watched {
  responses: number;
  rules: readonly MaskRule[];
  text: TextRules;
  readonly found: Map<string, MaskSuggestion>;
}

const hash = (): string => '';
/** Of what a detector finds, in characters. */
const minLength = 5;

export function createDiscovery(options: DiscoveryOptions): Discovery {
  const { now, sampleEvery = 50, maxValues = 2000, maxFields = 500, maxConnections = 1000 } = options;
  const watched = new Map<string, Watched>();

  const add = (one: Watched, path: string, detector: string): void => {
    // longer than a suggestion may be: no rule could be read by a person
    if (path.length > 500) return;
    const key = `${detector} ${path}`;
    const at = now();
    const known = one.found.get(key);
    if (known !== undefined) one.found.set(key, { ...known, count: known.count + 1, lastSeen: at });
    else if (one.found.size < maxFields) one.found.set(key, { path, detector, count: 1, firstSeen: at, lastSeen: at });
  };

  return {
    observe(connectionId, rules) {
      let one = watched.get(connectionId);
      if (one === undefined || one.rules !== rules) {
        if (one === undefined && watched.size >= maxConnections) return null;
        one = { responses: one?.responses ?? 0, rules, text: notCovered(rules), found: one?.found ?? new Map() };
        watched.set(connectionId, one);
      }
      if (one.responses++ % sampleEvery !== 0) return null;
      const seen = one;
      let values = 0;
      return {
        see(text, context, path) {
          if (values >= maxValues || text.length < minLength || text.length > 4096) return;
          values++;
          const names = seen.text.detectorsIn(text, context);
          if (names.length > 0) for (const name of names) add(seen, path(), name);
        },
      };
    },
    take() {
      const all = [...watched]
        .filter(([, one]) => one.found.size > 0)
        .map(([connectionId, one]) => ({ connectionId, suggestions: [...one.found.values()] }));
      for (const one of watched.values()) one.found.clear();
      return all;
    },
  };
}

/** The detectors that no rule of the connection runs already. */
function notCovered(rules: readonly MaskRule[]): TextRules {
  const covered = new Set(rules.flatMap((rule) => (rule.detect === undefined ? [] : (detectorGroups.get(rule.detect) ?? [rule.detect]))));
  const rest = [...detectors.values()].filter((detector) => !covered.has(detector.name));
  return new TextRules({
    detectors: rest.flatMap((detector) => detector.parts ?? [detector]).map((detector) => ({ detector, action: REDACT })),
    patterns: [],
    words: [],
    hash,
  });
}

/** Whether a body of this content type has values with a path. Plain text has where it is JSON or XML by look. */
export function canBeObserved(contentType: string): boolean {
  const type = parseMediaType(contentType);
  return type !== null && type.essence !== 'text/markdown' && (formatOf(type.essence) ?? 'html') !== 'html';
}

/** The rule that accepting a suggestion makes: by path, so that later values of any form are hidden. */
export const ruleOfSuggestion = (suggestion: Pick<MaskSuggestion, 'path'>): MaskRule => ({ path: suggestion.path, action: 'redact' });
