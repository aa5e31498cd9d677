/** Every byte that a target can write into the head and the trailers of a response, and how much of it a function gets. */
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

import { maskRuleSchema } from '@hoop/contract';
import type { ConnectionSnapshot } from '@hoop/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { RawConnection } from './raw.ts';
import { World, staticCredential } from './world.ts';

const secret = 'sk_live_4eC39HqLyjWDarjtT1zdp7dc';
const email = 'ada@example.com';
const stars = '*'.repeat(secret.length);

let world: World;
let target: Server;
let answer: string | Buffer;
/** Without rules, with a credential. */
let scrubbing: ConnectionSnapshot;
/** With rules, without a credential. */
let masking: ConnectionSnapshot;
/** With neither. */
let bare: ConnectionSnapshot;

beforeAll(async () => {
  world = await World.start();
  target = createServer((socket: Socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(answer));
  });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
  scrubbing = await world.connect({ target: url, credential: staticCredential(secret) });
  const mask = [{ detect: 'email' }, { key: 'email' }, { key: 'x-pin' }].map((rule) => maskRuleSchema.parse(rule));
  masking = await world.connect({ target: url, credential: null, mask, settings: { unmaskedContentTypes: ['image/png'] } });
  bare = await world.connect({ target: url, credential: null });
});
afterAll(async () => {
  target?.close();
  await world?.close();
});

/** All that a function gets, as it is on the wire. */
async function received(connection: ConnectionSnapshot, sent: string | Buffer, method = 'GET'): Promise<string> {
  answer = typeof sent === 'string' ? Buffer.from(sent, 'latin1') : sent;
  const raw = new RawConnection(world.relay.url).send(
    `${method} /${connection.name}/x HTTP/1.1\r\nhost: relay\r\nte: trailers\r\nconnection: close\r\nhoop-grant: ${await world.grant([connection])}\r\n\r\n`,
  );
  return raw.closed();
}

/** A whole response with these lines in its head. */
const withHeaders = (...lines: string[]): string =>
  `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join('')}${lines.some((line) => /^content-type:/i.test(line)) ? '' : 'content-type: text/plain\r\n'}content-length: 2\r\n\r\nok`;

const percent = (text: string): string => Array.from(text, (char) => `%${char.charCodeAt(0).toString(16)}`).join('');

/** Headers with a place for the text. */
const places: Readonly<Record<string, (text: string) => string>> = {
  'a value': (text) => `X-Note: from ${text}`,
  Location: (text) => `Location: /items?for=${text}`,
  'Location in percent form': (text) => `Location: /items?for=${percent(text)}`,
  'a fragment in percent form': (text) => `Location: https://other.example/x#${encodeURIComponent(text)}`,
  'percent form in percent form': (text) => `Content-Location: /items/${encodeURIComponent(percent(text))}`,
  Link: (text) => `Link: </items?page=2&for=${encodeURIComponent(text)}>; rel="next"`,
  Refresh: (text) => `Refresh: 5; url=/x/${text}`,
  'Content-Disposition, filename': (text) => `Content-Disposition: attachment; filename="${text}.csv"`,
  'Content-Disposition, filename*': (text) => `Content-Disposition: attachment; filename*=UTF-8''${percent(text)}.csv`,
  'Content-Disposition, encoded word': (text) =>
    `Content-Disposition: attachment; filename="=?UTF-8?B?${Buffer.from(text).toString('base64')}?="`,
  'a quoted pair': (text) => `X-Note: "${text.replace(/^(..)/, '$1\\')}"`,
  'a parameter of Content-Type': (text) => `Content-Type: text/plain; charset=utf-8; name="${text}"`,
  'a parameter of Content-Type, plain': (text) => `Content-Type: text/plain; title=${text}`,
  'WWW-Authenticate': (text) => `WWW-Authenticate: Bearer realm="${text}", error="invalid_token"`,
  'a JSON value': (text) => `X-Page: {"next":"${text}","n":1}`,
  'a JSON value with escapes': (text) => `X-Page: {"next":"${Array.from(text, (c) => `\\u00${c.charCodeAt(0).toString(16)}`).join('')}"}`,
  'Set-Cookie': (text) => `Set-Cookie: who=${text}`,
  'Server, where a product would be': (text) => `Server: ${text}`,
  'Cache-Control, where a directive would be': (text) => `Cache-Control: private="${text}"`,
  'Date, where a date would be': (text) => `Date: ${text}`,
  'Vary, where a name would be': (text) => `Vary: ${text}`,
  'ETag, where a tag would be': (text) => `ETag: "${text}"`,
  'Content-Range, where a range would be': (text) => `Content-Range: ${text}/1`,
  'Content-Language': (text) => `Content-Language: ${text}`,
};

