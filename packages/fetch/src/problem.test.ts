import { expect, test } from 'vitest';

import { readProblem } from './problem.ts';

const answer = (body: string, status = 403): Response => new Response(body, { status, statusText: 'Forbidden' });

test('keeps every member of a problem document', async () => {
  const document = {
    type: 'urn:hoop:error:policy_denied',
    code: 'policy_denied',
    title: 'Denied',
    status: 403,
    detail: 'No.',
    rule: 'nobody deletes',
  };
  expect(await readProblem(answer(JSON.stringify(document)), 'unavailable')).toEqual(document);
});

test('reads an OAuth error as a problem', async () => {
  expect(await readProblem(answer('{"error":"invalid_request","error_description":"Nope."}', 400), 'unavailable')).toMatchObject({
    type: 'urn:hoop:error:invalid_request',
    code: 'invalid_request',
    status: 400,
    detail: 'Nope.',
  });
});

test('prefers the status that was sent to one in the body', async () => {
  expect((await readProblem(answer('{"status":200}'), 'unavailable')).status).toBe(403);
});

test.each(['', 'text', '<html>', 'null', '[]', '7', '{"code":7}'])('makes a problem where the body is %j', async (body) => {
  expect(await readProblem(answer(body), 'unavailable')).toMatchObject({
    type: 'urn:hoop:error:unavailable',
    code: 'unavailable',
    status: 403,
    title: 'Forbidden',
  });
});

test('makes a problem where the body breaks off', async () => {
  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('reset')) });
  expect((await readProblem(new Response(broken, { status: 502 }), 'target_reset')).code).toBe('target_reset');
});
