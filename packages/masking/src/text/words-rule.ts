import type { Action } from '../actions/action.ts';

export interface WordsRule {
  readonly words: readonly string[];
  readonly action: Action;
}
