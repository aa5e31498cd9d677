import { readFileSync } from 'node:fs';

import { folderPath, httpUrl, oneOf, optional, readVariables, secretFile, text } from '@hoop/environment';
import { z } from 'zod';

import type { BlobStore } from './blob-store.ts';
import { createDirectoryBlobStore } from './directory-blob-store.ts';
import { createS3BlobStore } from './s3-blob-store.ts';

/** The variables of the store, for the schemas of the processes that use one. */
export const blobVariables = {
  HOOP_BLOB_DIR: optional(
    folderPath,
    'The folder of recorded bodies that are too large for their rows; with several hosts, one that all of them see.',
    'large bodies stay in their rows',
  ),
  HOOP_BLOB_S3_URL: optional(
    httpUrl(
      (url) => url.search === '' && url.hash === '' && url.username === '',
      () => 'must be an http or https URL of a bucket, without user, query and fragment.',
    ),
    'The bucket of an S3 API for the same: `https://HOST/BUCKET[/PREFIX]`. Not together with `HOOP_BLOB_DIR`.',
    'none',
  ),
  HOOP_BLOB_S3_CREDENTIALS_FILE: optional(
    secretFile,
    'JSON with `accessKeyId`, `secretAccessKey` and perhaps `sessionToken`. Required with `HOOP_BLOB_S3_URL`.',
  ),
  HOOP_BLOB_S3_REGION: optional(text, 'The region that requests to the bucket are signed for.', 'us-east-1'),
  HOOP_BLOB_S3_STYLE: optional(
    oneOf(['path', 'host']),
    'Where the bucket is named: in the path, or in the host (`https://BUCKET.HOST`).',
    'path',
  ),
  HOOP_BLOB_S3_PLAIN: optional(text, '1 permits http to a bucket that is not on this host.', 'https only'),
};

const schema = z.object(blobVariables);

/**
 * The store that the environment names: HOOP_BLOB_DIR, or HOOP_BLOB_S3_URL with HOOP_BLOB_S3_CREDENTIALS_FILE (JSON with
 * accessKeyId, secretAccessKey and perhaps sessionToken), HOOP_BLOB_S3_REGION and HOOP_BLOB_S3_STYLE (`path` or `host`).
 * Null where it names none: then all bodies stay beside their rows.
 *
 * @throws Error with a sentence that names the variable
 */
export function blobStoreFromEnv(env: Readonly<Record<string, string | undefined>>): BlobStore | null {
  const values = readVariables(schema, env);
  const { HOOP_BLOB_DIR: folder, HOOP_BLOB_S3_URL: url, HOOP_BLOB_S3_REGION: region, HOOP_BLOB_S3_STYLE: style } = values;
  if (folder && url) throw new Error('HOOP_BLOB_DIR and HOOP_BLOB_S3_URL are both set; large bodies can be stored in one place only.');
  if (folder) return createDirectoryBlobStore(folder);
  if (!url) return null;
  const parsed = new URL(url);
  const isLocal = ['127.0.0.1', 'localhost', '[::1]'].includes(parsed.hostname);
  if (style !== 'host' && parsed.pathname.replaceAll('/', '') === '') throw new Error('HOOP_BLOB_S3_URL must name a bucket in its path.');
  if (parsed.protocol === 'http:' && !isLocal && values.HOOP_BLOB_S3_PLAIN !== '1')
    throw new Error(
      'HOOP_BLOB_S3_URL must be https (or set HOOP_BLOB_S3_PLAIN=1 in a network of your own: bodies are sealed, requests can be replayed).',
    );
  return createS3BlobStore({
    url,
    isVirtualHosted: style === 'host',
    ...(region ? { region } : {}),
    ...readCredentials(values.HOOP_BLOB_S3_CREDENTIALS_FILE),
  });
}

function readCredentials(file: string | undefined): { accessKeyId: string; secretAccessKey: string; sessionToken?: string } {
  if (!file) throw new Error('HOOP_BLOB_S3_CREDENTIALS_FILE is not set; it names the file with the keys of HOOP_BLOB_S3_URL.');
  let parsed: Record<string, unknown> | null;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  } catch {
    // The parser's message could quote the key.
    throw new Error(`HOOP_BLOB_S3_CREDENTIALS_FILE (${file}) cannot be read as JSON.`);
  }
  const { accessKeyId, secretAccessKey, sessionToken } = parsed ?? {};
  if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string' || accessKeyId === '' || secretAccessKey === '')
    throw new Error(`HOOP_BLOB_S3_CREDENTIALS_FILE (${file}) needs accessKeyId and secretAccessKey.`);
  return { accessKeyId, secretAccessKey, ...(typeof sessionToken === 'string' ? { sessionToken } : {}) };
}
