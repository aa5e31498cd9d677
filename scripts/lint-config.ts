/** Writes the overrides of `.oxlintrc.json` from the table of walls; with `--check` only compares, and fails where they differ. */
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';

import { lintOverrides } from './walls/lint-rules.ts';

const file = new URL('../.oxlintrc.json', import.meta.url);
const present = readFileSync(file, 'utf8');
const configuration = JSON.parse(present) as { overrides: unknown };
configuration.overrides = lintOverrides();
const text = `${JSON.stringify(configuration, null, 2)}\n`;

if (!process.argv.includes('--check')) {
  writeFileSync(file, text);
} else if (text !== present) {
  process.stderr.write(
    'The overrides of .oxlintrc.json are not those of scripts/walls/walls.ts: run "node --conditions=@hoop/source scripts/lint-config.ts" and commit it.\n',
  );
  process.exitCode = 1;
}
