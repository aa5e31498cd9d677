/** A function writes the path of a restricted endpoint in other ways: none reaches it, as any common server reads paths. */
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

const hex = (text: string): string => `%${text.charCodeAt(0).toString(16).padStart(2, '0')}`;

/** Ways to write a path, each applied to it alone and after another. */
const spellings: ((path: string) => string)[] = [
  (path) => `${path}/`,
  (path) => `${path}//`,
  (path) => path.replace('/', '//'),
  (path) => path.replace(/\/(?=[^/]*$)/, '//'),
  (path) => path.replace(/\/(?=[^/]*$)/, '/./'),
  (path) => path.replace(/\/(?=[^/]*$)/, '/x/../'),
  (path) => path.replace(/\/(?=[^/]*$)/, '/%2e/'),
  (path) => path.replace(/\/(?=[^/]*$)/, '/x/%2e%2e/'),
  (path) => path.replace(/\/(?=[^/]*$)/, '%2f'),
  (path) => path.replace(/\/(?=[^/]*$)/, '\\'),
  (path) => path.replace(/\/(?=[^/]*$)/, '%5c'),
  (path) => path.toUpperCase().replace('/V1', '/v1'),
  (path) => path.replace(/[a-z](?=[^/]*$)/, (letter) => letter.toUpperCase()),
  (path) => path.replace(/[a-z](?=[^/]*$)/, hex),
  (path) => path.replace(/[a-z](?=[^/]*$)/, (letter) => hex(letter).replace('%', '%25')),
  (path) => `${path};a=b`,
  (path) => `${path};`,
  (path) => `${path}.`,
  (path) => `${path}%2e`,
  (path) => `${path}%20`,
  (path) => `${path}%09`,
  (path) => `${path}%00`,
  (path) => `${path}%00.png`,
  (path) => `${path}%3f`,
  (path) => `${path}%23`,
  (path) => `${path}.json`,
  (path) => path.replace(/s(?=[^/]*$)/, '%c5%bf'),
  (path) => path.replace(/(?=[^/]*$)/, ';jsessionid=1/'),
  (path) => path.replace(/[a-z](?=[^/]*$)/, (letter) => `%u00${letter.charCodeAt(0).toString(16)}`),
];

/** As the widest of common servers reads it: decoded twice, folded, without parameters, suffixes, dots and empty segments. */
function widestReading(url: string): string {
  let path = url.split('?')[0]!;
  for (let i = 0; i < 3; i++)
    path = path
      .replace(/%u00([0-9a-f]{2})/gi, '%$1')
      .replace(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
  const segments: string[] = [];
  for (const raw of path.replaceAll('\\', '/').split('/')) {
    const segment = raw
      .split(/[;?#\0]/)[0]!
      .replace(/[. \t]+$/, (tail) => (/^\.{1,2}$/.test(raw) ? tail : ''))
      .replace(/(?<=.)\.json$/, '');
    if (raw === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment.toLowerCase().replaceAll('\u00c5\u00bf', 's'));
  }
  return `/${segments.join('/')}`;
}

test.each([
  ['a denied path', 'GET', '/v1/admin/users', '/v1/admin/users'],
  ['a path that needs an approval', 'POST', '/v1/refunds', '/v1/refunds'],
])('%s, in every spelling and pair of spellings', async (_what, method, path, restricted) => {
  const grant = await stage.grant();
  const breaches: string[] = [];
  const written = new Set(spellings.flatMap((one) => [one(path), ...spellings.map((other) => other(one(path)))]));
  for (const spelling of written) {
    stage.received.length = 0;
    const body = '{"amount":50000}';
    const connection = stage.open();
    connection.send(
      `${method} /payments${spelling} HTTP/1.1\r\nHost: x\r\nHoop-Grant: ${grant}\r\nConnection: close\r\n${method === 'POST' ? `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}` : '\r\n'}`,
    );
    await connection.closed();
    connection.close();
    const breach = stage.received.find(({ url }) => widestReading(url) === restricted);
    stage.tried('paths', breach !== undefined ? 'breach' : stage.received.length > 0 ? 'sent' : 'refused');
    if (breach !== undefined) breaches.push(`${spelling} reached the target as ${breach.url}`);
  }
  expect(written.size).toBeGreaterThan(400);
  expect(breaches).toEqual([]);
});