/** Every way in which the text could be read from what was received. */
function readings(text: string): string[] {
  const decode = (one: string): string =>
    one
      .replaceAll(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
      .replaceAll(/\\u([0-9a-f]{4})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
      .replaceAll(/=\?UTF-8\?B\?([^?]*)\?=/gi, (_, coded: string) => Buffer.from(coded, 'base64').toString())
      .replaceAll(/\\([^u])/g, '$1');
  const once = decode(text);
  return [text, once, decode(once)];
}

describe('a reason phrase', () => {
  it.each([
    ['where a credential was injected', () => scrubbing],
    ['where rules mask', () => masking],
    ['where neither does', () => bare],
  ])('of the target is never passed on, %s', async (_name, connection) => {
    const text = await received(connection(), `HTTP/1.1 200 ${secret} ${email}\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok`);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).not.toContain(email);
    expect(text).not.toContain(secret);
    expect(text).toMatch(/ok$/);
    expect(await received(connection(), `HTTP/1.1 299 ${email}\r\ncontent-length: 0\r\n\r\n`)).not.toContain(email);
  });
});

describe.each(Object.entries(places))('a head with it in %s', (_name, write) => {
  it('does not bring the credential', async () => {
    const text = await received(scrubbing, withHeaders(write(secret)));
    for (const reading of readings(text)) expect(reading).not.toContain(secret);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*ok$/);
  });

  it('does not bring what a rule masks', async () => {
    const text = await received(masking, withHeaders(write(email)));
    for (const reading of readings(text)) expect(reading).not.toContain(email);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*ok$/);
  });
});

describe('names of headers', () => {
  it.each([
    ['as it is', secret],
    ['in percent form', percent(secret)],
    ['in base64', `x-${Buffer.from(secret).toString('base64url')}`],
    ['in hexadecimal', `x-${Buffer.from(secret).toString('hex')}`],
  ])('that carry the credential %s are left out, in any case of letters, and so are such trailers', async (_name, name) => {
    const text = await received(
      scrubbing,
      `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n${name}: 1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${name}: 1\r\nx-last: 2\r\n\r\n`,
    );
    expect(text.toLowerCase()).not.toContain(name.toLowerCase());
    expect(text).toContain('x-last: 2');
  });

  it('that a key rule selects are masked in trailers too', async () => {
    const text = await received(
      masking,
      `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nX-Pin: 1234\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Pin: 1234\r\n\r\n`,
    );
    expect(text.match(/x-pin: \[redacted\]/g)).toHaveLength(2);
    expect(text).not.toContain('1234');
  });
});

describe('trailers', () => {
  const chunked = (trailers: string, type = 'application/json', body = '{}'): string =>
    `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n${trailers}\r\n`;

  it('lose what headers lose: cookies, look-alikes of ours, framing, digests of bytes that are not sent', async () => {
    const trailers =
      'Set-Cookie: a=1\r\nHoop-Error: policy_denied\r\nContent-Type: text/html\r\nDigest: sha-256=x\r\nX-Amz-Checksum-Sha256: x\r\nX-Kept: 1\r\n';
    const text = await received(masking, chunked(trailers));
    expect(text).toContain('x-kept: 1');
    expect(text.toLowerCase()).not.toMatch(/set-cookie|hoop-error|content-length|digest|x-amz-checksum/);
    // of a body that nobody changes a digest is true
    expect((await received(bare, chunked(trailers))).toLowerCase()).toMatch(/digest: sha-256=x/);
  });

  it('are masked and scrubbed as headers are', async () => {
    expect(await received(masking, chunked(`X-Last: ${email}\r\nX-Where: ${encodeURIComponent(email)}\r\n`))).not.toMatch(/ada(?:@|%40)/);
    expect(await received(scrubbing, chunked(`X-Last: ${secret}\r\n`))).toContain(`x-last: ${stars}`);
  });
});

describe('a transfer coding that was not asked for', () => {
  it.each(['gzip, chunked', 'gzip,chunked', 'deflate, chunked', 'chunked, gzip', 'x-own, chunked', 'identity', 'br'])(
    'is refused: %s',
    async (coding) => {
      const body = gzipSync(`{"email":"${email}","echo":"${secret}"}`);
      const wire = Buffer.concat([
        Buffer.from(
          `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: ${coding}\r\n\r\n${body.length.toString(16)}\r\n`,
        ),
        body,
        Buffer.from('\r\n0\r\n\r\n'),
      ]);
      for (const connection of [masking, scrubbing, bare]) {
        const text = await received(connection, wire);
        expect(text).toMatch(/^HTTP\/1\.1 [45]\d\d /);
        expect(text).toMatch(/hoop-error: target_invalid_response/i);
      }
    },
  );

  it('is not what chunked is, in any case of letters', async () => {
    const sent = 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n';
    expect(await received(masking, sent)).toMatch(/^HTTP\/1\.1 200 OK/);
  });
});

