/** `hoop sessions`, `hoop calls` and `hoop policy` against a control plane with recorded calls. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { runCommand } from '@hoop/cli';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startHarness, type Harness } from '../../apps/control-plane/test/harness.ts';
import { recordCall } from '../../apps/control-plane/test/recorded-call.ts';

let h: Harness;
let folder: string;
let connection: string;
let sessionId: string;
beforeAll(async () => {
  [h, folder] = await Promise.all([startHarness(), mkdtemp(path.join(os.tmpdir(), 'hoop-investigate-'))]);
  const made = await h.makeConnection({ name: 'payments' });
  connection = made['id'] as string;
  const head = { connectionId: connection, connectionName: 'payments' };
  ({ sessionId } = await recordCall(h, { head: { ...head, method: 'GET', path: '/v1/customers/1' }, response: '{"name":"Ada"}' }));
  await recordCall(h, { head: { ...head, sessionId }, request: '{"amount":5,"note":"needle"}' });
});
afterAll(async () => {
  await h.close();
  await rm(folder, { recursive: true });
});

async function run(args: string[], env: Record<string, string> = {}) {
  let out = '';
  let said = '';
  const io = {
    env: { HOOP_URL: h.url, HOOP_ADMIN_TOKEN: h.adminToken, ...env },
    out: (text: string) => void (out += `${text}\n`),
    say: (text: string) => void (said += `${text}\n`),
    stop: new AbortController().signal,
    kill: new AbortController().signal,
  };
  const code = await runCommand(args, io);
  return {
    code,
    out,
    said,
    values: () =>
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as any),
  };
}
const policyFile = async (text: string): Promise<string> => {
  const file = path.join(folder, 'policy.yaml');
  await writeFile(file, text);
  return file;
};

describe('hoop sessions', () => {
  test('list finds sessions by what their calls were', async () => {
    const other = await recordCall(h, { head: { method: 'DELETE', path: '/v1/odd' } });
    const found = await run(['sessions', 'list', '--method', 'delete', '--path', '/v1/o*', '--since', '1h']);
    expect(found.code).toBe(0);
    expect(found.out.split('\n')[0]).toMatch(/^SESSION +BEGAN +IDENTITY +CALLS/);
    expect(found.out).toContain(other.sessionId);
    expect(found.out).not.toContain(sessionId);
    expect((await run(['sessions', 'list', '--limit', '1', '--json'])).values()).toHaveLength(1);
    expect((await run(['sessions', 'list', '--rule', 'nobody'])).out).toBe('No session matches.\n');
  });

  test('show gives the calls in order', async () => {
    const { out } = await run(['sessions', 'show', sessionId]);
    expect(out).toContain('identity  nightly');
    expect(out.indexOf('/v1/customers/1')).toBeLessThan(out.indexOf('/v1/refunds'));
    expect((await run(['sessions', 'show', sessionId, '--json'])).values()).toMatchObject([
      { id: sessionId },
      { method: 'GET' },
      { method: 'POST' },
    ]);
  });

  test('replay plays them back', async () => {
    const { out } = await run(['sessions', 'replay', sessionId, '--speed', '0']);
    expect(out.replaceAll(/\s+/g, ' ')).toMatch(/→ GET .* ← 200 .*"name":"Ada".*→ POST .*needle/);
    const lines = (await run(['sessions', 'replay', sessionId, '--speed', '0', '--json'])).values();
    expect(lines.map((line) => line.kind)).toEqual(['request', 'response', 'request', 'response']);
  });

  test('export writes a HAR, or NDJSON, that nobody else can read', async () => {
    const file = path.join(folder, 'session.har');
    expect((await run(['sessions', 'export', sessionId, '--output', file])).code).toBe(0);
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
      log: { version: '1.2', entries: [{ request: { method: 'GET' } }, {}] },
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await run(['sessions', 'export', sessionId, '--format', 'ndjson', '--output', file]);
    expect((await readFile(file, 'utf8')).trimEnd().split('\n')).toHaveLength(3);
  });

  test.each([
    [['sessions'], 'needs one of list, show, replay, export'],
    [['sessions', 'show'], 'needs the id of one session'],
    [['sessions', 'list', 'x'], 'takes flags only'],
    [['sessions', 'list', '--speed', '2'], 'has no --speed'],
    [['sessions', 'list', '--bogus'], 'bogus'],
    [['sessions', 'list', '--since', 'yesterday'], '--since must be a time'],
    [['sessions', 'list', '--limit', 'many'], '--limit must be a number'],
    [['sessions', 'export', 'ses_x', '--format', 'xml'], '--format must be har or ndjson'],
    [['sessions', 'show', 'ses_00000000000000000000000000'], 'There is no such session. (404 not_found)'],
    [['sessions', 'show', 'nonsense'], 'must be an id like'],
    [['calls', 'find', 'x'], 'Usage: hoop calls search'],
    [['calls', 'search', '(', '--pattern'], 'RE2'],
    [['policy', 'backtest'], 'Usage: hoop policy'],
    [['policy', 'propose'], 'needs --connection'],
    [['policy', 'propose', '--connection', 'nothing'], 'there is no connection "nothing"'],
  ])('%j says what is wrong', async (args, sentence) => {
    await expect(run(args)).rejects.toThrow(expect.objectContaining({ name: 'StartError', message: expect.stringContaining(sentence) }));
  });

  test('says that it has no token, a wrong one, or nobody to talk to', async () => {
    await expect(run(['sessions', 'list'], { HOOP_ADMIN_TOKEN: '' })).rejects.toThrow('An admin token is needed');
    await expect(run(['sessions', 'list'], { HOOP_ADMIN_TOKEN: 'hoop_admin_wrong' })).rejects.toThrow('(401 unauthenticated)');
    await expect(run(['sessions', 'list'], { HOOP_URL: 'http://127.0.0.1:1' })).rejects.toThrow('Hoop cannot be reached');
    await expect(run(['sessions', 'list', '--token-file', path.join(folder, 'nothing')])).rejects.toThrow('cannot be read (ENOENT)');
    const file = path.join(folder, 'token');
    await writeFile(file, `${h.adminToken}\n`);
    expect((await run(['sessions', 'list', '--token-file', file, '--url', h.url], { HOOP_ADMIN_TOKEN: '', HOOP_URL: '' })).code).toBe(0);
  });

  test('does not give content to those who may not see it', async () => {
    await expect(run(['sessions', 'replay', sessionId], { HOOP_ADMIN_TOKEN: await h.tokenOf('operator') })).rejects.toThrow(
      '(403 forbidden)',
    );
  });
});

test('hoop calls search finds a text and says how far it looked', async () => {
  const found = await run(['calls', 'search', 'NEEDLE', '--session', sessionId]);
  expect(found.out).toContain('request: {"amount":5,"note":"needle"}');
  expect(found.said).toContain('2 calls looked at, 4 bodies read, 1 calls found.');
  expect((await run(['calls', 'search', 'NEEDLE', '--match-case', '--session', sessionId])).out).toBe('');
  const limited = await run(['calls', 'search', 'e', '--session', sessionId, '--max-calls', '1', '--status', '200', '--json']);
  expect(limited.values().at(-1)).toMatchObject({ type: 'end', reason: 'calls' });
});

describe('hoop policy', () => {
  test('backtest ends with 2 where something changes that the gate is about, and with 0 where not', async () => {
    const narrower = await policyFile('rules:\n  - { name: read, effect: allow, match: { methods: [GET] } }\n');
    const args = ['policy', 'backtest', narrower, '--connection', 'payments', '--since', '30d'];
    const denied = await run(args);
    expect([denied.code, denied.said]).toEqual([2, expect.stringContaining('Failed on newly-denied.')]);
    expect(denied.out).toContain('1 newly denied');
    expect(denied.out).toContain('/v1/refunds');
    expect((await run([...args, '--fail-on', 'newly-allowed'])).code).toBe(0);
    expect((await run([...args, '--fail-on', 'none'])).code).toBe(0);
    const json = await run([...args, '--json']);
    expect(json.values()[0]).toMatchObject({ changes: { newlyDenied: { count: 1 } }, failed: ['newly-denied'] });
    await expect(run([...args, '--fail-on', 'everything'])).rejects.toThrow('--fail-on has no "everything"');
  });

  test('backtest takes an incomplete look for a failure, unless told otherwise', async () => {
    const same = await policyFile('{"rules":[{"name":"all","effect":"allow"}]}');
    const args = ['policy', 'backtest', same, '--connection', 'payments'];
    expect((await run(args)).code).toBe(0);
    expect((await run([...args, '--max-calls', '1'])).code).toBe(2);
    expect((await run([...args, '--max-calls', '1', '--fail-on', 'newly-denied'])).code).toBe(0);
  });

  test("backtest reads a connection's policy out of a file with several documents", async () => {
    const file = await policyFile(
      'identity: nightly\n---\nconnection: other\npolicy: { rules: [] }\n---\nconnection: payments\npolicy:\n  rules: [{ name: all, effect: allow }]\n',
    );
    expect((await run(['policy', 'backtest', file, '--connection', 'payments'])).code).toBe(0);
    await expect(run(['policy', 'backtest', await policyFile('a: 1'), '--connection', 'payments'])).rejects.toThrow('has no rules');
    await expect(run(['policy', 'backtest', await policyFile('a: [1'), '--connection', 'payments'])).rejects.toThrow('is not YAML');
    await expect(run(['policy', 'backtest', path.join(folder, 'none'), '--connection', 'payments'])).rejects.toThrow('cannot be read');
    const broken = await policyFile('rules: [{ name: x, effect: allow, when: "((" }]');
    await expect(run(['policy', 'backtest', broken, '--connection', 'payments'])).rejects.toThrow(/rules\[0\].when/);
  });

  test('propose writes a policy that its own backtest holds for good', async () => {
    const proposed = await run(['policy', 'propose', '--connection', 'payments']);
    expect(proposed.out).toContain('# GET /v1/customers/:id: 1 calls, e.g. /v1/customers/1');
    const file = await policyFile(proposed.out);
    expect((await run(['policy', 'backtest', file, '--connection', 'payments'])).code).toBe(0);
  });
});

test('each command has its help', async () => {
  const { out } = await run(['help']);
  for (const name of ['sessions', 'calls', 'policy']) {
    expect(out).toContain(`see hoop help ${name}`);
    expect((await run(['help', name])).out).toContain('Exit codes');
    expect((await run([name, '--help'])).out).toBe((await run(['help', name])).out);
  }
});
