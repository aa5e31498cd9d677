import { AppError } from '@hoop/contract';
import type { MaskRule } from '@hoop/contract';

import { actionOf, NULL, REMOVE } from '../actions/action.ts';
import { createHashText } from '../actions/hash-text.ts';
import type { HashText } from '../actions/action.ts';
import type { Detector } from '../detectors/detector.ts';
import { detectorGroups, detectors } from '../detectors/registry.ts';
import type { Engine } from '../engine.ts';
import { maskNested } from '../formats/json/json-nested.ts';
import { compilePattern } from '../text/pattern-finder.ts';
import { TextRules } from '../text/text-rules.ts';
import type { DetectorRule, PatternRule } from '../text/text-rules.ts';
import type { WordsRule } from '../text/words-rule.ts';
import { foldKey } from './fold-key.ts';
import type { IdentityCondition, MaskingIdentity } from './identity-condition.ts';
import { JsonPathError, parseJsonPath } from './json-path.ts';
import { KeyTable } from './key-table.ts';
import { PathAutomaton } from './path-automaton.ts';
import type { PathRule } from './path-automaton.ts';

export interface MaskingOptions {
  /**
   * Key of the `hash` action, at least 16 bytes. Equal values hash alike under one key, so give every relay the same.
   * @default random: values are joinable within this process only
   */
  readonly hashKey?: Uint8Array;
  /**
   * Compiles a rule's `unless`; throws where it is not valid. It has to bound what an evaluation costs, as
   * @hoop/policy's `compileIdentityCondition` does. @default none: rules with `unless` are refused
   */
  readonly compileCondition?: (expression: string) => IdentityCondition;
}

/** The rules of a policy, compiled once. Opaque. */
export interface CompiledMasking {
  readonly rules: readonly MaskRule[];
  /** The engine for an identity; null where no rule applies to it. */
  engineFor(identity: MaskingIdentity | undefined): Engine | null;
}

interface CompiledRule {
  readonly path?: PathRule;
  readonly detectors?: readonly DetectorRule[];
  readonly pattern?: PatternRule;
  readonly words?: WordsRule;
  readonly unless?: IdentityCondition;
}

/** Sets of rules that hold for one identity or another, and are kept compiled. */
const maxEngines = 64;

/** Compiles rules. Throws `policy_invalid` with `errors: [{ path: 'mask[2].path', message }]`. */
export function compileMasking(rules: readonly MaskRule[], options: MaskingOptions = {}): CompiledMasking {
  const errors: { path: string; message: string }[] = [];
  const compileCondition = options.compileCondition ?? refuseConditions;
  const compiled = rules.map((rule, index) => compileRule(rule, `mask[${index}]`, errors, compileCondition));
  if (errors.length > 0) {
    throw new AppError('policy_invalid', `A masking rule is not valid: ${errors[0]!.path}: ${errors[0]!.message}.`, { extras: { errors } });
  }
  if (options.hashKey !== undefined && options.hashKey.length < 16) throw new TypeError('hashKey must have at least 16 bytes');
  const hash = createHashText(options.hashKey ?? crypto.getRandomValues(new Uint8Array(32)));
  const conditions = compiled.some((rule) => rule.unless !== undefined);
  const engines = new Map<string, Engine | null>();

  const engineOf = (active: readonly CompiledRule[]): Engine | null => {
    const key = conditions ? compiled.map((rule) => (active.includes(rule) ? '1' : '0')).join('') : '';
    let engine = engines.get(key);
    if (engine === undefined) {
      if (engines.size >= maxEngines) engines.clear();
      engines.set(key, (engine = active.length === 0 ? null : buildEngine(active, hash)));
    }
    return engine;
  };

  if (!conditions) {
    const engine = engineOf(compiled);
    return { rules, engineFor: () => engine };
  }
  return {
    rules,
    engineFor(identity) {
      if (identity === undefined) return engineOf(compiled);
      return engineOf(compiled.filter((rule) => rule.unless === undefined || !isExempt(rule.unless, identity)));
    },
  };
}

