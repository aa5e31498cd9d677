/** The table of walls is what the code really imports, and each kind of breach is found: by the lint rules and by the import graph. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { lintOverrides } from '../../scripts/walls/lint-rules.ts';
import { walls } from '../../scripts/walls/walls.ts';
import { breachesOf, emptyUse, placeOf, type RoomUse } from './walls.ts';

const root = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

const isTest = (file: string): boolean =>
  /\.test\.ts$|\/testing\/|^packages\/(?:credentials|masking)\/src\/(?:.*\/)?testing\.ts$|^packages\/masking\/src\/detectors\/corpus\.ts$|^packages\/testkit\//.test(
    file,
  );

/** Every source file of a room that is not a test; files that git ignores are generated, and left out. */
async function productFiles(): Promise<string[]> {
  const { stdout } = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'apps', 'packages', 'examples'], {
    cwd: root,
    maxBuffer: 16_777_216,
  });
  return stdout
    .split('\n')
    .filter((file) => /\.tsx?$/.test(file) && placeOf(file) !== null && !isTest(file))
    .filter((file, index, all) => all.indexOf(file) === index);
}

describe('the real import graph', () => {
  const uses = new Map<string, RoomUse>();
  const breaches: string[] = [];

  beforeAll(async () => {
    const files = await productFiles();
    expect(files.length).toBeGreaterThan(300);
    for (const file of files) {
      const text = await readFile(path.join(root, file), 'utf8').catch(() => null);
      if (text === null) continue;
      const { room } = placeOf(file)!;
      const use = uses.get(room) ?? emptyUse();
      uses.set(room, use);
      breaches.push(...breachesOf(file, text, use));
    }
  });

  test('passes no wall', () => {
    expect(breaches).toEqual([]);
  });

  test('needs every opening that the table names', () => {
    for (const [room, wall] of Object.entries(walls)) {
      const use = uses.get(room) ?? emptyUse();
      expect([...use.packages].toSorted(), `packages of ${room}`).toEqual([...wall.packages].toSorted());
      expect([...use.node].toSorted(), `node modules of ${room}`).toEqual([...wall.node].toSorted());
      expect([...use.environment], `readers of the environment of ${room}`).toEqual(
        wall.environment === undefined ? [] : [wall.environment],
      );
      expect([...use.loads].toSorted(), `loaders of ${room}`).toEqual([...(wall.loads ?? [])].toSorted());
    }
  });

  test('has a wall for every room, and a manifest that says the same', async () => {
    const rooms: string[] = [];
    for (const folder of ['packages', 'apps', 'examples']) {
      for (const name of await readdir(path.join(root, folder))) {
        const text = await readFile(path.join(root, folder, name, 'package.json'), 'utf8').catch(() => null);
        if (text === null || name === 'testkit') continue;
        const room = `${folder}/${name}`;
        rooms.push(room);
        const { dependencies = {} } = JSON.parse(text) as { dependencies?: Record<string, string> };
        const wall = walls[room]!;
        // The command that generates the database's client, and the library that the generated code imports.
        const tools = room === 'packages/database' ? ['@prisma/client', 'prisma'] : [];
        expect(Object.keys(dependencies).toSorted(), room).toEqual([...wall.packages, ...(wall.starts ?? []), ...tools].toSorted());
      }
    }
    expect(rooms.toSorted()).toEqual(Object.keys(walls).toSorted());
  });

  test('root and tools resolve nothing that a room could import by mistake', async () => {
    const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as Record<string, Record<string, string>>;
    const names = Object.keys({ ...manifest['dependencies'], ...manifest['devDependencies'] });
    const allowed = [
      '@hoop/cli',
      '@hoop/fetch',
      '@types/node',
      'knip',
      'oxfmt',
      'oxlint',
      'oxlint-tsgolint',
      'prisma',
      'typescript',
      'vitest',
    ];
    expect(names.filter((name) => !allowed.includes(name))).toEqual([]);
  });
});

test('the lint configuration is the one that the table makes', async () => {
  const configuration = JSON.parse(await readFile(path.join(root, '.oxlintrc.json'), 'utf8')) as { overrides: unknown };
  expect(configuration.overrides).toEqual(JSON.parse(JSON.stringify(lintOverrides())));
});

const used = (line: string, name: string): string => `${line}\nexport const used = ${name};\n`;

