/** A caller sends what should cost others: while it is under way, and after it, somebody else is served. */
import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { figuresTable, openStage, secret, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(async () => {
  process.stdout.write(`\n${figuresTable()}\n`);
  await stage?.close();
});

const refund = async (body: string | Buffer, type = 'application/json'): Promise<number> => {
  const response = await stage.world.call(stage.connection, '/v1/refunds', {
    method: 'POST',
    headers: { 'content-type': type },
    body: new Uint8Array(Buffer.from(body)),
  });
  await response.arrayBuffer();
  return response.status;
};

const costly: [name: string, body: () => string | Buffer, type?: string][] = [
  ['JSON nested deeply', () => `${'['.repeat(400_000)}${']'.repeat(400_000)}`],
  ['JSON of many members', () => `{${Array.from({ length: 80_000 }, (_, i) => `"k${i}":0`).join()}}`],
  ['JSON of many equal names', () => `{${Array.from({ length: 80_000 }, () => '"amount":1').join()}}`],
  ['JSON with an endless number', () => `{"amount":${'9'.repeat(900_000)}}`],
  ['JSON with a string of escapes', () => `{"amount":"${String.raw`\u0061`.repeat(150_000)}"}`],
  ['a form of many fields', () => 'a=1&'.repeat(250_000), 'application/x-www-form-urlencoded'],
  ['a form of plus signs', () => `amount=${'+'.repeat(1_000_000)}`, 'application/x-www-form-urlencoded'],
];

test.each(costly)('a body: %s', async (_name, body, type) => {
  const sent = refund(body(), type);
  expect(await stage.isServed()).toBe(true);
  const status = await sent;
  stage.tried('exhaust', status < 500 ? 'refused' : 'breach');
  expect(status).toBeLessThan(500);
});

const mixed = (): string => {
  const notations = [
    (c: string) => c,
    (c: string) => `%${c.charCodeAt(0).toString(16)}`,
    (c: string) => String.raw`\u00${c.charCodeAt(0).toString(16)}`,
    (c: string) => `&#${c.charCodeAt(0)};`,
    (c: string) => `${c}\0`,
  ];
  let seed = 1;
  const next = (): number => (seed = (seed * 48_271) % 2_147_483_647);
  let text = '';
  while (text.length < 65_536) text += notations[next() % notations.length]!(secret[next() % secret.length]!);
  return text;
};

const answers: [name: string, type: string, body: () => Buffer, coding?: string][] = [
  ["the credential's own characters in mixed notations", 'text/plain', () => Buffer.from(mixed())],
  ['a bomb of gzip', 'text/plain', () => gzipSync(Buffer.alloc(5_000_000, 'a')), 'gzip'],
  ['HTML of attributes', 'text/html', () => Buffer.from(`<p ${'a=1 '.repeat(100_000)}>`)],
  ['XML nested deeply', 'application/xml', () => Buffer.from('<a>'.repeat(100_000))],
  ['a line without an end', 'text/csv', () => Buffer.from(','.repeat(500_000))],
  ['an event without an end', 'text/event-stream', () => Buffer.from(`data: ${'x'.repeat(500_000)}`)],
];

test.each(answers)('an answer: %s', async (_name, type, body, coding) => {
  const masked = await stage.world.connect({
    target: stage.connection.settings.target,
    mask: [
      { pattern: 'a.*b|a', action: 'redact' },
      { detect: 'payment_card', action: 'redact' },
      { key: 'k', action: 'redact' },
    ],
  });
  const bytes = body();
  stage.answer = ({ url }, response) => {
    if (url.includes('somebody-else')) return void response.end('{}');
    response.setHeader('content-type', type);
    if (coding !== undefined) response.setHeader('content-encoding', coding);
    response.end(bytes);
  };
  const answer = stage.world.call(masked, '/v1/x').then(async (response) => {
    await response.arrayBuffer().catch(() => undefined);
    return response.status;
  });
  expect(await stage.isServed()).toBe(true);
  const status = await answer;
  stage.tried('exhaust', 'sent');
  expect(status).toBeGreaterThanOrEqual(200);
});

test('heads that are not finished, headers without number, and requests one after the other', async () => {
  const grant = await stage.grant();
  const head = `GET /plain/v1/x HTTP/1.1\r\nHost: x\r\nHoop-Grant: ${grant}\r\n`;
  const open = [
    ...Array.from({ length: 100 }, () => stage.open().send(head)),
    ...Array.from({ length: 100 }, () =>
      stage.open().send(`POST /plain/v1/x HTTP/1.1\r\nHost: x\r\nHoop-Grant: ${grant}\r\nContent-Length: 100000\r\n\r\nx`),
    ),
    stage.open().send(`${head}${Array.from({ length: 5000 }, (_, i) => `x-${i}: y\r\n`).join('')}\r\n`),
    stage.open().send(`${head}x: ${'y'.repeat(1_000_000)}\r\n\r\n`),
    stage.open().send(`${head}\r\n`.repeat(300)),
  ];
  for (const _ of open) stage.tried('exhaust', 'refused');
  expect(await stage.isServed()).toBe(true);
  for (const one of open) one.close();
  expect(await stage.isServed()).toBe(true);
});
