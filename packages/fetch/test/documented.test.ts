/** docs/fetch.md shows the tests of test/unit-testing, which run beside this one, word for word. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { expect, test } from 'vitest';

test.each(['with-msw.test.ts', 'with-mock-agent.test.ts'])('docs/fetch.md shows %s as it runs', async (name) => {
  const page = await readFile(path.resolve(import.meta.dirname, '../../../docs/fetch.md'), 'utf8');
  const code = await readFile(path.join(import.meta.dirname, 'unit-testing', name), 'utf8');
  expect(page).toContain(`\`\`\`ts\n${code}\`\`\``);
});
