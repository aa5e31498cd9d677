import { describe, expect, test } from 'vitest';

import { compileCondition, rulesOf } from '../testing/run-masker.ts';
import { trySample } from './try-sample.ts';

describe('trying rules on a sample', () => {
  test('shows before and after, and what each rule does in words', () => {
    const rules = rulesOf([
      { key: 'email', action: 'partial' },
      { detect: 'payment_card' },
      { path: '$.x' },
      { words: ['blue'] },
      { pattern: '[0-9]{9}', action: 'null' },
      { detect: 'financial', unless: 'identity.name == "a"' },
    ]);
    const trial = trySample(rules, 'application/json', '{"email":"alice@example.com","note":"4242424242424242"}', { compileCondition });
    expect(trial.after).toBe('{"email":"****.com","note":null}');
    expect(trial.rules.map((one) => one.maskedCount)).toEqual([1, 1, 0, 0, 1, 1]);
    expect(trial.rules.map((one) => one.explanation)).toEqual([
      'The value of every key like "email", however it is spelt, keeps its last four characters.',
      expect.stringContaining('Payment card numbers'),
      'What $.x selects is replaced by "[redacted]".',
      'Each of 1 words in a text is replaced by "[redacted]".',
      'Every match of /[0-9]{9}/ in a text becomes null.',
      expect.stringContaining('unless identity.name == "a".'),
    ]);
    expect(trial.refused).toBeNull();
  });

  test('says why the sample would be blocked or cut', () => {
    const rules = rulesOf([{ key: 'email' }]);
    expect(trySample(rules, 'image/png', 'x').refused).toContain('image/png');
    expect(trySample(rules, 'application/json', '{"a":1,').refused).toContain('not complete');
    expect(() => trySample(rulesOf([{ detect: 'nope' }]), 'application/json', '{}')).toThrow(/nope/);
  });
});
