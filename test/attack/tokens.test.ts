/** A stranger presents grants that nobody issued: each is refused with 401, and nothing reaches the target. */
import { createHmac, generateKeyPairSync, sign as signBytes } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { figuresTable, openStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(async () => {
  process.stdout.write(`\n${figuresTable()}\n`);
  await stage?.close();
});

const b64 = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

test('no grant but one that the control plane signed is accepted', async () => {
  const good = await stage.grant();
  const [head, payload, signature] = good.split('.') as [string, string, string];
  const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>;
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  const own = generateKeyPairSync('ed25519');
  const publicJwk = stage.world.grantKeys.publicJwks.keys[0]!;
  const signed = (over: Record<string, unknown>, claimsOver: Record<string, unknown> = {}): string => {
    const text = `${b64({ ...header, ...over })}.${b64({ ...claims, ...claimsOver })}`;
    return `${text}.${signBytes(null, Buffer.from(text), own.privateKey).toString('base64url')}`;
  };
  const hmac = (alg: string, key: string | Buffer): string => {
    const text = `${b64({ ...header, alg })}.${payload}`;
    return `${text}.${createHmac(alg.replace('HS', 'sha'), key).update(text).digest('base64url')}`;
  };
  const tokens: string[] = [
    `${b64({ ...header, alg: 'none' })}.${payload}.`,
    `${b64({ ...header, alg: 'None' })}.${payload}.${signature}`,
    `${b64({ ...header, alg: '' })}.${payload}.${signature}`,
    ...['HS256', 'HS384', 'HS512'].flatMap((alg) => [
      hmac(alg, ''),
      hmac(alg, JSON.stringify(publicJwk)),
      hmac(alg, Buffer.from(publicJwk['x'] as string, 'base64url')),
    ]),
    signed({}),
    signed({ jwk: own.publicKey.export({ format: 'jwk' }) }),
    signed({ jku: 'http://127.0.0.1:1/keys' }),
    signed({ x5u: 'http://127.0.0.1:1/keys' }),
    signed({ kid: '../../keys' }),
    signed({ kid: '' }),
    signed({ crit: ['exp'] }),
    signed({ b64: false, crit: ['b64'] }),
    signed({ typ: 'JWT' }),
    // Signed parts with other claims.
    ...[
      { exp: 9_999_999_999 },
      { aud: 'urn:other' },
      { iss: 'http://evil.example' },
      { sub: 'idn_x' },
      { connections: [] },
      { jti: 'grt_x' },
    ].map((over) => `${head}.${b64({ ...claims, ...over })}.${signature}`),
    // The signature, damaged in each of its bytes, and in form.
    ...Array.from({ length: 64 }, (_, i) => {
      const bytes = Buffer.from(signature, 'base64url');
      bytes[i]! ^= 1 << (i % 8);
      return `${head}.${payload}.${bytes.toString('base64url')}`;
    }),
    `${head}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
    `${head}.${payload}.`,
    `${head}.${payload}`,
    `${head}.${payload}.${signature}.${signature}`,
    `${head}.${payload}.${signature}=`,
    `${head}.${payload}.${signature.slice(0, -1)}`,
    `${payload}.${head}.${signature}`,
    `.${payload}.${signature}`,
    'a.b.c',
    '...',
    'x'.repeat(20_000),
    JSON.stringify({ payload, protected: head, signature }),
    '\u00e9'.repeat(3),
  ];
  // Really signed, and not to be accepted all the same.
  const now = Math.floor(Date.now() / 1000);
  for (const over of [
    { iat: now - 3600, exp: now - 3500 },
    { iat: now + 3600, exp: now + 3700 },
    { aud: 'urn:other' as never },
    { iss: 'http://evil.example' },
    { sub: 'idn_01h00000000000000000000000' as never },
  ])
    tokens.push(await stage.world.grant([stage.connection], over));
  stage.received.length = 0;
  const accepted: string[] = [];
  for (const token of tokens) {
    const connection = stage.open().send(`GET /payments/v1/x HTTP/1.1\r\nHost: x\r\nHoop-Grant: ${token}\r\nConnection: close\r\n\r\n`);
    const answer = await connection.closed();
    connection.close();
    const isRefused = / (?:401|400|403|431) /.test(answer.slice(0, 20)) && stage.received.length === 0;
    stage.tried('tokens', isRefused ? 'refused' : 'breach');
    if (!isRefused) accepted.push(`${token.slice(0, 80)}: ${answer.slice(0, 40)}`);
  }
  expect(accepted).toEqual([]);
  expect(await stage.isServed()).toBe(true);
});
