/** The guide of docs/approvals.md does what it says, block by block, as printed. */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { endAll, hoopStart, root, run } from '../e2e/hoop.ts';

let scratch: string;
let beside: string;
beforeAll(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'hoop-approvals-guide-'));
  await chmod(scratch, 0o755);
  // Inside the repository, so that the functions find @hoop/fetch.
  await mkdir(path.join(root, 'node_modules/.cache'), { recursive: true });
  beside = await mkdtemp(path.join(root, 'node_modules/.cache/approvals-guide-'));
});
afterEach(endAll);
afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
  await rm(beside, { recursive: true, force: true });
});

test('the guide to approvals works as printed', async () => {
  const folder = path.join(scratch, 'data');
  const hoop = hoopStart(folder);
  await hoop.heard(/Ready\./);
  const [, controlPlane] = await hoop.heard(/Control plane\s+(\S+)/);
  const [adminToken] = await hoop.heard(/hoop_admin_[\w-]+/);
  const { port } = JSON.parse(await readFile(path.join(folder, 'demo', 'payments-api.json'), 'utf8')) as { port: number };
  const here = (text: string): string =>
    text
      .replace('hoop_admin_…', adminToken)
      .replaceAll('http://127.0.0.1:7700', controlPlane!)
      .replaceAll('http://127.0.0.1:7732', `http://127.0.0.1:${port}`)
      .replaceAll('exec --as', `exec --data-dir ${folder} --as`)
      .replaceAll(/node (\w+\.mjs)/g, `node ${beside}/$1`);

  const document = await readFile(path.join(root, 'docs/approvals.md'), 'utf8');
  const [, guide] = /<!-- guide:.*?-->([\s\S]*?)<!-- end of guide -->/.exec(document)!;
  const script = ['set -eu'];
  let file = '';
  for (const [, named, language, text] of guide!.matchAll(/in `(\w+\.mjs)`|^```(\w+)\n([\s\S]*?)^```$/gm)) {
    if (named !== undefined) file = named;
    else if (language === 'js') await writeFile(path.join(beside, file), here(text!));
    else script.push(here(text!));
  }
  script.push('echo done');
  await writeFile(path.join(scratch, 'guide.sh'), script.join('\n'));
  const shell = run('setsid', ['--wait', 'bash', path.join(scratch, 'guide.sh')]);
  expect(await shell.ended, shell.stdout() + shell.stderr()).toBe(0);
  const printed = shell.stdout();
  expect(printed.match(/^201 succeeded$/gm)).toHaveLength(2);
  expect(printed).toMatch(/^202 call_\w{26}$/m);
  expect(shell.stderr()).toMatch(/^pending apr_\w{26}$/m);
  expect(shell.stderr()).toMatch(/^approved apr_\w{26}$/m);
  expect(printed).toContain('"secret":"whsec_');
  expect(printed.trim().endsWith('done')).toBe(true);
});
