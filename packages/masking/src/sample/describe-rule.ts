import type { MaskRule } from '@hoop/contract';

import { detectorGroups, detectors } from '../detectors/registry.ts';

const actions: Readonly<Record<MaskRule['action'], string>> = {
  redact: 'is replaced by "[redacted]"',
  remove: 'is removed',
  partial: 'keeps its last four characters',
  hash: 'is replaced by a keyed hash, equal for equal values',
  null: 'becomes null',
};

/** One sentence for people. */
export function describeRule(rule: MaskRule): string {
  const condition = rule.unless === undefined ? '' : `, unless ${rule.unless}`;
  return `${subject(rule)} ${actions[rule.action]}${condition}.`;
}

function subject(rule: MaskRule): string {
  if (rule.path !== undefined) return `What ${rule.path} selects`;
  if (rule.key !== undefined) return `The value of every key like ${JSON.stringify(rule.key)}, however it is spelt,`;
  if (rule.pattern !== undefined) return `Every match of /${rule.pattern}/ in a text`;
  if (rule.words !== undefined) return `Each of ${rule.words.length} words in a text`;
  const names = detectorGroups.get(rule.detect ?? '') ?? [rule.detect ?? ''];
  const summaries = names.map((name) => detectors.get(name)?.summary.replace(/[.:].*$/, '') ?? name);
  return `What the detectors find (${summaries.join('; ')})`;
}
