/** A function writes an amount that needs an approval so that a condition might not see it: no server's reading of what is sent is over the limit. */
import { afterAll, beforeAll, expect, test } from 'vitest';

import { figuresTable, openStage, type Received, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(async () => {
  process.stdout.write(`\n${figuresTable()}\n`);
  await stage?.close();
});

const json = 'application/json';
const form = 'application/x-www-form-urlencoded';

const names = ['amount', 'Amount', 'AMOUNT', 'aMount', 'amount\\u0000', '\\u0061mount', 'a\\u006dount', 'amount ', '\\ufeffamount'];
const values = [
  '50000',
  '5e4',
  '50000.0',
  '5.0E+4',
  '"50000"',
  '[50000]',
  '{"value":50000}',
  '10000.0000000000001',
  '1e400',
  '010001',
  '0x2710',
  '10_001',
  'Infinity',
];
const attempts: [type: string, body: string | Buffer][] = [
  ...names.flatMap((name) => values.map((value): [string, string] => [json, `{"${name}":${value}}`])),
  ...names.flatMap((name): [string, string][] => [
    [json, `{"amount":5,"${name}":50000}`],
    [json, `{"${name}":50000,"amount":5}`],
  ]),
  ...[
    'text/plain',
    'application/vnd.api+json',
    'application/json; charset=utf-16',
    'application/json;charset=utf-7',
    'APPLICATION/JSON',
    '',
    'multipart/form-data; boundary=x',
    'application/x-ndjson',
    'text/json',
    'application/jsonx',
  ].map((type): [string, string] => [type, '{"amount":50000}']),
  ...[
    'amount=50000',
    'amount=5&amount=50000',
    'amount[]=50000',
    'amount=50000&x',
    'Amount=50000',
    'amount=%35%30000',
    'amount=5&%61mount=50000',
    'amount=+50000',
    '{"amount":50000}',
    'amount%00=50000',
    'amount[0]=50000',
    '%5Bamount%5D=50000',
  ].map((body): [string, string] => [form, body]),
  ...[
    '\ufeff{"amount":50000}',
    '{"amount":5}{"amount":50000}',
    '[{"amount":50000}]',
    '{"amount":5,/**/"amount":50000}',
    '{"a":{"amount":5},"amount":50000}',
    '{amount:50000}',
    "{'amount':50000}",
    '{"amount":5,"__proto__":{"amount":50000}}',
    ' \n{"amount":50000}',
    '{"amount":5}\0{"amount":50000}',
    '{"amount":50000,}',
  ].map((body): [string, string] => [json, body]),
  // A body whose name, as it is written, begins like the next one's (https://github.com/nodejs/node/issues/63785).
  [json, String.raw`{"q":1,"\\u0061":1}`],
  [json, String.raw`{"q":1,"\u0061mount":50000}`],
  [json, Buffer.from('{"amount":50000}', 'utf16le')],
  [json, Buffer.from([0xff, 0xfe, ...Buffer.from('{"amount":50000}', 'utf16le')])],
];

/** Amounts that any common server could take from the body. */
function amountsIn({ body }: Received): number[] {
  const texts = [body.toString('utf8').replace(/^\ufeff/, ''), body.toString('utf16le').replace(/^\ufeff/, '')];
  const found: number[] = [];
  for (const whole of texts) {
    // A member of a prototype is read by nobody where the object has one of its own.
    const text = whole.replace(/"__proto__":\{[^}]*\}/g, '');
    for (const [, value] of text.matchAll(
      /"?(?<!\\ufeff)(?:\\u0061|a)(?:\\u006d|m)ount(?:\\u0000)?"?\s*(?:\[\d*\])?\s*[:=]\s*["[{]*(?:"value":)?([-+.\dxe_]+)/gi,
    ))
      found.push(Number(value!.replaceAll('_', '')));
    for (const [name, value] of new URLSearchParams(text)) if (/amount/i.test(name)) found.push(Number(value));
  }
  return found.filter((one) => !Number.isNaN(one));
}

test('no spelling of an amount over the limit is sent without an approval', async () => {
  const grant = await stage.grant();
  const breaches: string[] = [];
  for (const [type, body] of attempts) {
    stage.received.length = 0;
    const headers = { 'hoop-grant': grant, ...(type === '' ? {} : { 'content-type': type }) };
    const response = await stage.world.call(stage.connection, '/v1/refunds', {
      method: 'POST',
      headers,
      body: new Uint8Array(Buffer.from(body)),
    });
    await response.arrayBuffer();
    const breach = stage.received.find((one) => amountsIn(one).some((amount) => amount > 10_000));
    stage.tried('bodies', breach !== undefined ? 'breach' : stage.received.length > 0 ? 'sent' : 'refused');
    if (breach !== undefined) breaches.push(`${type}: ${body.toString('utf8')}`);
  }
  expect(breaches).toEqual([]);
  // An amount within the limit goes through, so that it is the amount which decides.
  const fine = await stage.world.call(stage.connection, '/v1/refunds', {
    method: 'POST',
    headers: { 'content-type': json },
    body: '{"amount":5}',
  });
  expect(fine.status).toBe(200);
});
