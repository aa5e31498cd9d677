/** Each import rule bites: a violation is planted for each, in a folder laid out as the repository is. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

/** [file, what it must not import]: every line of the plan of rooms that forbids something. */
const forbidden: readonly (readonly [file: string, imported: string])[] = [
  ['packages/contract/src/a.ts', '@hoop/policy'],
  ['packages/contract/src/a.ts', '@hoop/database'],
  ['packages/fetch/src/a.ts', '@hoop/contract'],
  ['packages/embedded-postgres/src/a.ts', '@hoop/database'],
  ...['policy', 'masking', 'tokens', 'sealing', 'upstream'].flatMap((room) => [
    [`packages/${room}/src/a.ts`, '@hoop/database'] as const,
    [`packages/${room}/src/deep/er/a.ts`, '@hoop/queue'] as const,
    [`packages/${room}/src/a.ts`, '@hoop/relay'] as const,
  ]),
  ['packages/policy/src/a.ts', 'node:fs'],
  ['packages/policy/src/a.ts', 'node:fs/promises'],
  ['packages/policy/src/a.ts', 'node:crypto'],
  ['packages/queue/src/a.ts', '@hoop/database'],
  ['packages/recording/src/a.ts', '@hoop/database'],
  ['packages/credentials/src/a.ts', '@hoop/database'],
  ['packages/credentials/src/a.ts', '@prisma/client'],
  ['packages/database/src/a.ts', '@hoop/credentials'],
  ['packages/database/src/a.ts', '@hoop/control-plane'],
  ['packages/recording/src/a.ts', '@hoop/relay'],
  ['packages/recording/src/a.ts', '@hoop/testkit'],
  ['apps/relay/src/a.ts', '@hoop/database'],
  ['apps/relay/src/a.ts', '@prisma/client'],
  ['apps/relay/src/a.ts', 'pg'],
  ['apps/relay/src/a.ts', '@hoop/embedded-postgres'],
  ['apps/relay/src/a.ts', '@hoop/control-plane'],
  ['apps/relay/src/a.ts', '@hoop/worker'],
  ['apps/relay/src/a.ts', '@hoop/testkit'],
  ['apps/control-plane/src/a.ts', '@hoop/credentials'],
  ['apps/control-plane/src/a.ts', '@hoop/relay'],
  ['apps/control-plane/src/a.ts', '@hoop/cli'],
  ['apps/worker/src/a.ts', '@hoop/credentials'],
  ['apps/worker/src/a.ts', '@hoop/control-plane'],
  ['apps/cli/src/a.ts', '@hoop/credentials'],
  ['apps/relay/src/a.ts', '../../../packages/database/src/index.ts'],
  ['packages/policy/src/a.ts', '../../database/src/index.ts'],
  ['examples/payments-api/src/a.ts', '@hoop/contract'],
];

const allowed: readonly (readonly [file: string, imported: string])[] = [
  ['packages/policy/src/b.ts', '@hoop/contract'],
  ['packages/masking/src/b.ts', '@hoop/contract'],
  ['packages/credentials/src/b.ts', '@hoop/upstream'],
  ['packages/queue/src/b.ts', 'pg'],
  ['packages/testkit/src/b.ts', 'vitest'],
  ['packages/policy/src/b.test.ts', '@hoop/testkit'],
  ['packages/policy/src/c.test.ts', 'node:fs'],
  ['packages/policy/test/b.test.ts', '../src/b.ts'],
  ['apps/relay/src/b.ts', '@hoop/credentials'],
  ['apps/relay/src/deep/b.ts', '../b.ts'],
  ['apps/control-plane/src/b.ts', '@hoop/database'],
  ['apps/worker/src/b.ts', '@hoop/database'],
  ['apps/cli/src/b.ts', '@hoop/relay'],
  ['examples/nightly-billing/src/b.ts', '@hoop/fetch'],
];

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
}

let scratch: string;
let found: Diagnostic[];

async function plant(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(path.join(scratch, file)), { recursive: true });
  await writeFile(path.join(scratch, file), text);
}

const numbered = (file: string, index: number): string => file.replace(/(?<=\/)([abc])(?=\.[a-z.]*$)/, `$1${index}`);

