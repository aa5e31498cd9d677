import { describe, expect, test } from 'vitest';

import { rulesOf, runMasker } from '../testing/run-masker.ts';
import type { RuleInput } from '../testing/run-masker.ts';
import { createDiscovery, ruleOfSuggestion } from './discovery.ts';

const body = JSON.stringify({
  data: [
    { contact: 'alice@example.com', note: 'x' },
    { contact: 'bob@example.org', note: 'paid with 4242 4242 4242 4242' },
  ],
  byId: { cus_12345: { mail: 'eve@example.net' } },
});

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

  const multipart = [
    '--b',
    'Content-Disposition: form-data; name="who"',
    '',
    'eve@example.net',
    '--b',
    'Content-Type: application/json',
    '',
    '{"by":{"mail":"bob@example.org"}}',
    '--b--',
    '',
  ].join('\r\n');
  test.each<[string, string, Record<string, string>]>([
    ['application/x-ndjson', '{"a":"alice@example.com"}\n{"a":"bob@example.org"}\n', { '$.a': 'email' }],
    ['application/json-seq', '\u001e{"a":["alice@example.com"]}\n', { '$.a[*]': 'email' }],
    [
      'text/event-stream',
      'id: 1\nevent: x\ndata: {"a":{"b":\ndata: "alice@example.com"}}\n\ndata: bob@example.org\n\n',
      { '$.a.b': 'email' },
    ],
    ['text/plain', '  {"a":"alice@example.com"}', { '$.a': 'email' }],
    [
      'application/x-www-form-urlencoded',
      'id=1&user[mail]=alice%40example.com&items[0][ip]=203.0.113.77&tags[]=eve%40example.net&first_name=Alice',
      { '$.user.mail': 'email', '$.items[*].ip': 'ip_address', '$["tags[]"]': 'email', '$.first_name': 'person_name' },
    ],
    [
      'text/csv',
      'id,E-Mail,phone\n1,alice@example.com,+41 44 668 18 00\n2,"bob@example.org",\n',
      { '$[*]["E-Mail"]': 'email', '$[*].phone': 'phone' },
    ],
    ['text/csv; header=absent', '1;alice@example.com\n', { '$[*]["1"]': 'email' }],
    [
      'application/xml',
      '<c:list xmlns:c="urn:c"><c:item by="eve@example.net"><c:mail>alice&#64;example.com</c:mail></c:item><c:item/></c:list>',
      { '$.list.item.by': 'email', '$.list.item.mail': 'email' },
    ],
    ['multipart/form-data; boundary=b', multipart, { '$.who': 'email', '$.by.mail': 'email' }],
  ])('sees the fields of %s, and a rule for the path that it tells covers them', async (type, content, expected) => {
    const discovery = createDiscovery({ now: () => 0, sampleEvery: 1 });
    const rules: RuleInput[] = [{ key: 'nothing is called so' }];
    const before = await runMasker({ rules, type, body: content, observer: discovery.observe('con_1', []) });
    expect(before.error).toBeNull();
    // It looks, and changes nothing.
    expect(before.text).toBe((await runMasker({ rules, type, body: content })).text);
    const found = discovery.take()[0]!.suggestions;
    expect(Object.fromEntries(found.map((one) => [one.path, one.detector]))).toEqual(expected);
    expect(JSON.stringify(found)).not.toMatch(/example|Alice|668/);
    const after = found.map((one) => ruleOfSuggestion(one) as RuleInput);
    const { text } = await runMasker({ rules: after, type, body: content, observer: discovery.observe('con_1', []) });
    expect(text.replace('data: bob@example.org', '')).not.toMatch(/alice|eve[@%]|bob|203|668/i);
    expect(discovery.take()).toEqual([]);
  });

  test('tells nothing of what is in names that are values, in any format', async () => {
    const discovery = createDiscovery({ now: () => 0, sampleEvery: 1 });
    for (const [type, content] of [
      ['application/x-www-form-urlencoded', 'by[eve%40example.net][mail]=eve%40example.net'],
      ['text/csv', 'Eve,eve@example.net\nEve,eve@example.net\n'],
      ['text/csv', 'Eve,17\nEve,eve@example.net\n'],
      ['application/xml', '<a><b12345>eve@example.net</b12345></a>'],
    ] as const) {
      await runMasker({ rules: [{ key: 'none' }], type, body: content, observer: discovery.observe('con_1', []) });
    }
    expect(
      discovery
        .take()[0]!
        .suggestions.map((one) => one.path)
        .toSorted(),
    ).toEqual(['$.a[*]', '$.by[*][*].mail']);
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
