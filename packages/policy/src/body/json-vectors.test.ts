/** The cases of JSONTestSuite (nst/JSONTestSuite, MIT), one file each: `y_` must be read, `n_` must not, `i_` may be either. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { inspectBody } from './inspected-body.ts';
import type { InspectedBody } from './inspected-body.ts';

const folder = path.join(import.meta.dirname, '../../../../test/vectors/masking/json');

function inSlices(bytes: Uint8Array, characters: number): InspectedBody {
  const inspection = inspectBody(bytes, 'application/json');
  while (!inspection.advance(characters));
  return inspection.result();
}

/** Valid JSON that servers read differently. */
const ambiguous = new Set([
  'y_object_duplicated_key.json',
  'y_object_duplicated_key_and_value.json',
  'i_object_key_lone_2nd_surrogate.json',
]);

test.each(readdirSync(folder).toSorted())('%s', (file) => {
  const bytes = readFileSync(path.join(folder, file));
  const { bodyState } = inSlices(bytes, 1_000_000_000);
  expect(inSlices(bytes, 7).bodyState).toBe(bodyState);
  if (ambiguous.has(file)) expect(bodyState).toBe('ambiguous');
  else if (file.startsWith('y_')) expect(bodyState).toBe('parsed');
  else if (file.startsWith('n_')) expect(['malformed', 'too_complex', 'absent']).toContain(bodyState);
});
