/** A function sends bytes that the relay and a target might cut into requests differently: none may carry a second one to the target. */
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

const inner = (grant: string): string => `GET /payments/v1/admin/smuggled HTTP/1.1\r\nHost: x\r\nHoop-Grant: ${grant}\r\n\r\n`;

const lengths = [
  'Content-Length: 0',
  'Content-Length: 5',
  'Content-Length: +5',
  'Content-Length: 5, 5',
  'Content-Length: 5, 6',
  'Content-Length: 0x5',
  'Content-Length: 5\r\nContent-Length: 6',
  'Content-Length : 5',
  'Content-Length: -1',
  'Content-Length: 5 5',
  'Content-Length:\t5',
  'Content-Length: 99999999999999999999',
];
const codings = [
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: identity, chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding:\x0bchunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  'Transfer_Encoding: chunked',
  'Transfer-Encoding: "chunked"',
  'X: y\r\n Transfer-Encoding: chunked',
  'Transfer-Encoding:\r\n chunked',
  'X-A: b\nTransfer-Encoding: chunked',
  'X-A: b\rTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked;q=1',
];
const bodies = (grant: string): string[] => [
  `0\r\n\r\n${inner(grant)}`,
  `5\r\nhello\r\n0\r\n\r\n${inner(grant)}`,
  `5;x=\n\r\nhello\r\n0\r\n\r\n${inner(grant)}`,
  `0x5\r\nhello\r\n0\r\n\r\n${inner(grant)}`,
  `-1\r\n${inner(grant)}`,
  `ffffffffffffffff5\r\nhello${inner(grant)}`,
  `5\nhello\n0\n\n${inner(grant)}`,
  `hello${inner(grant)}`,
];
const heads = [
  'POST /payments/v1/x HTTP/1.1',
  'POST  /payments/v1/x HTTP/1.1',
  'POST /payments/v1/x HTTP/1.0',
  'POST /payments/v1/x',
  'POST http://evil.example/payments/v1/x HTTP/1.1',
  'POST /payments/v1/x HTTP/1.1\r\nHost: y',
  'POST /payments/v1/x HTTP/1.1 HTTP/1.1',
  'POST /payments/v1/\x00x HTTP/1.1',
  'PRI * HTTP/2.0',
];

/** All that the relay makes of it is answered, or the connection is closed; what reaches the target is the one request that was allowed. */
async function attempt(bytes: string, kind: string): Promise<string | null> {
  stage.received.length = 0;
  const connection = stage.open().send(bytes);
  connection.socket.end();
  await connection.closed();
  connection.close();
  const breach = stage.received.find(
    ({ url, headers, body }) =>
      /smuggled/.test(url) ||
      headers['hoop-grant'] !== undefined ||
      (/smuggled/.test(body.toString()) && headers['transfer-encoding'] !== undefined && headers['content-length'] !== undefined),
  );
  stage.tried(kind, breach !== undefined ? 'breach' : stage.received.length > 0 ? 'sent' : 'refused');
  return breach === undefined ? null : `${JSON.stringify(bytes.slice(0, 300))} brought ${breach.method} ${breach.url} to the target`;
}

test('lengths and codings that disagree', async () => {
  const grant = await stage.grant();
  const breaches: (string | null)[] = [];
  for (const length of ['', ...lengths])
    for (const coding of ['', ...codings]) {
      if (length === '' && coding === '') continue;
      const head = `POST /payments/v1/x HTTP/1.1\r\nHost: x\r\nHoop-Grant: ${grant}\r\n${length === '' ? '' : `${length}\r\n`}${coding === '' ? '' : `${coding}\r\n`}\r\n`;
      const body = bodies(grant)[(lengths.indexOf(length) + codings.indexOf(coding) + 2) % 8]!;
      breaches.push(await attempt(head + body, 'smuggling'));
    }
  expect(breaches.filter((one) => one !== null)).toEqual([]);
});

test('request lines that can be read in more than one way', async () => {
  const grant = await stage.grant();
  const breaches: (string | null)[] = [];
  for (const head of heads)
    for (const end of ['\r\n', '\n', '\r'])
      breaches.push(
        await attempt(`${head}${end}Host: x${end}Hoop-Grant: ${grant}${end}Content-Length: 5${end}${end}hello${inner(grant)}`, 'smuggling'),
      );
  expect(breaches.filter((one) => one !== null)).toEqual([]);
  expect(await stage.isServed()).toBe(true);
});
