import { AppError } from '@hoop/contract';
import { describe, expect, test } from 'vitest';

import { compileCondition, rulesOf, runMasker } from '../testing/run-masker.ts';
import { compileMasking } from './compile-masking.ts';

describe('compiling masking rules', () => {
  test('says of every rule what is wrong and where', () => {
    const rules = rulesOf([
      { path: '$[-1]' },
      { detect: 'shoe_size' },
      { pattern: '(' },
      { pattern: 'x*' },
      { key: '_-' },
      { key: 'a', unless: 'identity.' },
      { key: 'a', unless: 'identity.name' },
      { key: 'fine' },
    ]);
    const error = (() => {
      try {
        return void compileMasking(rules, { compileCondition });
      } catch (reason) {
        return reason as AppError;
      }
    })()!;
    expect(error).toBeInstanceOf(AppError);
    expect(error.code).toBe('policy_invalid');
    const errors = error.extras['errors'] as { path: string; message: string }[];
    expect(errors.map((one) => one.path)).toEqual([
      'mask[0].path',
      'mask[1].detect',
      'mask[2].pattern',
      'mask[3].pattern',
      'mask[4].key',
      'mask[5].unless',
      'mask[6].unless',
    ]);
    expect(errors[0]!.message).toContain('one pass');
    expect(errors[1]!.message).toContain('payment_card');
    expect(errors[3]!.message).toContain('empty text');
  });

  test('lifts a rule for the identities that its condition names, and never by an error in it', async () => {
    const identity = { name: 'auditor', issuer: 'i', subject: 's', claims: { team: 'audit' }, labels: { env: 'prod' } };
    const other = { ...identity, name: 'nightly', claims: {} };
    const rules = [
      { key: 'pin', unless: 'identity.name == "auditor"' },
      { key: 'iban', unless: 'identity.claims.team == "audit"' },
    ];
    const body = '{"pin":1,"iban":2}';
    expect((await runMasker({ rules, body, identity })).text).toBe(body);
    expect((await runMasker({ rules, body, identity: other })).text).toBe('{"pin":"[redacted]","iban":"[redacted]"}');
    expect((await runMasker({ rules, body })).text).toBe('{"pin":"[redacted]","iban":"[redacted]"}');
  });

  test('evaluates no condition but by the compiler that it is given, whose faults it tells as they are', () => {
    const rules = rulesOf([{ key: 'pin', unless: 'true' }]);
    expect(() => compileMasking(rules)).toThrow(/mask\[0\]\.unless: conditions are not evaluated here/);
    const identity = { name: 'a', issuer: 'i', subject: 's', claims: {}, labels: {} };
    const masking = compileMasking(rules, { compileCondition: () => (one) => one.name === 'a' });
    expect(masking.engineFor(identity)).toBeNull();
    expect(masking.engineFor({ ...identity, name: 'b' })).not.toBeNull();
    const fault = new AppError('policy_invalid', 'long', { extras: { errors: [{ path: 'unless', message: 'is odd' }] } });
    const refuse = (): never => {
      throw fault;
    };
    expect(() => compileMasking(rules, { compileCondition: refuse })).toThrow(/mask\[0\]\.unless: is odd\./);
    const throwing = compileMasking(rules, { compileCondition: () => refuse });
    expect(throwing.engineFor(identity)).not.toBeNull();
  });

  test('where several rules select one place, the one that hides most wins, whatever their order', async () => {
    for (const rules of [
      [
        { key: 'pin', action: 'partial' },
        { path: '$.pin', action: 'redact' },
      ],
      [
        { path: '$.pin', action: 'redact' },
        { key: 'pin', action: 'partial' },
      ],
    ] as const) {
      expect((await runMasker({ rules: [...rules], body: '{"pin":"1234567890"}' })).text).toBe('{"pin":"[redacted]"}');
    }
  });

  test('hashes alike under one key, and differently under another', () => {
    expect(() => compileMasking([], { hashKey: new Uint8Array(8) })).toThrow(/16 bytes/);
  });

  test('patterns and words work on characters outside the BMP and on numbers', async () => {
    const { text } = await runMasker({
      rules: [{ pattern: '[a-c]{3}|77' }, { words: ['Bluebird'], action: 'null' }],
      body: '["😀abc😀","xabcx",1774,"the BLUEBIRD flies","Bluebird"]',
    });
    expect(text).toBe('["😀[redacted]😀","x[redacted]x","1[redacted]4",null,null]');
  });
});
