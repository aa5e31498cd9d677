/** A target gives back the injected credential in many notations: no answer contains it. */
import { createHash } from 'node:crypto';

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

const each = (write: (character: string, index: number) => string): string => [...secret].map(write).join('');
const code = (character: string): number => character.charCodeAt(0);
const hex = (character: string, width = 2): string => code(character).toString(16).padStart(width, '0');

const notations: [name: string, written: string][] = [
  ['raw', secret],
  ['in an authorization', `Bearer ${secret}`],
  ['JSON', JSON.stringify(secret)],
  ['JSON with escaped slashes', JSON.stringify(secret).replaceAll('/', String.raw`\/`)],
  ['JSON with all escaped', each((one) => String.raw`\u${hex(one, 4)}`)],
  ['JSON with capital hexadecimals', each((one) => String.raw`\u${hex(one, 4).toUpperCase()}`)],
  ['percent', encodeURIComponent(secret)],
  ['percent of all', each((one) => `%${hex(one)}`)],
  ['a form', new URLSearchParams([['x', secret]]).toString()],
  ['decimal entities', each((one) => `&#${code(one)};`)],
  ['hexadecimal entities', each((one) => `&#x${hex(one)};`)],
  ['named entities', secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')],
  ['base64', Buffer.from(secret).toString('base64')],
  ['base64 one byte in', Buffer.from(`x${secret}`).toString('base64')],
  ['base64 two bytes in', Buffer.from(`xy${secret}`).toString('base64')],
  ['base64url', Buffer.from(secret).toString('base64url')],
  ['base64 of basic authentication', Buffer.from(`user:${secret}`).toString('base64')],
  ['hexadecimal', Buffer.from(secret).toString('hex')],
  ['capital hexadecimal', Buffer.from(secret).toString('hex').toUpperCase()],
  ['NUL between', each((one) => `${one}\0`)],
  ['mixed notations', each((one, i) => [one, `%${hex(one)}`, String.raw`\u${hex(one, 4)}`, `&#${code(one)};`][i % 4]!)],
];

const readings: ((text: string) => string)[] = [
  (text) => text,
  (text) => text.replaceAll('\0', ''),
  (text) =>
    text.replace(/\\u([0-9a-f]{4})/gi, (_, digits: string) => String.fromCharCode(parseInt(digits, 16))).replace(/\\(["/\\])/g, '$1'),
  (text) => text.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(parseInt(digits, 16))),
  (text) =>
    text
      .replace(/&#x([0-9a-f]+);/gi, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)))
      .replace(/&#(\d+);/g, (_, digits: string) => String.fromCharCode(Number(digits)))
      .replaceAll('&lt;', '<')
      .replaceAll('&quot;', '"')
      .replaceAll('&amp;', '&'),
  (text) => text.replaceAll('+', ' '),
];

/** Every text that a reader could make of an answer by these notations, alone or one after the other. */
function isHeldBy(answer: string): boolean {
  const texts = new Set([answer]);
  for (let round = 0; round < 3; round++) for (const text of Array.from(texts)) for (const read of readings) texts.add(read(text));
  for (const text of Array.from(texts)) {
    for (const run of text.match(/[A-Za-z0-9+/_=-]{20,}/g) ?? [])
      for (const skip of [0, 1, 2, 3]) texts.add(Buffer.from(run.slice(skip), 'base64').toString('latin1'));
    for (const run of text.match(/[0-9a-fA-F]{40,}/g) ?? []) texts.add(Buffer.from(run, 'hex').toString('latin1'));
  }
  return [...texts].some((text) => text.includes(secret));
}

const places: [name: string, answer: (written: string) => Stage['answer']][] = [
  ['the body', (written) => (_, response) => void response.setHeader('content-type', 'text/plain').end(`<${written}>`)],
  [
    'JSON in a body',
    (written) => (_, response) => void response.setHeader('content-type', 'application/json').end(`{"k":"${written.replaceAll('"', '')}"}`),
  ],
  [
    'a body in chunks',
    (written) => (_, response) => {
      response.setHeader('content-type', 'text/html');
      const half = Math.floor(written.length / 2);
      response.write(written.slice(0, half));
      setImmediate(() => response.end(written.slice(half)));
    },
  ],
  ['a header', (written) => (_, response) => void response.setHeader('x-echo', encodeHeader(written)).end('x')],
  ['Location', (written) => (_, response) => void response.writeHead(302, { location: `/v1/x?${encodeHeader(written)}` }).end()],
  ['Set-Cookie', (written) => (_, response) => void response.setHeader('set-cookie', `k=${encodeHeader(written)}; Path=/`).end('x')],
  [
    'Content-Disposition',
    (written) => (_, response) =>
      void response.setHeader('content-disposition', `attachment; filename="${encodeHeader(written).replaceAll('"', '')}"`).end('x'),
  ],
  ['a reason phrase', (written) => (_, response) => void response.writeHead(200, encodeHeader(written)).end('x')],
];
const encodeHeader = (written: string): string => written.replace(/[^\x20-\x7e]/g, '');

test('the oracle reads every notation', () => {
  for (const [name, written] of notations) expect(isHeldBy(`<${written}>`), name).toBe(true);
  expect(isHeldBy(`<${createHash('sha256').update(secret).digest('hex')}>`)).toBe(false);
});

test.each(places)('in %s', async (_place, answer) => {
  const grant = await stage.grant();
  const breaches: string[] = [];
  for (const [name, written] of notations) {
    stage.answer = answer(written);
    const connection = stage.open().send(`GET /plain/v1/x HTTP/1.1\r\nHost: x\r\nHoop-Grant: ${grant}\r\nConnection: close\r\n\r\n`);
    const text = await connection.closed();
    connection.close();
    const isBreach = isHeldBy(text);
    stage.tried('reflect', isBreach ? 'breach' : 'sent');
    if (isBreach) breaches.push(name);
  }
  expect(breaches).toEqual([]);
});
