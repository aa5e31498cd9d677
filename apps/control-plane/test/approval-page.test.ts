/** The page behind the link of a message: anybody may see it, so nothing of the request is on it. */
import { createHash } from 'node:crypto';

import { newId } from '@hoop/contract';
import { expect, it } from 'vitest';

import { h, people, request, review, useApprovals } from './approval-stage.ts';

useApprovals();

const open = (id: string): Promise<Response> => fetch(`${h.url}/approvals/${id}`);

it('shows the id, the state and the commands to use, and nothing of the request', async () => {
  const one = await request();
  const id = one['approvalId'] as string;
  const response = await open(id);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const page = await response.text();
  expect(page).toContain('State: <strong>pending</strong>.');
  for (const verb of ['show', 'approve', 'deny']) expect(page).toContain(`hoop approvals ${verb} ${id} --url ${h.url}`);
  for (const secret of [one['digest'], one['url'], one['method'], 'refunds', 'OPS-1', 'acme', 'olga']) expect(page).not.toContain(secret);

  await review(one, people.ann, { decision: 'deny', comment: 'a private remark' });
  const denied = await (await open(id)).text();
  expect(denied).toBe(page.replace('pending', 'denied').replace('It waits for a decision.', 'It was denied.'));
});

it('is the same page for an id that does not exist', async () => {
  const one = await request();
  const [known, unknown] = [one['approvalId'] as string, newId('approval')];
  const [there, not] = [await open(known), await open(unknown)];
  const names = (response: Response): string[] => [...response.headers.keys()].filter((name) => name !== 'date');
  expect(not.status).toBe(there.status);
  expect(names(not)).toEqual(names(there));
  const text = await not.text();
  expect(text).toContain('State: <strong>unknown</strong>.');
  expect(
    text
      .replaceAll(unknown, known)
      .replace('unknown', 'pending')
      .replace(/There is no such request[^<]*/, 'It waits for a decision.'),
  ).toBe(await there.text());
});

it('loads, runs and frames nothing, is not kept, and tells nobody where the reader came from', async () => {
  const response = await open(newId('approval'));
  const style = /<style>([^<]*)<\/style>/.exec(await response.text())![1]!;
  const hash = createHash('sha256').update(style).digest('base64');
  expect(response.headers.get('content-security-policy')).toBe(
    `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'x-robots-tag': 'noindex',
  });
});

it.each(['apr_<script>alert(1)</script>', 'apr_', 'con_01jd8m3v9k2t5x7y0a1b2c3d4e', '..%2f..%2fv1', 'apr_01jd8m3v9k2t5x7y0a1b2c3d4e%00'])(
  'is not made for what is no id of an approval (%s)',
  async (id) => {
    const response = await open(encodeURI(id));
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(await response.text()).not.toContain('<script>');
  },
);
