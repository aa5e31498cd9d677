/** Comments become descriptions: the reader of `scripts/openapi.ts`. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { callWithComments, readDoc } from './doc-comments.ts';
import { describeValue } from './load-contract.ts';

const transformed = (source: string): string => callWithComments(source, 'x.ts');

describe('a comment', () => {
  it('goes to the member that it is before, at any depth', () => {
    expect(transformed('export const a = f({ /** One. */ x: { /** Two. */ y: 1, z: 2 } });')).toBe(
      'export const a = f({ /** One. */ x: __describe({ /** Two. */ y: __describe(1, "Two."), z: 2 }, "One.") });',
    );
  });

  it('goes to an exported constant, and to a member without a value of its own', () => {
    expect(transformed('/** A. */\nexport const a = f({ /** B. */ b });')).toBe(
      '/** A. */\nexport const a = __describe(f({ /** B. */ b: __describe(b, "B.") }), "A.");',
    );
  });

  it('of several lines is one paragraph, and stays where it is where no value follows', () => {
    expect(
      transformed('/**\n * One\n * sentence.\n */\nexport const a = 1;\n/** Type. */\nexport interface A {\n  /** M. */ m: 1 }'),
    ).toContain('__describe(1, "One sentence.")');
    expect(transformed('/** File. */\nimport a from "a";\nconst x = 1; // no\n/* no */ export const y = 2;')).not.toContain('__describe');
  });

  it('with @default is a description and a default', () => {
    expect(readDoc('Bytes. @default 0')).toEqual({ description: 'Bytes.', fallback: '0' });
    expect(describeValue(z.int().default(5), 'Bytes. @default 5')).toHaveProperty('description', 'Bytes.');
    expect(describeValue(z.int().default(1024), 'Bytes. @default 1 KiB')).toHaveProperty('description', 'Bytes. The default is 1 KiB.');
  });

  it('that says another default than the schema is refused', () => {
    expect(() => describeValue(z.int().default(5), 'Bytes. @default 6')).toThrow("the schema's default is 5");
  });
});