function compileRule(
  rule: MaskRule,
  at: string,
  errors: { path: string; message: string }[],
  compileCondition: (expression: string) => IdentityCondition,
): CompiledRule {
  const action = actionOf[rule.action];
  const attempt = <T>(member: keyof MaskRule, compile: () => T): T | undefined => {
    try {
      return compile();
    } catch (error) {
      errors.push({ path: `${at}.${member}`, message: messageOf(error) });
      return undefined;
    }
  };
  let part: CompiledRule = {};
  if (rule.path !== undefined) {
    const segments = attempt('path', () => parseJsonPath(rule.path!));
    // a document cannot be removed from itself
    if (segments !== undefined) part = { path: { segments, action: segments.length === 0 && action === REMOVE ? NULL : action } };
  } else if (rule.key !== undefined) {
    const name = attempt('key', () => folded(rule.key!));
    if (name !== undefined) part = { path: { segments: [{ descendant: true, selectors: [{ kind: 'folded', name }] }], action } };
  } else if (rule.detect !== undefined) {
    const found = attempt('detect', () => detectorsNamed(rule.detect!));
    if (found !== undefined)
      part = { detectors: found.flatMap((detector) => (detector.parts ?? [detector]).map((one) => ({ detector: one, action }))) };
  } else if (rule.pattern !== undefined) {
    const pattern = attempt('pattern', () => compilePattern(rule.pattern!));
    if (pattern !== undefined) part = { pattern: { pattern, action } };
  } else if (rule.words !== undefined) part = { words: { words: rule.words, action } };
  if (rule.unless === undefined) return part;
  const unless = attempt('unless', () => compileCondition(rule.unless!));
  return unless === undefined ? part : { ...part, unless };
}

const refuseConditions = (): never => {
  throw new Error('conditions are not evaluated here');
};

/** An error in a condition never lifts a rule. */
function isExempt(unless: IdentityCondition, identity: MaskingIdentity): boolean {
  try {
    return unless(identity);
  } catch {
    return false;
  }
}

/** The sentence of the first fault, without the place, which is ours to tell. */
function messageOf(error: unknown): string {
  const [fault] =
    error instanceof AppError && Array.isArray(error.extras['errors']) ? (error.extras['errors'] as { message?: unknown }[]) : [];
  if (typeof fault?.message === 'string') return fault.message;
  return error instanceof Error ? error.message : String(error);
}

function folded(key: string): string {
  const name = foldKey(key);
  if (name === '') throw new JsonPathError(0, 'the key has nothing but separators');
  return name;
}

function detectorsNamed(name: string): readonly Detector[] {
  const names = detectorGroups.get(name) ?? [name];
  return names.map((one) => {
    const detector = detectors.get(one);
    if (detector === undefined) {
      throw new Error(`there is no detector ${JSON.stringify(name)}; known: ${[...detectorGroups.keys(), ...detectors.keys()].join(', ')}`);
    }
    return detector;
  });
}

function buildEngine(rules: readonly CompiledRule[], hash: HashText): Engine {
  const paths = rules.flatMap((rule) => rule.path ?? []);
  const found = {
    detectors: rules.flatMap((rule) => rule.detectors ?? []),
    patterns: rules.flatMap((rule) => rule.pattern ?? []),
    words: rules.flatMap((rule) => rule.words ?? []),
  };
  const looks = found.detectors.length + found.patterns.length + found.words.length > 0;
  const text = looks ? new TextRules({ ...found, hash }) : null;
  const automaton = new PathAutomaton(paths);
  const maskName = (name: string): string | null => {
    const masked = text?.mask(name, 0);
    return masked === null || masked === undefined ? null : (masked.text ?? '[redacted]');
  };
  return {
    keys: new KeyTable(paths, maskName),
    paths: automaton,
    root: automaton.root,
    text,
    removes: paths.some((rule) => rule.action === REMOVE),
    selects: paths.length > 0,
    hash,
    maskNested,
    observer: null,
  };
}
