/** Writes `openapi.json` from the contract; with `--check` only compares, and fails where they differ. */
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';

import { openApiDocument } from '../packages/contract/src/index.ts';

const file = new URL('../openapi.json', import.meta.url);
const text = `${JSON.stringify(openApiDocument(), null, 2)}\n`;

if (!process.argv.includes('--check')) {
  writeFileSync(file, text);
} else if (text !== readFileSync(file, 'utf8')) {
  process.stderr.write(
    'openapi.json is not what the contract says: run "node --conditions=@hoop/source scripts/openapi.ts" and commit it.\n',
  );
  process.exitCode = 1;
}