/** [sentence, file, text]: one breach of each kind. */
const planted: readonly (readonly [sentence: string, file: string, text: string])[] = [
  ['a package that is not in the list', 'apps/relay/src/p1.ts', used("import express from 'express';", 'express')],
  ['a database client under another name', 'apps/relay/src/p2.ts', used("import postgres from 'postgres';", 'postgres')],
  ['the database in the data path', 'apps/relay/src/data-path/p3.ts', used("import { db } from '@hoop/database';", 'db')],
  ['another app', 'apps/worker/src/p4.ts', used("import { x } from '@hoop/control-plane';", 'x')],
  ['an app in a package', 'packages/recording/src/p5.ts', used("import { x } from '@hoop/relay';", 'x')],
  ['createRequire', 'packages/tokens/src/p6.ts', used("import { createRequire } from 'node:module';", 'createRequire(import.meta.url)')],
  ['a dynamic import', 'packages/policy/src/p7.ts', "export const load = () => import('node:fs');\n"],
  ['a re-export', 'packages/sealing/src/p8.ts', "export { readFile } from 'node:fs/promises';\n"],
  ['a type of a package that is not in the list', 'packages/policy/src/p9.ts', "import type { Pool } from 'pg';\nexport type P = Pool;\n"],
  ['tests by a relative path', 'apps/relay/src/p10.ts', used("import { world } from '../test/world.ts';", 'world')],
  ['test code beside the sources', 'packages/masking/src/p11.ts', used("import { x } from './testing/fuzz.ts';", 'x')],
  ["another room's source by a path", 'packages/policy/src/p12.ts', used("import { db } from '../../database/src/index.ts';", 'db')],
  ['the testkit', 'packages/recording/src/p13.ts', used("import { x } from '@hoop/testkit';", 'x')],
  [
    'process.env away from its file',
    'apps/control-plane/src/p14.ts',
    "import process from 'node:process';\nexport const home = process.env['HOME'];\n",
  ],
  [
    'openSecrets in the control plane',
    'apps/control-plane/src/p15.ts',
    used("import { openSecrets } from '@hoop/sealing';", 'openSecrets'),
  ],
  [
    'openSecrets in the worker, by its package as a whole',
    'apps/worker/src/p16.ts',
    used("import * as sealing from '@hoop/sealing';", 'sealing.openSecrets'),
  ],
  ['a connection of its own by node:http', 'apps/control-plane/src/p17.ts', used("import { request } from 'node:http';", 'request')],
  ['a connection of its own by the module as a whole', 'apps/relay/src/p18.ts', used("import net from 'node:net';", 'net.connect')],
  ['a room without a wall', 'packages/unheard-of/src/p19.ts', used("import { x } from 'zod';", 'x')],
  ['ours in an example', 'examples/payments-api/src/p20.ts', used("import { x } from '@hoop/contract';", 'x')],
  ['Node in pure decisions', 'packages/policy/src/p21.ts', used("import { hash } from 'node:crypto';", 'hash')],
  ['a longer name that begins like an allowed one', 'packages/contract/src/p22.ts', used("import { z } from 'zodx';", 'z')],
];

/** Breaches by globals: scopes decide, so the lint rules alone find them. */
const plantedGlobals: typeof planted = [
  ['global fetch', 'apps/worker/src/g1.ts', "export const get = () => fetch('http://127.0.0.1/');\n"],
  ['globalThis.fetch', 'packages/tokens/src/g2.ts', 'export const get = globalThis.fetch;\n'],
  ['WebSocket', 'apps/control-plane/src/g3.ts', "export const open = () => new WebSocket('ws://127.0.0.1/');\n"],
  ['require', 'packages/recording/src/g4.ts', "export const load = () => require('pg');\n"],
  ['process.getBuiltinModule', 'packages/policy/src/g5.ts', "export const load = () => process.getBuiltinModule('fs');\n"],
];

