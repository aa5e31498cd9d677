import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { exportOf, sampleLog, signer } from '../../../packages/recording/test/sample-log.ts';
import { runCommand } from './command.ts';
import type { StartIo } from './start/start.ts';

const log = sampleLog(40);
const lines = exportOf(log);

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hoop-audit-'));
  file = await written('export.ndjson', lines.join(''));
});
afterAll(() => rm(folder, { recursive: true }));

async function written(name: string, text: string): Promise<string> {
  const at = path.join(folder, name);
  await writeFile(at, text);
  return at;
}
async function run(...args: string[]): Promise<{ code: number; out: string; said: string }> {
  const said: string[] = [];
  const out: string[] = [];
  const never = new AbortController().signal;
  const io: StartIo = { env: {}, out: (text) => void out.push(text), say: (text) => void said.push(text), stop: never, kill: never };
  return { code: await runCommand(['audit', ...args], io), out: out.join('\n'), said: said.join('\n') };
}
const key = ['--key', signer.verifierKey];

describe('hoop audit verify', () => {
  it('exits with 0 where everything is as it was signed, with the key given or in a file', async () => {
    const keyFile = await written('key', `${signer.verifierKey}\n`);
    for (const given of [key, ['--key', keyFile]]) {
      const { code, out } = await run('verify', file, ...given);
      expect(out).toContain('VERIFIED: everything is as it was signed.');
      expect(out).toContain(`${log.leaves.length} leaves`);
      expect(code).toBe(0);
    }
  });

  it('exits with 1 and names the record where one was changed', async () => {
    const at = log.leaves.find((leaf) => leaf.content === 'here')!;
    const changed = await written(
      'changed.ndjson',
      lines
        .map((line) => (line.includes(`"id":"${at.id}"`) && line.includes('"record"') ? line.replace('127.0.0.1', '127.0.0.2') : line))
        .join(''),
    );
    const { code, out } = await run('verify', changed, ...key);
    expect(code).toBe(1);
    expect(out).toContain(`CHANGED    The content of ${at.id}`);
    const json = JSON.parse((await run('verify', changed, ...key, '--json')).out) as { ok: boolean; findings: { id: string }[] };
    expect(json.ok).toBe(false);
    expect(json.findings.map((finding) => finding.id)).toEqual([at.id]);
  });

  it('exits with 1 where the log does not extend an earlier checkpoint, and with 0 where it does', async () => {
    const own = await written('own-note', log.notes.get(12)!);
    const other = await written('other-note', sampleLog(40).notes.get(12)!);
    expect((await run('verify', file, ...key, '--checkpoint', own)).code).toBe(0);
    const { code, out } = await run('verify', file, ...key, '--checkpoint', other);
    expect([code, out]).toEqual([1, expect.stringContaining('does not extend the earlier checkpoint')]);
  });

  it.each([
    ['no export', [], 'needs the name of one export'],
    ['no key', ['x'], 'needs --key'],
    ['a key that is none', ['x', '--key', 'hoop+00000000+!'], 'cannot be read'],
    ['a file that is not there', ['nothing-here', ...key], 'There is no file nothing-here'],
    ['an option that there is none of', ['x', ...key, '--force'], 'See hoop help audit'],
  ])('exits with 2 and a sentence for %s', async (_what, args, sentence) => {
    const { code, said } = await run('verify', ...args);
    expect(said).toContain(sentence);
    expect(code).toBe(2);
  });

  it('says of another key that nothing holds', async () => {
    const text = await readFile(file, 'utf8');
    expect(text).toContain(signer.verifierKey);
    const { code, out } = await run('verify', file, '--key', signer.verifierKey.replace('audit+', 'other+'));
    expect(code).toBe(1);
    expect(out).toContain('NOT VERIFIED');
  });
});
