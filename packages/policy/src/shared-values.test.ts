import { describe, expect, it } from 'vitest';

import { sharedValues } from './shared-values.ts';

describe('shared values', () => {
  it('are made once for a text', () => {
    const values = sharedValues<object>(10_000);
    const first = values.get('a', () => ({}));
    expect(values.get('a', () => ({}))).toBe(first);
    expect(values.get('b', () => ({}))).not.toBe(first);
  });

  it('are forgotten, all of them, when their texts grow too long', () => {
    const values = sharedValues<object>(10_000);
    const first = values.get('a', () => ({}));
    values.get('x'.repeat(9_000), () => ({}));
    expect(values.get('a', () => ({}))).toBe(first);
    values.get('y'.repeat(9_000), () => ({}));
    expect(values.get('a', () => ({}))).not.toBe(first);
  });

  it('are not kept where making them fails', () => {
    const values = sharedValues<number>(10_000);
    expect(() =>
      values.get('a', () => {
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(values.get('a', () => 1)).toBe(1);
  });
});
