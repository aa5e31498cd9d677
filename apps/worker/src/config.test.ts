import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { ConfigurationError } from '@hoop/environment';
import { afterAll, describe, expect, it } from 'vitest';

import { readConfig } from './config.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hoop-worker-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, content: unknown): string {
  const file = path.join(folder, name);
  writeFileSync(file, JSON.stringify(content));
  return file;
}

const publicKeys = { keys: [{ kid: 'k', kty: 'OKP', x: 'x' }] };
const least = { DATABASE_URL: 'postgres://localhost/hoop', HOOP_ROW_PUBLIC_KEY_FILE: fileOf('rows.json', publicKeys) };

describe('readConfig', () => {
  it('has a default for all but the database and the public row keys', () => {
    expect(readConfig(least)).toEqual({
      databaseUrl: least.DATABASE_URL,
      queue: { kind: 'postgres', url: least.DATABASE_URL },
      orphanSeconds: 120,
      deferredLostSeconds: 660,
      witnessSeconds: 60,
      rowKeys: publicKeys,
      logLevel: 'info',
    });
  });

  it.each([
    ['DATABASE_URL', '', 'DATABASE_URL is not set; the worker cannot start without it.'],
    [
      'HOOP_ROW_PUBLIC_KEY_FILE',
      '',
      'HOOP_ROW_PUBLIC_KEY_FILE is not set; without it the worker cannot tell what the control plane wrote.',
    ],
    ['HOOP_ORPHAN_SECONDS', '0', 'HOOP_ORPHAN_SECONDS must be a whole number from 1 to 86400.'],
    ['HOOP_BLOB_BYTES', '1e3', 'HOOP_BLOB_BYTES must be a whole number from 0 to 16777216.'],
    ['HOOP_ALLOW_LOSSY_QUEUE', 'maybe', 'HOOP_ALLOW_LOSSY_QUEUE must be yes or no.'],
    ['REDIS_URL', 'http://u:secret@h', 'REDIS_URL must be a URL that starts with redis:// or rediss://.'],
  ])('refuses %s=%j with the sentence that names the variable', (name, value, sentence) => {
    expect(() => readConfig({ ...least, [name]: value })).toThrow(new ConfigurationError(sentence));
  });

  it('refuses private keys where public ones belong, without a word of them', () => {
    const file = fileOf('private.json', { keys: [{ kid: 'k', d: 'secret' }] });
    expect(() => readConfig({ ...least, HOOP_ROW_PUBLIC_KEY_FILE: file })).toThrow(
      /^HOOP_ROW_PUBLIC_KEY_FILE \(.*\) must be a JWK set of public keys/,
    );
  });

  it('keeps the size of blobs only where there is a place for them', () => {
    const config = readConfig({ ...least, HOOP_BLOB_DIR: path.join(folder, 'blobs'), HOOP_BLOB_BYTES: '7' });
    expect(config).toMatchObject({ blobBytes: 7, blobs: expect.anything() });
  });
});
