/** The README's guide does what it says, block by block, as printed. */
import { mkdtemp, mkdir, readFile, rm, writeFile, chmod } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { reservePort } from '@hoop/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { endAll, hoopStart, root, run } from '../e2e/hoop.ts';

let scratch: string;
let beside: string;
beforeAll(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'hoop-readme-'));
  await chmod(scratch, 0o755);
  // Inside the repository, so that the function finds @hoop/fetch.
  await mkdir(path.join(root, 'node_modules/.cache'), { recursive: true });
  beside = await mkdtemp(path.join(root, 'node_modules/.cache/readme-'));
});
afterEach(endAll);
afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
  await rm(beside, { recursive: true, force: true });
});

interface Block {
  readonly language: string;
  readonly text: string;
}

async function guide(): Promise<Block[]> {
  const readme = await readFile(path.join(root, 'README.md'), 'utf8');
  const [, part] = /<!-- guide:.*?-->([\s\S]*?)<!-- end of guide -->/.exec(readme)!;
  return [...part!.matchAll(/^( *)```(\w+)\n([\s\S]*?)^\1```$/gm)].map(([, indent, language, text]) => ({
    language: language!,
    text: text!.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}

test("the README's five-minute guide works as printed", async () => {
  const folder = path.join(scratch, 'data');
  const hoop = hoopStart(folder);
  await hoop.heard(/Ready\./);
  const [, controlPlane] = await hoop.heard(/Control plane\s+(\S+)/);
  const [adminToken] = await hoop.heard(/hoop_admin_[\w-]+/);
  const port = await reservePort();
  const here = (text: string): string =>
    text
      .replace('hoop_admin_…', adminToken)
      .replaceAll('http://127.0.0.1:7700', controlPlane!)
      .replaceAll('9000', String(port))
      .replace('exec --as', `exec --data-dir ${folder} --as`)
      .replace('node my-function.mjs', `node ${beside}/my-function.mjs`);

  const blocks = await guide();
  expect(blocks.map(({ language }) => language)).toEqual(['sh', 'sh', 'sh', 'sh', 'sh', 'js', 'sh', 'text', 'sh']);
  const script = ['set -eu', 'trap "kill 0" EXIT'];
  for (const { language, text } of blocks) {
    if (language === 'sh')
      script.push(
        // A record is there a moment after its call.
        text.includes('/v1/calls?') ? `until ${here(text).trim()} | grep '"error":"policy_denied"'; do sleep 0.1; done` : here(text),
        ...(text.includes('.listen(') ? [`until curl -s http://127.0.0.1:${port} >/dev/null; do sleep 0.1; done`] : []),
      );
    if (language === 'js') await writeFile(path.join(beside, 'my-function.mjs'), here(text));
  }
  script.push('echo done; trap - EXIT; kill $!');
  await writeFile(path.join(scratch, 'guide.sh'), script.join('\n'));
  const shell = run('setsid', ['--wait', 'bash', path.join(scratch, 'guide.sh')]);
  expect(await shell.ended, shell.stdout() + shell.stderr()).toBe(0);
  expect(shell.stdout()).toContain(blocks.find(({ language }) => language === 'text')!.text.trim());
  expect(shell.stdout()).toContain('"error":"policy_denied"');
  expect(shell.stdout().trim().endsWith('done')).toBe(true);
});