const allowed: readonly (readonly [file: string, text: string])[] = [
  ['packages/policy/src/a1.ts', used("import { x } from '@hoop/contract';", 'x')],
  ['packages/credentials/src/a2.ts', used("import { x } from '@hoop/upstream';", 'x')],
  ['packages/queue/src/a3.ts', used("import { Pool } from 'pg';", 'new Pool()')],
  ['packages/policy/src/a4.test.ts', used("import { x } from '@hoop/testkit';", 'x')],
  ['packages/policy/src/a5.test.ts', used("import { readFile } from 'node:fs/promises';", 'readFile')],
  ['apps/relay/src/context.ts', used("import { openSecrets } from '@hoop/sealing';", 'openSecrets')],
  ['apps/relay/src/deep/a6.ts', used("import { x } from '../a7.ts';", 'x')],
  ['apps/relay/src/main.ts', "export const home = process.env['HOME'];\n"],
  [
    'apps/relay/src/a8.ts',
    "import type { Socket } from 'node:net';\nimport { createServer } from 'node:http';\nexport const used = createServer;\nexport type S = Socket;\n",
  ],
  ['examples/nightly-billing/src/a9.ts', "import { fetch } from '@hoop/fetch';\nexport const used = fetch('x');\n"],
];

describe('a planted breach is found by the lint rules', () => {
  let scratch: string;
  let found: { code: string; filename: string }[];

  beforeAll(async () => {
    scratch = await mkdtemp(path.join(os.tmpdir(), 'hoop-lint-'));
    await cp(path.join(root, '.oxlintrc.json'), path.join(scratch, '.oxlintrc.json'));
    const files = [...planted, ...plantedGlobals].map(([, file, text]) => [file, text] as const);
    const rings = [
      ['packages/queue/src/ring-one.ts', "import { two } from './ring-two.ts';\nexport const one = () => two;\n"],
      ['packages/queue/src/ring-two.ts', "import { one } from './ring-one.ts';\nexport const two = () => one;\n"],
      ['packages/queue/src/types-one.ts', "import type { Two } from './types-two.ts';\nexport interface One { two: Two }\n"],
      ['packages/queue/src/types-two.ts', "import type { One } from './types-one.ts';\nexport interface Two { one: One }\n"],
      ['packages/policy/src/bare.ts', "import { x } from 'fs';\nexport const used = x;\n"],
    ] as const;
    for (const [file, text] of [...files, ...allowed, ...rings]) {
      await mkdir(path.dirname(path.join(scratch, file)), { recursive: true });
      await writeFile(path.join(scratch, file), text);
    }
    // oxlint exits with 1 where it finds something, as it must here.
    const { stdout } = await run(path.join(root, 'node_modules/.bin/oxlint'), ['-f', 'json'], {
      cwd: scratch,
      maxBuffer: 16_777_216,
    }).catch((error: { code?: number; stdout: string }) => {
      if (error.code !== 1) throw error;
      return error;
    });
    found = (JSON.parse(stdout) as { diagnostics: typeof found }).diagnostics;
  });

  afterAll(() => rm(scratch, { recursive: true, force: true }));

  const codesOf = (file: string): string[] => found.filter((one) => one.filename === file).map((one) => one.code);

  test.each(planted.filter(([sentence]) => sentence !== 'openSecrets in the worker, by its package as a whole'))(
    '%s',
    (_sentence, file) => {
      expect(codesOf(file).join()).toMatch(/no-restricted-(?:imports|properties)/);
    },
  );
  test.each(planted)('%s: by the import graph too', (_sentence, file, text) => {
    expect(breachesOf(file, text)).not.toEqual([]);
  });
  test.each(plantedGlobals)('%s', (_sentence, file) => {
    expect(codesOf(file).join()).toMatch(/no-restricted-(?:globals|properties)/);
  });
  test.each(allowed)('and nothing is found in %s', (file, text) => {
    expect(codesOf(file)).toEqual([]);
    if (!file.endsWith('.test.ts')) expect(breachesOf(file, text)).toEqual([]);
  });
  test('a ring of imports, and one of types alone', () => {
    expect(codesOf('packages/queue/src/ring-one.ts')).toContain('import(no-cycle)');
    expect(codesOf('packages/queue/src/types-one.ts')).toContain('import(no-cycle)');
  });
  test("a module of Node's own without node:", () => {
    expect(codesOf('packages/policy/src/bare.ts').join()).toMatch(/no-restricted-imports|prefer-node-protocol/);
  });
  test('process.env taken apart', () => {
    expect(
      breachesOf('apps/worker/src/x.ts', "import process from 'node:process';\nconst { env } = process;\nexport { env };\n"),
    ).toContain('apps/worker/src/x.ts reads the environment');
  });
});