describe('an empty body under masking passes, and the first byte that cannot be masked is refused', () => {
  const heads: Readonly<Record<string, string>> = {
    'without a type': '',
    'of a type that cannot be masked': 'content-type: application/octet-stream\r\n',
    'of two types': 'content-type: application/json, text/plain\r\n',
    'in a coding that cannot be undone': 'content-type: application/json\r\ncontent-encoding: x-own\r\n',
  };

  it.each(Object.entries(heads))('%s', async (_name, lines) => {
    for (const status of ['202 Accepted', '200 OK', '500 Internal Server Error']) {
      const head = `HTTP/1.1 ${status}\r\n${lines}x-note: ${email}\r\n`;
      const empty = await received(masking, `${head}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`);
      expect(empty).toMatch(new RegExp(`^HTTP/1\\.1 ${status}\r\n`));
      expect(empty).toContain('x-note: [redacted]');
      expect(empty).toMatch(/content-length: 0\r\n[^]*\r\n\r\n$/i);
      // where the end of the connection is the end of the body, too
      expect(await received(masking, `${head}connection: close\r\n\r\n`)).toMatch(new RegExp(`^HTTP/1\\.1 ${status}\r\n`));

      const full = await received(masking, `${head}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`);
      expect(full).toMatch(/hoop-error: unmaskable_response/i);
      expect(full).not.toContain('hello');
    }
  });

  it('with its head held until then, so that the refusal has a head of its own', async () => {
    let socket: Socket | undefined;
    let reached = (): void => undefined;
    const isReached = new Promise<void>((resolve) => (reached = resolve));
    target.removeAllListeners('connection');
    target.on('connection', (one: Socket) => {
      one.on('error', () => undefined);
      one.once('data', () => {
        socket = one;
        one.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', () => reached());
      });
    });
    const response = world.call(masking, '/x');
    await isReached;
    // the relay has read the head once it has answered others
    for (let turn = 0; turn < 20; turn++) await (await fetch(`${world.relay.url}/-/healthz`)).text();
    socket!.write('5\r\nhello\r\n');
    const got = await response;
    expect(got.headers.get('hoop-error')).toBe('unmaskable_response');
    expect(await got.json()).toMatchObject({ code: 'unmaskable_response' });
    target.removeAllListeners('connection');
    target.on('connection', (one: Socket) => {
      one.on('error', () => undefined);
      one.once('data', () => one.end(answer));
    });
  });
});

describe('a Content-Encoding that is no coding', () => {
  const body = JSON.stringify({ email, echo: secret });
  const coded = (coding: string, bytes: Buffer = Buffer.from(body)): Buffer =>
    Buffer.concat([
      Buffer.from(
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: ${coding}\r\ncontent-length: ${bytes.length}\r\n\r\n`,
      ),
      bytes,
    ]);

  it.each([
    'none',
    'identity',
    'None',
    'utf-8',
    'UTF8',
    'iso-8859-1',
    '8bit',
    'binary',
    'aws-chunked',
    'amz-1.0',
    '',
    ',',
    'identity, none',
  ])('leaves the body to be masked and scrubbed as it is: %j', async (coding) => {
    expect(await received(masking, coded(coding))).toContain('"email":"[redacted]"');
    expect(await received(scrubbing, coded(coding))).toContain(`"echo":"${stars}"`);
  });

  it('does not hide one beside it that is', async () => {
    for (const coding of ['aws-chunked, gzip', 'gzip,aws-chunked', 'none, gzip']) {
      expect(await received(masking, coded(coding, gzipSync(body)))).toContain('"email":"[redacted]"');
    }
  });

  it.each(['exi', 'compress', 'x-own', 'base64', 'aes128gcm', 'dcb', 'utf-16', 'none gzip', 'gzip;q=1', '"none"'])(
    'is not what cannot be undone, which stays refused: %s',
    async (coding) => {
      for (const connection of [masking, scrubbing]) {
        const text = await received(connection, coded(coding));
        expect(text).toMatch(/hoop-error: unmaskable_response/i);
        expect(text).not.toContain(email);
      }
    },
  );
});

describe('a Content-Range under masking', () => {
  const head = (status: string, range: string, body: string): string =>
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-range: ${range}\r\ncontent-length: ${body.length}\r\n\r\n`;

  it.each(['0-24/3573', '0-24/*', '*/0', '*/3573', 'items 0-24/3573', 'rows=0-24/3573'])(
    'passes where items are counted: %s',
    async (range) => {
      expect(await received(masking, `${head('200 OK', range, '[{}]')}[{}]`)).toContain(`content-range: ${range}\r\n`);
      expect(await received(masking, head('200 OK', range, '[{}]'), 'HEAD')).toContain(`content-range: ${range}\r\n`);
    },
  );

  it.each(['bytes 0-24/3573', 'Bytes 0-24/3573', 'bytes */3573', 'bytes=0-1/2', `${email}`, '0-24/3573 and more', '1'])(
    'does not where it counts other bytes, or is none: %s',
    async (range) => {
      expect(await received(masking, `${head('200 OK', range, '[{}]')}[{}]`)).not.toMatch(/content-range/i);
      expect(await received(masking, head('200 OK', range, '[{}]'), 'HEAD')).not.toMatch(/content-range/i);
    },
  );

  it('of a part (206) is refused with it', async () => {
    const text = await received(masking, `${head('206 Partial Content', '0-24/3573', '[{}]')}[{}]`);
    expect(text).toMatch(/hoop-error: unmaskable_response/i);
    expect(text).not.toContain('[{}]');
  });
});
