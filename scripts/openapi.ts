/**
 * Writes the files that are generated from the contract: `openapi.json`, and from that the types of `packages/client`.
 * With `--check` only compares, and fails where they differ.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';

import { generateClient } from '../packages/client/scripts/generate.ts';
import { loadContract } from '../packages/contract/scripts/load-contract.ts';

const { openApiDocument } = await loadContract();
const document = openApiDocument();

const files: Record<string, string> = {
  'openapi.json': `${JSON.stringify(document, null, 2)}\n`,
  ...(await generateClient(document)),
};

for (const [name, text] of Object.entries(files)) {
  const file = new URL(`../${name}`, import.meta.url);
  if (!process.argv.includes('--check')) {
    writeFileSync(file, text);
  } else if (!existsSync(file) || text !== readFileSync(file, 'utf8')) {
    process.stderr.write(
      `${name} is not what the contract says: run "node --conditions=@hoop/source scripts/openapi.ts" and commit the outcome.\n`,
    );
    process.exitCode = 1;
  }
}
