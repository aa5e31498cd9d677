/** A server that speaks the S3 API, behind a check of signatures, which it leaves out itself. */
import crypto from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

interface Servable {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
}
// It has no types.
const S3rver = createRequire(import.meta.url)('s3rver') as new (options: object) => Servable;

export interface S3Server {
  /** Of the bucket. */
  readonly url: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  close(): Promise<void>;
}

export async function startS3Server(directory: string): Promise<S3Server> {
  replaceDes();
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory,
    configureBuckets: [{ name: 'bodies', configs: [] }],
  });
  const { port } = await server.run();
  const credentials = { accessKeyId: 'S3RVER', secretAccessKey: crypto.randomUUID() };
  const front = createServer((request, response) => {
    void buffer(request).then((body) => {
      const host = request.headers.host!;
      if (!isSigned(request, body, credentials.secretAccessKey)) {
        response.writeHead(403, { 'content-type': 'application/xml' }).end('<Error><Code>SignatureDoesNotMatch</Code></Error>');
        return;
      }
      const inner = forward(
        { host: '127.0.0.1', port, method: request.method, path: request.url, headers: { ...request.headers, host } },
        (answer) => {
          response.writeHead(answer.statusCode!, answer.headers);
          answer.pipe(response);
        },
      );
      inner.on('error', () => response.destroy());
      inner.end(body);
    });
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  return {
    url: `http://127.0.0.1:${(front.address() as AddressInfo).port}/bodies`,
    credentials,
    async close() {
      await closed(front);
      await server.close();
    },
  };
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

const hash = (data: string | Buffer): string => crypto.createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => crypto.createHmac('sha256', key).update(data).digest();

/** Signature Version 4, from its specification, for requests whose body is signed as well. */
function isSigned(request: IncomingMessage, body: Buffer, secret: string): boolean {
  const match =
    /^AWS4-HMAC-SHA256 Credential=[^/]+\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    );
  if (match === null || request.headers['x-amz-content-sha256'] !== hash(body)) return false;
  const [, date, region, signedHeaders, signature] = match as unknown as [string, string, string, string, string];
  const url = new URL(request.url!, 'http://host');
  const encode = (text: string): string =>
    encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
  const query = [...url.searchParams].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort();
  const headers = signedHeaders.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const canonical = [request.method, url.pathname, query.join('&'), headers.join(''), signedHeaders, hash(body)].join('\n');
  const scope = `${date}/${region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, hash(canonical)].join('\n');
  const key = ['s3', 'aws4_request'].reduce((one, part) => hmac(one, part), hmac(hmac(`AWS4${secret}`, date), region));
  return hmac(key, toSign).toString('hex') === signature;
}

/** The server hides its continuation tokens with DES, which OpenSSL 3 has no longer. */
function replaceDes(): void {
  const { createCipheriv, createDecipheriv } = crypto;
  const widened =
    <T>(create: (algorithm: string, key: Buffer, iv: Buffer) => T) =>
    (algorithm: string, key: Buffer, iv: Buffer, ...rest: unknown[]): T =>
      algorithm === 'des'
        ? create('aes-128-cbc', Buffer.concat([key, key]), Buffer.concat([iv, iv]))
        : (create as (...args: unknown[]) => T)(algorithm, key, iv, ...rest);
  Object.assign(crypto, { createCipheriv: widened(createCipheriv as never), createDecipheriv: widened(createDecipheriv as never) });
}
