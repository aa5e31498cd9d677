/** `hoop approvals` against a control plane with calls that wait. */
import { runCommand } from '@hoop/cli';
import { newId } from '@hoop/contract';
import { createDataKey, sealBody, toPublicJwks } from '@hoop/sealing';
import { expect, test } from 'vitest';

import { asRelay, h, people, request, scene, useApprovals, type Json } from '../../apps/control-plane/test/approval-stage.ts';

useApprovals();

interface Run {
  readonly code: number;
  readonly out: string;
  readonly said: string;
  readonly asked: readonly string[];
}

function io(token: string, answer: string | undefined, stop: AbortSignal) {
  const heard = { out: '', said: '', asked: [] as string[] };
  return {
    heard,
    env: { HOOP_URL: h.url, HOOP_ADMIN_TOKEN: token },
    out: (text: string) => void (heard.out += `${text}\n`),
    say: (text: string) => void (heard.said += `${text}\n`),
    ...(answer === undefined
      ? {}
      : {
          ask: (question: string) => {
            heard.asked.push(question);
            return Promise.resolve(answer);
          },
        }),
    stop,
    kill: new AbortController().signal,
  };
}

async function run(args: string[], { token = people.ann, answer }: { token?: string; answer?: string } = {}): Promise<Run> {
  const { heard, ...given } = io(token, answer, new AbortController().signal);
  return { code: await runCommand(['approvals', ...args], given), ...heard };
}
const stateOf = async (one: Json): Promise<string> =>
  (await asRelay('GET', `/approvals/${one['approvalId']}?identity=${scene.identityId}`)).body['state'] as string;
/** A request whose body is this text. */
async function requestOf(body: string): Promise<Json> {
  const callId = newId('call');
  const { wrapped, key } = await createDataKey(toPublicJwks(h.recordingKeys).keys[0]!);
  const shown = { method: 'POST', url: 'https://api.example/v1/refunds', headers: [['x-note', 'ok']], encoding: 'utf8', body };
  return request({
    callId,
    shown: { wrappedKey: wrapped, sealed: sealBody(key, Buffer.from(JSON.stringify(shown)), `${callId}:approval`) },
  });
}

test('list shows what waits, of all or only of the caller', async () => {
  const one = await request();
  const listed = await run(['list', '--limit', '200']);
  expect(listed.out.split('\n')[0]).toMatch(/^APPROVAL +STATE +REQUESTED +IDENTITY +CONNECTION +REQUEST$/);
  expect(listed.out).toContain(one['approvalId']);
  expect((await run(['list', '--mine', '--json', '--limit', '200'])).out).toContain(one['digest']);
  expect((await run(['list', '--mine'], { token: people.eve })).out).toBe('No request for approval matches.\n');
  await run(['deny', one['approvalId'] as string, '--yes']);
  expect((await run(['list', '--limit', '200'])).out).not.toContain(one['approvalId']);
  expect((await run(['list', '--state', 'denied', '--limit', '200'])).out).toContain(one['approvalId']);
});

test('show prints everything that will be sent, and the digest of it', async () => {
  const one = await requestOf('{"amount":20000}');
  const { out, said } = await run(['show', one['approvalId'] as string]);
  for (const text of [
    'POST https://api.example/v1/refunds',
    'x-note: ok',
    '{"amount":20000}',
    '"ticket":"OPS-1"',
    'acme/billing',
    one['digest'],
  ])
    expect(out).toContain(text);
  expect(said).toBe(`To decide about exactly this: hoop approvals approve ${one['approvalId']} --digest ${one['digest']}\n`);
});

test('a request cannot steer the terminal of whoever reads it', async () => {
  const one = await requestOf('{"amount":1}\r\u001b[2K\u001b[1A{"amount":2}\u202e');
  const { out } = await run(['show', one['approvalId'] as string]);
  expect(out).toContain('{"amount":1}\\u{d}\\u{1b}[2K\\u{1b}[1A{"amount":2}\\u{202e}');
  // oxlint-disable-next-line no-control-regex
  expect(out).not.toMatch(/[\r\u001b\u202e]/);
});