beforeAll(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'hoop-lint-'));
  await cp(path.join(root, '.oxlintrc.json'), path.join(scratch, '.oxlintrc.json'));
  for (const [list, prefix] of [
    [forbidden, 'x'],
    [allowed, 'y'],
  ] as const) {
    for (const [index, [file, imported]] of list.entries()) {
      await plant(numbered(file, index), `import { ${prefix}${index} } from '${imported}';\nexport const used = ${prefix}${index};\n`);
    }
  }
  await plant('packages/policy/src/dynamic.ts', "export const load = () => import('node:fs');\n");
  await plant('packages/policy/src/bare.ts', "import { x } from 'fs';\nexport const used = x;\n");
  await plant('packages/queue/src/ring-one.ts', "import { two } from './ring-two.ts';\nexport const one = () => two;\n");
  await plant('packages/queue/src/ring-two.ts', "import { one } from './ring-one.ts';\nexport const two = () => one;\n");
  const output = await new Promise<string>((resolve, reject) => {
    execFile(path.join(root, 'node_modules/.bin/oxlint'), ['-f', 'json'], { cwd: scratch, maxBuffer: 16_777_216 }, (error, stdout) => {
      if (error !== null && error.code !== 1) reject(error);
      else resolve(stdout);
    });
  });
  found = (JSON.parse(output) as { diagnostics: Diagnostic[] }).diagnostics;
});

afterAll(() => rm(scratch, { recursive: true, force: true }));

const rulesBrokenIn = (file: string): string[] => found.filter((one) => one.filename === file).map((one) => one.code);

describe('import rules', () => {
  for (const [index, [file, imported]] of forbidden.entries()) {
    test(`${path.dirname(file)} never imports ${imported}`, () => {
      expect(rulesBrokenIn(numbered(file, index))).toContain('eslint(no-restricted-imports)');
    });
  }

  for (const [index, [file, imported]] of allowed.entries()) {
    test(`${path.dirname(file)}/${path.basename(file)} may import ${imported}`, () => {
      expect(rulesBrokenIn(numbered(file, index))).toEqual([]);
    });
  }

  test('a dynamic import is an import', () => {
    expect(rulesBrokenIn('packages/policy/src/dynamic.ts')).toContain('eslint(no-restricted-imports)');
  });

  test("a module of Node's own is named with node:, so that the rules see it", () => {
    expect(rulesBrokenIn('packages/policy/src/bare.ts')).toContain('unicorn(prefer-node-protocol)');
  });

  test('modules do not import each other in a ring', () => {
    expect(rulesBrokenIn('packages/queue/src/ring-one.ts')).toContain('import(no-cycle)');
  });
});

describe('dependencies of rooms', () => {
  const dependencies = new Map<string, string[]>();

  beforeAll(async () => {
    for (const folder of ['packages', 'apps', 'examples']) {
      for (const name of await readdir(path.join(root, folder))) {
        const file = path.join(root, folder, name, 'package.json');
        const text = await readFile(file, 'utf8').catch(() => undefined);
        if (text === undefined) continue;
        const manifest = JSON.parse(text) as { name: string; dependencies?: Record<string, string> };
        dependencies.set(manifest.name, Object.keys(manifest.dependencies ?? {}));
      }
    }
  });

  function reach(from: string, seen: Set<string> = new Set()): Set<string> {
    for (const name of dependencies.get(from) ?? []) {
      if (seen.has(name)) continue;
      seen.add(name);
      reach(name, seen);
    }
    return seen;
  }

  test('the relay reaches no database client, not even through another room', () => {
    const all = reach('@hoop/relay');
    expect(all).toContain('@hoop/credentials');
    expect(
      [...all].filter((name) =>
        ['@hoop/database', '@prisma/client', '@prisma/adapter-pg', 'prisma', '@hoop/embedded-postgres'].includes(name),
      ),
    ).toEqual([]);
  });

  test('control plane and worker reach nothing that obtains credentials', () => {
    for (const app of ['@hoop/control-plane', '@hoop/worker']) expect(reach(app)).not.toContain('@hoop/credentials');
  });

  test('the SDK has no dependency', () => {
    expect(dependencies.get('@hoop/fetch')).toEqual([]);
  });

  test('no room depends on the testkit when it runs', () => {
    for (const [name, list] of dependencies) expect(list, name).not.toContain('@hoop/testkit');
  });
});
