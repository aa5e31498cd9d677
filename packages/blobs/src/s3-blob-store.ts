import { createHash } from 'node:crypto';

import { AppError } from '@hoop/contract';
import { AwsClient } from 'aws4fetch';

import { checkedKey, parseBlobKey } from './blob-key.ts';
import type { BlobInfo, BlobStore } from './blob-store.ts';

export interface S3Options {
  /** `https://HOST/BUCKET` or, with the bucket in the host's name, `https://BUCKET.HOST`; a prefix may follow. */
  readonly url: string;
  /** @default "us-east-1" */
  readonly region?: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** The bucket is in the host's name. @default false */
  readonly isVirtualHosted?: boolean;
  /** Of one request, milliseconds. @default 10000 */
  readonly timeoutMs?: number;
}

/** Blobs as objects of an S3 API, one object each; requests are signed with SigV4, their bodies included. */
export function createS3BlobStore(options: S3Options): BlobStore {
  const { accessKeyId, secretAccessKey, sessionToken, region = 'us-east-1', timeoutMs = 10_000, isVirtualHosted = false } = options;
  const client = new AwsClient({
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    region,
    service: 's3',
    retries: 2,
    initRetryMs: 100,
  });
  const base = new URL(options.url);
  const segments = base.pathname.split('/').filter((segment) => segment !== '');
  const bucket = isVirtualHosted ? base.origin : `${base.origin}/${segments.shift() ?? ''}`;
  const prefix = segments.length === 0 ? '' : `${segments.join('/')}/`;
  const objectUrl = (key: string): string => `${bucket}/${prefix}${checkedKey(key)}`;

  async function send(url: string, init: RequestInit, expected: readonly number[]): Promise<Response> {
    let response: Response;
    try {
      const headers = { ...(init.headers as Record<string, string>), 'x-amz-content-sha256': sha256(init.body) };
      response = await client.fetch(url, { ...init, headers, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    } catch (error) {
      throw away(error);
    }
    if (expected.includes(response.status)) return response;
    const text = await response.text().catch(() => '');
    throw away(new Error(`${init.method ?? 'GET'}: ${response.status} ${/<Code>(\w{1,60})<\/Code>/.exec(text)?.[1] ?? ''}`));
  }
  const body = async <T>(read: Promise<T>): Promise<T> =>
    read.catch((error: unknown) => {
      throw away(error);
    });

  return {
    async put(key, bytes) {
      const init = { method: 'PUT', body: bytes as Uint8Array<ArrayBuffer>, headers: { 'content-type': 'application/octet-stream' } };
      await (await send(objectUrl(key), init, [200])).body?.cancel();
    },
    async get(key) {
      const response = await send(objectUrl(key), {}, [200, 404]);
      if (response.status === 200) return new Uint8Array(await body(response.arrayBuffer()));
      await checkAbsence(response);
      return null;
    },
    async has(key) {
      const { status } = await send(objectUrl(key), { method: 'HEAD' }, [200, 404]);
      return status === 200;
    },
    async delete(key) {
      await (await send(objectUrl(key), { method: 'DELETE' }, [200, 204, 404])).body?.cancel();
    },
    async *list(after) {
      for (let token: string | undefined; ;) {
        const url = new URL(`${bucket}/`);
        url.searchParams.set('list-type', '2');
        url.searchParams.set('prefix', `${prefix}call_`);
        if (after !== undefined) url.searchParams.set('start-after', prefix + after);
        if (token !== undefined) url.searchParams.set('continuation-token', token);
        const text = await body((await send(url.href, {}, [200])).text());
        for (const [, content] of text.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)) {
          const info = readContent(content!, prefix);
          if (info !== null && (after === undefined || info.key > after)) yield info;
        }
        token = elementOf(text, 'NextContinuationToken');
        if (token === undefined || elementOf(text, 'IsTruncated') !== 'true') return;
      }
    },
  };
}

/** Signed with the request: without it a body could be exchanged on its way. */
const sha256 = (body: RequestInit['body']): string =>
  createHash('sha256')
    .update((body as Uint8Array | undefined) ?? '')
    .digest('hex');

const away = (error: unknown): AppError => new AppError('unavailable', 'The store of large bodies is not available.', { cause: error });

/** A bucket that is not there is not an object that is not there. */
async function checkAbsence(response: Response): Promise<void> {
  const text = await response.text().catch(() => '');
  if (/<Code>NoSuchBucket<\/Code>/.test(text)) throw away(new Error('there is no such bucket'));
}

function elementOf(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return text?.replace(/&(lt|gt|quot|apos|amp|#x27|#39);/g, (_whole, entity: string) => entities[entity]!);
}
const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&', '#x27': "'", '#39': "'" };

function readContent(xml: string, prefix: string): BlobInfo | null {
  const key = elementOf(xml, 'Key')?.slice(prefix.length);
  if (key === undefined || parseBlobKey(key) === null) return null;
  return { key, bytes: Number(elementOf(xml, 'Size') ?? 0), storedAt: Date.parse(elementOf(xml, 'LastModified') ?? '') };
}
