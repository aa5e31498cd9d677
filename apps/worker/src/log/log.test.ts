import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { openLogExport, proveConsistency, readCheckpoint } from '@hoop/database';
import { generateLogKeys, logSigner, openCheckpoint, verifyConsistency, verifyLogExport } from '@hoop/recording';
import type { Checkpoint, LogVerdict } from '@hoop/recording';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { openLogScene } from '../../test/log-scene.ts';
import type { LogScene } from '../../test/log-scene.ts';

let scene: LogScene;
let folder: string;
beforeAll(async () => {
  scene = await openLogScene();
  folder = await mkdtemp(path.join(tmpdir(), 'hoop-log-'));
});
afterEach(() => scene.stop());
afterAll(async () => {
  await scene?.close();
  await rm(folder, { recursive: true });
});

async function verify(): Promise<LogVerdict> {
  const log = await openLogExport(scene.db.pool, scene.verifierKey, null);
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for await (const line of log!.lines) yield Buffer.from(line);
  }
  return verifyLogExport(bytes(), { keys: [scene.verifierKey] });
}
const pending = (): Promise<number> => scene.db.prisma.logPending.count();
const alarms = () => scene.db.prisma.securityEvent.findMany({ where: { kind: 'log_integrity' }, select: { code: true, detail: true } });

describe('the sequencer', () => {
  test('makes a leaf of every call and audit event, once, while two workers run and one is killed again and again', async () => {
    await scene.work();
    const ids: string[] = [];
    for (let round = 0; round < 4; round++) {
      const child = await scene.fork({ sequenceMs: 1 });
      for (let i = 0; i < 5; i++) ids.push(...(await scene.record(100)), await scene.audit());
      await scene.kill(child);
    }
    await expect.poll(pending).toBe(0);
    const leaves = await scene.db.prisma.logLeaf.findMany({ select: { refId: true }, orderBy: { index: 'asc' } });
    const refs = leaves.map((leaf) => leaf.refId);
    expect(new Set(refs).size).toBe(refs.length);
    expect(refs).toEqual(expect.arrayContaining(ids));
    expect(await verify()).toMatchObject({ ok: true, size: refs.length, findings: [] });
  });

  test('sequences nothing without the key, and starts with it where it stopped', async () => {
    const size = await scene.size();
    const { logKeys: _, ...without } = scene.config;
    await scene.record(10);
    const worker = await scene.work({ ...without, logKeys: undefined as never });
    await worker.close();
    expect([await scene.size(), await pending()]).toEqual([size, 10]);
    await scene.work();
    await expect.poll(scene.size).toBe(size + 10);
  });

  test('refuses to start with keys that are none of a log', async () => {
    const { keys } = generateLogKeys().publicJwks;
    await expect(scene.work({ logKeys: { keys } })).rejects.toThrow('private Ed25519');
    await expect(scene.work({ logOrigin: 'two words' })).rejects.toThrow('HOOP_LOG_ORIGIN');
  });

  test('raises an alarm for what was changed or removed before or after it was sequenced, and goes on', async () => {
    const [changed, gone] = await scene.record(2);
    await scene.work();
    await expect.poll(pending).toBe(0);
    await scene.db.pool.query(`UPDATE calls SET status = 418 WHERE id = $1`, [changed]);
    await scene.db.pool.query(`DELETE FROM calls WHERE id = $1`, [gone]);
    await scene.db.pool.query(`INSERT INTO log_pending (kind, ref_id) VALUES ('call', $1), ('call', $2)`, [changed, gone]);
    await expect.poll(alarms).toHaveLength(2);
    expect(await alarms()).toEqual(
      expect.arrayContaining([expect.objectContaining({ code: 'record_altered' }), expect.objectContaining({ code: 'record_missing' })]),
    );
    await scene.record(1);
    await expect.poll(pending).toBe(0);
  });
});

