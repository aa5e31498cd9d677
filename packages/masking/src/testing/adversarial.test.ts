/** Work for each byte is bounded for any bytes and rules. */
import { parseMediaType } from '@hoop/contract';
import { describe, expect, test } from 'vitest';

import { enterWorkplace } from '../formats/workplace.ts';
import { Malformed } from '../formats/machine.ts';
import { formatOf } from '../response/content-type.ts';
import { compileMasking } from '../rules/compile-masking.ts';
import type { CompiledMasking } from '../rules/compile-masking.ts';
import { trySample } from '../sample/try-sample.ts';
import { laterStepsPerByte, laterStepsPerByteAndPattern, stepsPerByte, stepsPerByteAndPattern } from '../text/work.ts';
import { adversaries } from './adversarial.ts';
import type { Adversary } from './adversarial.ts';
import { hashKey, rulesOf, runMasker } from './run-masker.ts';

interface Cost {
  readonly steps: number;
  readonly hiddenValues: number;
  readonly maskedCount: number;
  readonly cpuMicros: number;
}

/** A body in one piece through the machine of its format, and what that took. */
function costOf(masking: CompiledMasking, type: string, body: Uint8Array): Cost {
  const parsed = parseMediaType(type)!;
  const place = enterWorkplace({
    engine: masking.engineFor(undefined)!,
    format: formatOf(parsed.essence)!,
    type: parsed,
    unmaskedContentTypes: [],
  });
  const before = process.cpuUsage();
  try {
    place.machine.write(body);
    place.machine.end();
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
  }
  const { user, system } = process.cpuUsage(before);
  const cost = {
    steps: place.work.spent,
    hiddenValues: place.work.hiddenValues,
    maskedCount: place.tally.maskedCount,
    cpuMicros: user + system,
  };
  place.leave();
  return cost;
}

const compiled = (one: Adversary): CompiledMasking => compileMasking(rulesOf(one.rules), { hashKey });
/** Steps that the account holds when a body begins, for each byte of its 64 KiB, and what one find may overdraw it by. */
const accountBytes = 65_536;
const overdraft = 300_000;

