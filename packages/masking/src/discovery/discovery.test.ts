import { describe, expect, test } from 'vitest';

import { rulesOf, runMasker } from '../testing/run-masker.ts';
import type { RuleInput } from '../testing/run-masker.ts';
import { createDiscovery, ruleOfSuggestion } from './discovery.ts';

const body = JSON.stringify({ data: [{ contact: 'alice@example.com', note: 'x' }, { contact: 'bob@example.org', note: 'paid with 4242 4242 4242 4242' }], byId: { cus_12345: { mail: 'eve@example.net' } } });

describe('discovery', () => {
  test('suggests paths and detectors that no rule covers, counts them, and never tells a value', async () => {
    let now = 1000;
    const rules: RuleInput[] = [{ detect: 'payment_card' }];
    const parsed = rulesOf(rules);
    const discovery = createDiscovery({ now: () => now, sampleEvery: 1 });
    await runMasker({ rules, body, observer: discovery.observe('con_1', parsed) });
    now = 2000;
    await runMasker({ rules, body, observer: discovery.observe('con_1', parsed) });
    const [found] = discovery.take();
    expect(found?.connectionId).toBe('con_1');
    expect(found?.suggestions).toEqual([
      { path: '$.data[*].contact', detector: 'email', count: 4, firstSeen: 1000, lastSeen: 2000 },
      { path: '$.byId[*].mail', detector: 'email', count: 2, firstSeen: 1000, lastSeen: 2000 },
    ]);
    expect(JSON.stringify(found)).not.toContain('example');
    expect(discovery.take()).toEqual([]);
  });

  test('accepting a suggestion makes a rule that covers the field', async () => {
    const rule = ruleOfSuggestion({ path: '$.data[*].contact' });
    const { text } = await runMasker({ rules: [rule as RuleInput], body });
    expect(JSON.parse(text).data.map((one: { contact: string }) => one.contact)).toEqual(['[redacted]', '[redacted]']);
  });

  test('looks at one response of so many, whatever becomes of the rules meanwhile', () => {
    const discovery = createDiscovery({ now: () => 0, sampleEvery: 3 });
    const sampled = Array.from({ length: 7 }, () => discovery.observe('con_1', []) !== null);
    expect(sampled).toEqual([true, false, false, true, false, false, true]);
  });

  test('remembers no more fields and connections than its limits, and looks at no more values', async () => {
    const fields = createDiscovery({ now: () => 0, sampleEvery: 1, maxFields: 1, maxConnections: 1 });
    await runMasker({ rules: [{ key: 'none' }], body, observer: fields.observe('con_1', []) });
    expect(fields.take()[0]?.suggestions).toHaveLength(1);
    expect(fields.observe('con_2', [])).toBeNull();
    const values = createDiscovery({ now: () => 0, sampleEvery: 1, maxValues: 1 });
    await runMasker({ rules: [{ key: 'none' }], body, observer: values.observe('con_1', []) });
    expect(values.take()[0]?.suggestions).toEqual([expect.objectContaining({ path: '$.data[*].contact', count: 1 })]);
  });
});
