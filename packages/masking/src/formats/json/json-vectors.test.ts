/**
 * The cases of JSONTestSuite (nst/JSONTestSuite, MIT), one file each: `y_` must pass, `n_` must be cut, `i_` may do
 * either, but must do the same in any chunks. An empty body is left out: it has nothing to mask.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, test } from 'vitest';

import { runMasker } from '../../testing/run-masker.ts';

const folder = path.join(import.meta.dirname, '../../../../../test/vectors/masking/json');

describe('verdicts on published JSON parsing vectors', () => {
  for (const file of readdirSync(folder).toSorted()) {
    test(file, async () => {
      const body = new Uint8Array(readFileSync(path.join(folder, file)));
      const sizes = body.length > 5000 ? [[body.length], [997]] : [[body.length], [1], [2], [5, 3]];
      const runs = await Promise.all(sizes.map((chunks) => runMasker({ rules: [{ key: 'no such key' }], body, chunks })));
      for (const run of runs) {
        if (file.startsWith('y_')) {
          expect(run.error).toBeNull();
          expect([...run.bytes]).toEqual([...body]);
        } else if (file.startsWith('n_')) expect(run.error?.code).toBe('unmaskable_response');
        else {
          expect(run.error?.code).toBe(runs[0]!.error?.code);
          if (run.error === null) expect(() => JSON.parse(run.text)).not.toThrow();
        }
      }
    });
  }
});
