/** Checks docs/masking.md: its figures for detectors and events are those measured, and its example policy can be saved. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { notificationEvents, policyContentSchema } from '@hoop/contract';
import { compileMasking } from '@hoop/masking';
import { compileIdentityCondition, parsePolicy } from '@hoop/policy';
import { beforeAll, expect, test } from 'vitest';

import { readCorpus, score } from '../../packages/masking/src/detectors/corpus.ts';
import { detectorGroups, detectors } from '../../packages/masking/src/detectors/registry.ts';

let text: string;
beforeAll(async () => {
  text = await readFile(path.join(import.meta.dirname, '../../docs/masking.md'), 'utf8');
});

test('the table of detectors has each with its measured precision and recall', () => {
  const table = [...text.matchAll(/^\| `(\w+)` \| .* \| (\d\.\d\d) \| (\d\.\d\d) \|$/gm)].map(([, name, precision, recall]) => [
    name,
    precision,
    recall,
  ]);
  const measured = [...detectors.keys()].map((name) => {
    const { precision, recall } = score(name, readCorpus(name));
    return [name, precision.toFixed(2), recall.toFixed(2)];
  });
  expect(table).toEqual(measured);
});

test('the example is a valid policy, masking included', () => {
  const example: unknown = JSON.parse(/```json\n(.*?)```/s.exec(text)![1]!);
  const policy = policyContentSchema.parse(example);
  expect(parsePolicy(example).errors).toEqual([]);
  for (const mask of [policy.mask, ...policy.rules.map((rule) => rule.mask ?? [])])
    compileMasking(mask, { compileCondition: compileIdentityCondition });
});

test('the groups and the event that it names exist', () => {
  for (const group of detectorGroups.keys()) expect(text).toContain(`\`${group}\``);
  expect(notificationEvents).toContain('credential.reflected');
  expect(text).toContain('`credential.reflected`');
});