describe('a witness that is a file', () => {
  const notes = async (file: string): Promise<Checkpoint[]> =>
    ((await readFile(file, 'utf8').catch(() => '')).match(/hoop\.example[^\n]*\n[^\n]+\n[^\n]+\n\n— [^\n]+\n/g) ?? []).map((note) => {
      const verdict = openCheckpoint(note, scene.verifierKey);
      if (!verdict.ok) throw new Error(verdict.why);
      return verdict.checkpoint;
    });

  test('gets checkpoints that each extend the one before, also after a torn line and with two workers', async () => {
    const file = path.join(folder, 'witness-1');
    for (let round = 0; round < 3; round++) {
      await scene.record(5);
      await Promise.all([scene.work({ witnessFile: file, witnessSeconds: 1 }), scene.work({ witnessFile: file, witnessSeconds: 1 })]);
      await expect.poll(async () => (await notes(file)).at(-1)?.size).toBe(await settled());
      await scene.stop();
      await appendFile(file, 'hoop.example/audit\n12\nAAAA');
    }
    const all = await notes(file);
    expect(all.length).toBeGreaterThanOrEqual(3);
    for (const [i, to] of all.entries()) {
      const from = all[i - 1];
      if (from === undefined) continue;
      expect(verifyConsistency(from.size, to.size, from.root, to.root, await proveConsistency(scene.db.prisma, from.size, to.size))).toBe(
        true,
      );
    }
  });

  test('is not told of a log that does not extend what it has, and an alarm is raised', async () => {
    const file = path.join(folder, 'witness-2');
    const other = await openLogScene();
    try {
      await other.record(3);
      await other.work();
      await expect.poll(other.size).toBe(3);
      // A log of the same name and key, with other leaves.
      await scene.db.prisma.securityEvent.deleteMany();
      const forged = await otherNote(other);
      await writeFile(file, forged);
      await scene.work({ witnessFile: file, witnessSeconds: 1 });
      await expect.poll(alarms).toHaveLength(1);
      expect((await alarms())[0]).toMatchObject({ code: 'witness_disagrees' });
      expect(await readFile(file, 'utf8')).toBe(forged);
    } finally {
      await other.close();
    }
  });

  async function settled(): Promise<number> {
    await expect.poll(pending).toBe(0);
    return scene.size();
  }
  async function otherNote(other: LogScene): Promise<string> {
    const state = await other.db.prisma.logState.findUniqueOrThrow({ where: { id: 1 } });
    return logSigner(scene.config.logKeys!, 'hoop.example/audit').sign({ size: Number(state.size), root: state.root });
  }
});

describe('a witness at a URL', () => {
  /** As a C2SP witness: it keeps one checkpoint, and takes only what extends it. */
  async function startWitness(first: Checkpoint | null) {
    let state = first;
    let isDown = false;
    const taken: number[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        if (isDown) return void response.writeHead(500).end();
        const [head, ...note] = body.split('\n\n');
        const [old, ...proof] = head!.split('\n');
        const verdict = openCheckpoint(note.join('\n\n'), scene.verifierKey);
        const from = Number(old!.replace('old ', ''));
        if (from !== (state?.size ?? 0))
          return void response.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end(`${state?.size ?? 0}\n`);
        if (!verdict.ok) return void response.writeHead(403).end();
        const isConsistent =
          state === null ||
          verifyConsistency(
            state.size,
            verdict.checkpoint.size,
            state.root,
            verdict.checkpoint.root,
            proof.map((hash) => Buffer.from(hash, 'base64')),
          );
        if (!isConsistent) return void response.writeHead(422).end();
        state = verdict.checkpoint;
        taken.push(state.size);
        response.end('— witness AAAA\n');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/add-checkpoint`,
      taken,
      down: (value: boolean) => (isDown = value),
      close: () => new Promise((resolve) => server.close(resolve)),
    };
  }
  const told = async () => scene.db.prisma.logWitness.findUnique({ where: { name: 'url' } });

  test('takes checkpoints with proofs, tells its own size where ours is another, and is told again after an outage', async () => {
    await scene.record(4);
    await scene.work();
    await expect.poll(pending).toBe(0);
    await scene.stop();
    const known = openCheckpoint((await readCheckpoint(scene.db.prisma))!.note, scene.verifierKey);
    const witness = await startWitness((known as { checkpoint: Checkpoint }).checkpoint);
    try {
      await scene.record(6);
      const config = { witnessUrl: witness.url, witnessCidrs: ['127.0.0.0/8'], witnessSeconds: 1 };
      await scene.work(config);
      await expect.poll(() => witness.taken.length).toBeGreaterThan(0);
      witness.down(true);
      await scene.record(2);
      await expect.poll(async () => (await told())?.error).toBe('The witness answered 500.');
      witness.down(false);
      await expect.poll(async () => (await told())?.error).toBeNull();
      await expect.poll(() => witness.taken.at(-1)).toBe(await scene.size());
    } finally {
      await scene.stop();
      await witness.close();
    }
  });
});

// Last: this log cannot be mended.
describe('a log whose rows were changed', () => {
  test('is not appended to any more, and an alarm is raised', async () => {
    await scene.db.prisma.securityEvent.deleteMany();
    await scene.db.pool.query('ALTER TABLE log_leaves DISABLE TRIGGER USER');
    const size = await scene.size();
    await scene.db.pool.query(`UPDATE log_leaves SET digest = sha256('x') WHERE index = $1`, [size - 1]);
    await scene.record(3);
    await Promise.all([scene.work(), scene.work()]);
    await expect.poll(async () => (await alarms()).length).toBeGreaterThan(0);
    expect((await alarms())[0]).toMatchObject({ code: 'log_tampered', detail: expect.stringContaining('its rows were changed') });
    expect([await scene.size(), await pending()]).toEqual([size, 3]);
  });
});