test('approve prints the request, asks, and decides about exactly what it printed', async () => {
  const one = await request();
  const { code, out, asked } = await run(['approve', one['approvalId'] as string, '--for', '10m', '--comment', 'Agreed.'], { answer: 'y' });
  expect(asked).toEqual(['Approve this request? [y/N] ']);
  expect(code).toBe(0);
  expect(out).toContain(one['digest']);
  expect(out).toMatch(/Approved, for 10m until \d{4}-/);
  const read = await h.call<Json>('GET', `/v1/approvals/${one['approvalId']}`, { token: people.ann });
  expect(read.body).toMatchObject({ state: 'approved', validity: '10m', reviews: [{ user: 'ann', comment: 'Agreed.', via: 'rest' }] });
});

test.each(['', 'n', 'no', 'yess'])('the answer "%s" decides nothing', async (answer) => {
  const one = await request();
  for (const verb of ['approve', 'deny']) {
    const { code, said } = await run([verb, one['approvalId'] as string], { answer });
    expect([code, said]).toEqual([1, 'Nothing was decided.\n']);
  }
  expect(await stateOf(one)).toBe('pending');
});

test('where there is no terminal to ask at, it decides only with --yes, or about the digest that was shown', async () => {
  const one = await request();
  const id = one['approvalId'] as string;
  await expect(run(['approve', id])).rejects.toThrow(
    `There is no terminal to ask at: read the request, then add --digest ${one['digest']}, or --yes.`,
  );
  await expect(run(['approve', id, '--digest', 'f'.repeat(64)])).rejects.toThrow(/approval_digest_mismatch/);
  await expect(run(['approve', id, '--yes', '--digest', 'f'.repeat(64)])).rejects.toThrow('--yes and --digest exclude each other');
  expect(await stateOf(one)).toBe('pending');
  const reads = async (): Promise<number> =>
    (await h.call<Json>('GET', `/v1/audit-events?target=${id}&action=approval.read`)).body['items'].length as number;
  const before = await reads();
  expect((await run(['approve', id, '--digest', one['digest'] as string])).out).toBe(
    'Approved, for one call until ' + (await usableUntil(id)) + '.\n',
  );
  expect(await reads()).toBe(before + 1);
});
const usableUntil = async (id: string): Promise<string> =>
  (await h.call<Json>('GET', `/v1/approvals/${id}`, { token: people.ann })).body['usableUntil'] as string;

test('one of several reviews says that more are needed, and deny ends it', async () => {
  const one = await request({}, { quorum: 2 });
  const id = one['approvalId'] as string;
  expect((await run(['approve', id, '--yes'])).out).toContain('Your approval is taken (1 of 2): further reviews are needed.\n');
  expect((await run(['deny', id, '--yes', '--comment', 'Too much.'], { token: people.bob })).out).toMatch(/Denied\.\n$/);
  expect((await run(['show', id])).out).toContain('ann approved, bob denied: Too much.');
});

test('who may not decide is told so in a sentence', async () => {
  const one = await request();
  await expect(run(['approve', one['approvalId'] as string, '--yes'], { token: people.eve })).rejects.toThrow(/reviewer_not_allowed/);
  await expect(run(['decide', one['approvalId'] as string])).rejects.toThrow('Usage: hoop approvals list | show ID');
  await expect(run(['show'])).rejects.toThrow('Usage: hoop approvals');
});

test('watch prints what waits and every change, also over a broken stream, and ends when it is stopped', async () => {
  const one = await request();
  const stop = new AbortController();
  const { heard, ...given } = io(people.ann, undefined, stop.signal);
  const watching = runCommand(['approvals', 'watch'], given);
  const lines = (id: unknown): string[] => heard.out.split('\n').filter((line) => line.includes(String(id)));
  await expect.poll(() => lines(one['approvalId'])).toHaveLength(1);
  expect(lines(one['approvalId'])[0]).toMatch(/^pending +apr_\w+ {2}.* → .* {2}POST https:\/\/api\.example\/v1\/refunds {2}\(until /);

  await h.database.pool.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hoop-listen' AND datname = current_database()",
  );
  await expect.poll(() => heard.said).toContain('it is followed again');
  await run(['deny', one['approvalId'] as string, '--yes', '--comment', 'No.']);
  const other = await request();
  await expect.poll(() => lines(other['approvalId'])).toHaveLength(1);
  // The denial came on one of the streams, or between two: then it no longer waits, and the stream does not begin with it.
  expect(
    lines(one['approvalId'])
      .slice(1)
      .filter((line) => !/^denied .*\(ann denied: No\.\)$/.test(line)),
  ).toEqual([]);
  stop.abort();
  expect(await watching).toBe(0);
});
