/** A connection to Postgres that drops makes an event; where nobody listens, Node ends the process. */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const sources = globSync('{apps,packages}/*/src/**/*.ts', { cwd: root }).filter((file) => !/\.test\.ts$|packages\/testkit\//.test(file));

it('is listened to wherever a client or a pool is made, and wherever a pool hands one out', () => {
  const made = sources.flatMap((file) => {
    const text = readFileSync(path.join(root, file), 'utf8');
    const isClient = /new pg\.Client\(/.test(text);
    const isPool = /new (?:pg\.Pool|QueuePool)\(/.test(text);
    if (!isClient && !isPool) return [];
    return [
      { file, error: /\.on\('error'/.test(text), connect: !isPool || /\.on\('connect', \(client\) => client\.on\('error'/.test(text) },
    ];
  });
  expect(made.length).toBeGreaterThanOrEqual(6);
  expect(made.filter(({ error, connect }) => !error || !connect)).toEqual([]);
});
