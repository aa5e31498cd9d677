/**
 * Builds `@hoop/cli`, the `hoop` that is installed where functions run: one file without dependencies, in a folder of its
 * own that `npm pack` and the Dockerfile take as it is. `node --conditions=@hoop/source apps/cli/scripts/package.ts [FOLDER]`
 */
import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { build } from 'esbuild';

import manifest from '../package.json' with { type: 'json' };

const root = path.resolve(import.meta.dirname, '../../..');

const readme = `# @hoop/cli

Runs any program through [Hoop](https://www.npmjs.com/package/@hoop/fetch): its HTTP calls are decided, get their credential, are masked and recorded, and it changes nothing.

\`\`\`
export HOOP_URL=https://hoop.example      # the control plane
hoop exec -- python job.py
\`\`\`

The machine's token is \`HOOP_TOKEN\`, in \`HOOP_TOKEN_FILE\`, or what the platform gives. \`hoop agent\` is the same as a process of its own, \`hoop ca\` gives the certificates to trust, \`hoop token\` a grant; \`hoop approvals\` and \`hoop calls\` ask the control plane with an admin token. \`hoop COMMAND --help\` says what each takes.
`;

export async function buildCliPackage(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, 'hoop.mjs');
  await build({
    absWorkingDir: root,
    entryPoints: ['apps/cli/src/remote.ts'],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22.15',
    conditions: ['@hoop/source'],
    legalComments: 'none',
    logLevel: 'warning',
    // Libraries that are not modules ask for Node's own by `require`.
    banner: {
      js: "#!/usr/bin/env node\nimport { createRequire as hoopCreateRequire } from 'node:module';\nconst require = hoopCreateRequire(import.meta.url);",
    },
  });
  chmodSync(file, 0o755);
  writeFileSync(
    path.join(folder, 'package.json'),
    `${JSON.stringify(
      {
        name: '@hoop/cli',
        version: manifest.version,
        description: 'Run any program through Hoop: its HTTP calls are decided, authenticated, masked and recorded.',
        license: manifest.license,
        type: 'module',
        bin: { hoop: 'hoop.mjs' },
        files: ['hoop.mjs'],
        engines: { node: '>=22.15' },
      },
      null,
      2,
    )}\n`,
  );
  writeFileSync(path.join(folder, 'README.md'), readme);
  copyFileSync(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'));
}

if (import.meta.main) await buildCliPackage(path.resolve(process.argv[2] ?? path.join(root, 'apps/cli/dist')));
