import { expect, test } from 'vitest';

import { parseMediaType } from './media-type.ts';

const read = (value: string): string | null => {
  const type = parseMediaType(value);
  return type === null ? null : [type.essence, ...[...type.parameters].map(([name, text]) => `${name}=${text}`)].join('|');
};

test('reads a media type as browsers do', () => {
  expect(read('application/json')).toBe('application/json');
  expect(read(' Text/HTML;Charset="UTF-8" ; a=1')).toBe('text/html|charset=UTF-8|a=1');
  expect(read('text/plain; name="a;b=\\"c\\", d"')).toBe('text/plain|name=a;b="c", d');
  expect(read('text/plain; title=ada@example.com;')).toBe('text/plain|title=ada@example.com');
  expect(read('text/plain; nothing; a=b')).toBe('text/plain|a=b');
  expect(read('multipart/mixed; boundary="a b"; boundary="a b"')).toBe('multipart/mixed|boundary=a b');
});

test.each([
  '',
  'json',
  'application/',
  '/json',
  'application json',
  'application/json, text/plain',
  'application/json;a=b, text/plain',
  'text/plain; charset=utf-8; charset=utf-16',
  'text/plain; charset=utf-8; charset="utf-16"',
  'multipart/mixed; boundary=a; boundary=b',
  'text/plain; a=1; A=2',
  'text/plain; charset = utf-16',
  'text/plain; charset',
  'multipart/mixed; boundary=',
])('takes %j for none, as readers differ', (value) => {
  expect(read(value)).toBeNull();
  // remembered, and the same
  expect(read(value)).toBeNull();
});