describe('adversarial bodies', () => {
  test.each(adversaries)('$name: the steps that are counted are at most what its bytes pay for', (one) => {
    const masking = compiled(one);
    const patterns = one.rules.filter((rule) => rule.pattern !== undefined).length;
    const perByte = stepsPerByte + stepsPerByteAndPattern * patterns;
    for (const n of [2000, 40_000]) {
      const body = Buffer.from(one.body(n));
      const { steps, hiddenValues } = costOf(masking, one.type, body);
      expect(steps).toBeLessThan(perByte * (accountBytes + body.length) + overdraft * (1 + hiddenValues));
    }
  });

  test('what V8 runs, the expressions of the detectors, does not take longer for each byte of a longer text', () => {
    for (const one of adversaries.filter(({ name }) => /^(?:text|value)/.test(name))) {
      const masking = compiled(one);
      const perByte = (n: number): number => {
        const body = Buffer.from(one.body(n));
        return Math.min(...[1, 2].map(() => costOf(masking, one.type, body).cpuMicros)) / body.length;
      };
      // a quadratic one takes sixteen times as long for each byte
      expect(perByte(32_768), one.name).toBeLessThan(5 * perByte(2048) + 2);
    }
  });

  const quadratic = { pattern: 'a.*b|a' };

  test('a body that has emptied its account pays for fewer steps from there on', () => {
    const masking = compileMasking(rulesOf([quadratic]), { hashKey });
    const body = Buffer.alloc(1_000_000, 'a');
    const { steps, hiddenValues } = costOf(masking, 'text/plain', body);
    expect(hiddenValues).toBeGreaterThan(10);
    const first = (stepsPerByte + stepsPerByteAndPattern) * accountBytes;
    const later = (laterStepsPerByte + laterStepsPerByteAndPattern) * body.length;
    expect(steps).toBeLessThan(first + later + overdraft);
  });

  test('a value whose patterns cost too much is hidden whole, and that is told in the report and to who tries it', async () => {
    const body = 'a'.repeat(200_000);
    const { text, report } = await runMasker({ rules: [quadratic], type: 'text/plain', body });
    expect(text).not.toContain('a'.repeat(10));
    expect(report.hiddenValues).toBeGreaterThan(0);
    const trial = trySample(rulesOf([quadratic]), 'text/plain', 'a'.repeat(40_000));
    expect(trial.after).toBe('[redacted]');
    expect(trial.hiddenValues).toBe(1);
    expect(trySample(rulesOf([quadratic]), 'text/plain', 'a lot of bananas').hiddenValues).toBe(0);
  });

  test('values after it are masked one by one again, as far as the bytes between pay for them', async () => {
    const records = Array.from({ length: 4000 }, (_, i) => `{"t":"${i === 0 ? 'a'.repeat(60_000) : `xyz a ${i}`}"}`);
    const { text, report } = await runMasker({ rules: [quadratic], type: 'application/x-ndjson', body: records.join('\n') });
    expect(text.startsWith('{"t":"[redacted]"}\n')).toBe(true);
    expect(text.endsWith('{"t":"xyz [redacted] 3999"}')).toBe(true);
    expect(report.hiddenValues).toBeGreaterThan(0);
    expect(report.hiddenValues).toBeLessThan(1000);
  });

  test('one body does not pay for another, nor a header for a body', async () => {
    const masking = compileMasking(rulesOf([quadratic]), { hashKey });
    const dear = Buffer.from(JSON.stringify('a'.repeat(60_000)));
    const cheap = Buffer.from('"a b c"');
    expect(costOf(masking, 'application/json', dear).hiddenValues).toBe(1);
    expect(costOf(masking, 'application/json', cheap)).toMatchObject({ hiddenValues: 0, maskedCount: 1 });
    const { headers } = await runMasker({
      rules: [quadratic],
      headers: [
        ['content-type', 'application/json'],
        ['x-note', 'x a c'],
        ['x-long', 'a'.repeat(20_000)],
      ],
      body: dear,
    });
    expect(headers).toContainEqual(['x-note', 'x [redacted] c']);
    expect(headers).toContainEqual(['x-long', '[redacted]']);
  });

  test('a text with a match that is longer than a match may be is hidden whole', async () => {
    const rules = [{ pattern: 'x+' }];
    const at = async (length: number): Promise<string> =>
      (await runMasker({ rules, body: JSON.stringify(`a${'x'.repeat(length)}b`) })).text;
    expect(await at(16_384)).toBe('"a[redacted]b"');
    expect(await at(16_385)).toBe('"[redacted]"');
  });

  test('a pattern of too many instructions is refused when it is compiled', () => {
    expect(() => compileMasking(rulesOf([{ pattern: '[a-z]{400}x[a-z]{400}x[a-z]{400}' }]))).toThrow(
      /mask\[0\]\.pattern: .*too large.*at most 1000/,
    );
  });

  test('ordinary texts with many rules never use up what their bytes pay for', async () => {
    const rules = [
      ...['[A-Z]{2}[0-9]{6}', '\\bEMP-[0-9]{4,8}\\b', '(?i)order\\s+no\\.?\\s*[0-9]+', '[0-9]{3}-[0-9]{2}-[0-9]{4}', 'cus_\\w+'].map(
        (pattern) => ({ pattern }),
      ),
      { words: ['bluebird', 'magenta'] },
      { detect: 'personal' },
      { detect: 'financial' },
      { detect: 'credential' },
    ];
    const sentence = 'The order no. 4711 of EMP-12345 went out on 3 May to Mrs. Jane Doe, phone 415 555 2671, cus_8sd7f6, AB123456. ';
    for (const [type, body] of [
      ['text/plain', `${sentence}\n`.repeat(3000)],
      ['text/plain', sentence.repeat(3000)],
      ['application/json', JSON.stringify(sentence.repeat(3000))],
      [
        'application/json',
        JSON.stringify(Array.from({ length: 3000 }, (_, i) => ({ id: i, text: sentence, phone: '0151 23456789', plan: 'gold' }))),
      ],
    ] as const) {
      const { report } = await runMasker({ rules, type, body });
      expect(report.hiddenValues, type).toBe(0);
    }
  });
});
