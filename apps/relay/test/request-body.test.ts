/** The recorded request body is masked like the response, in any coding; the body that is sent does not change. */
import type { RequestListener } from 'node:http';
import { brotliCompressSync, gzipSync } from 'node:zlib';

import { approvalRuleSchema, credentialSourceSettingsSchema, maskRuleSchema } from '@hoop/contract';
import type { ConnectionSettings, ConnectionSnapshot, RecordedBody, Rule } from '@hoop/contract';
import { openBody, openDataKey } from '@hoop/sealing';
import { readBody, startTarget } from '@hoop/testkit';
import type { TestTarget } from '@hoop/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { World } from './world.ts';

let world: World;
let target: TestTarget;
let sent: Buffer;
let answer: RequestListener;
beforeAll(async () => {
  world = await World.start();
  target = await startTarget((req, res) => answer(req, res));
});
beforeEach(() => {
  answer = async (req, res) => {
    sent = await readBody(req);
    res.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  };
});
afterAll(async () => {
  await target.close();
  await world.close();
});

const body = JSON.stringify({ email: 'ada@example.com', note: 'x' });
const masked = '{"email":"[redacted]","note":"x"}';
const json = { 'content-type': 'application/json' };

const connect = (maxBodyBytes = 1_048_576): Promise<ConnectionSnapshot> =>
  world.connect({
    target: target.url,
    mask: [maskRuleSchema.parse({ key: 'email' })],
    settings: { recording: { capture: 'full', maxBodyBytes } },
  });

/** The facts and the content that are recorded of a request. */
async function recorded(
  connection: ConnectionSnapshot,
  headers: Record<string, string>,
  content: string | Uint8Array<ArrayBuffer>,
): Promise<{ facts: RecordedBody; kept: string | null; status: number }> {
  const response = await world.call(connection, '/x', { method: 'POST', headers, body: content });
  await response.text();
  const { outcome } = await world.record(response.headers.get('hoop-call'));
  const facts = outcome!.requestBody!;
  if (facts.sealed === null) return { facts, kept: null, status: response.status };
  const key = await openDataKey(world.recordingKeys.privateJwks, outcome!.dataKey!.wrapped);
  return { facts, kept: openBody(key, facts.sealed, `${outcome!.callId}:request`).toString(), status: response.status };
}

describe('the body of a request is recorded', () => {
  it.each([
    ['gzip', gzipSync(body)],
    ['gzip, br', brotliCompressSync(gzipSync(body))],
  ])('masked and without its codings, and sent with them: %s', async (codings, bytes) => {
    const { facts, kept } = await recorded(await connect(), { ...json, 'content-encoding': codings }, bytes);
    expect(sent).toEqual(bytes);
    expect(kept).toBe(masked);
    expect(facts).toMatchObject({ bytes: bytes.length, keptBytes: masked.length, truncated: false, decoded: true });
    expect(facts.withheld ?? false).toBe(false);
  });

  it('masked without more ado where it has no codings', async () => {
    const { facts, kept } = await recorded(await connect(), json, body);
    expect(kept).toBe(masked);
    expect(facts).toEqual({
      bytes: body.length,
      digest: expect.any(String),
      sealed: expect.any(String),
      keptBytes: masked.length,
      truncated: false,
      contentType: 'application/json',
    });
  });

  it('as far as the limit goes, of what was sent and of what it decodes to', async () => {
    const list = JSON.stringify({ email: 'ada@example.com', list: Array.from({ length: 2000 }, (_, i) => i) });
    const packed = gzipSync(list);
    for (const limit of [packed.length + 500, packed.length - 500]) {
      const { facts, kept } = await recorded(await connect(limit), { ...json, 'content-encoding': 'gzip' }, packed);
      expect(kept).toMatch(/^\{"email":"\[redacted\]","list":\[0,1,2,/);
      expect(facts.keptBytes).toBeLessThanOrEqual(limit);
      expect(facts).toMatchObject({ bytes: packed.length, truncated: true, decoded: true });
    }
  });

  it.each([
    ['of a type that is not understood', { 'content-type': 'image/png' }, body],
    ['in a coding that is not known', { ...json, 'content-encoding': 'x-own' }, body],
    ['that is not what its coding says', { ...json, 'content-encoding': 'gzip' }, body],
    ['that is malformed', { ...json, 'content-encoding': 'gzip' }, gzipSync('{"note":"x",, "email":"ada@example.com"}')],
    ['that is malformed, without codings', json, '{"note":"x",, "email":"ada@example.com"}'],
    ['of no type', { 'content-type': '', 'content-encoding': 'gzip' }, gzipSync(body)],
  ])('not at all where the rules cannot be applied to it, and says so: %s', async (_what, headers, content) => {
    const { facts, kept, status } = await recorded(await connect(), headers, content);
    expect(status).toBe(200);
    expect(sent).toEqual(Buffer.from(content));
    expect(kept).toBeNull();
    expect(facts).toMatchObject({ bytes: content.length, sealed: null, keptBytes: 0, truncated: true, withheld: true });
  });

  it('masked also of a call that fails', async () => {
    answer = (req) => void req.on('end', () => req.socket.destroy()).resume();
    const { kept, status } = await recorded(await connect(), { ...json, 'content-encoding': 'gzip' }, gzipSync(body));
    expect(status).toBe(400);
    expect(kept).toBe(masked);
  });
});

describe('the body of a refused call is recorded', () => {
  const rules: Rule[] = [
    { name: 'small', effect: 'allow', when: 'request.body.amount <= 100', mask: [maskRuleSchema.parse({ key: 'note' })] },
    {
      name: 'by hand',
      effect: 'require_approval',
      when: 'request.body.amount == 50',
      approval: approvalRuleSchema.parse({ reviewers: ['group:ops'] }),
    },
  ];
  const refusedBy = async (settings: Partial<ConnectionSettings['recording']> = {}): Promise<ConnectionSnapshot> =>
    world.connect({
      target: target.url,
      rules,
      mask: [maskRuleSchema.parse({ key: 'email' })],
      settings: { recording: { capture: 'full', ...settings } },
    });
  const large = JSON.stringify({ amount: 500, email: 'ada@example.com', note: 'secret' });

  async function refused(connection: ConnectionSnapshot, content: string | ReadableStream, headers: Record<string, string> = json) {
    const response = await world.call(connection, '/x', { method: 'POST', headers, body: content, duplex: 'half' });
    const { head, outcome } = await world.record(response.headers.get('hoop-call'));
    const facts = outcome!.requestBody;
    if (facts?.sealed == null) return { status: response.status, head, facts, kept: null };
    const key = await openDataKey(world.recordingKeys.privateJwks, outcome!.dataKey!.wrapped);
    return { status: response.status, head, facts, kept: openBody(key, facts.sealed, `${outcome!.callId}:request`).toString() };
  }

  it('masked by the policy and by every rule, whichever it was meant to fall under', async () => {
    const { status, head, facts, kept } = await refused(await refusedBy(), large);
    expect(status).toBe(403);
    expect(head!.decision).toMatchObject({ effect: 'deny' });
    expect(kept).toBe('{"amount":500,"email":"[redacted]","note":"[redacted]"}');
    expect(facts).toMatchObject({
      bytes: large.length,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      truncated: false,
      contentType: 'application/json',
    });
  });

  it.each([
    ['in two spellings of a name', '{"amount":5,"Amount":50000}', 422],
    ['with a number that servers read differently', '{"amount":100.00000000000000001}', 403],
  ])('also where it could not be decided about: %s', async (_what, content, expected) => {
    const { status, kept } = await refused(await refusedBy(), content);
    expect(status).toBe(expected);
    expect(kept).toBe(content);
  });

  it('as far as the setting goes: facts alone without capture, and a part over the limit', async () => {
    const none = await refused(await refusedBy({ capture: 'heads' }), large);
    expect(none).toMatchObject({ kept: null, facts: { bytes: large.length, keptBytes: 0, digest: expect.any(String) } });
    const part = await refused(await refusedBy({ maxBodyBytes: 20 }), large);
    expect(part.facts).toMatchObject({ bytes: large.length, truncated: true });
    expect(part.kept!.length).toBeLessThanOrEqual(40);
    expect(part.kept).not.toContain('ada@');
  });

  it('as far as it was read, where it is too long to be decided about', async () => {
    const connection = await world.connect({
      target: target.url,
      rules,
      mask: [maskRuleSchema.parse({ key: 'email' })],
      settings: { recording: { capture: 'full' }, limits: { maxInspectedBytes: 100_000 } },
    });
    const content = JSON.stringify({ email: 'ada@example.com', amount: 5, text: 'x'.repeat(300_000) });
    const announced = await refused(connection, content);
    expect(announced).toMatchObject({ status: 413, kept: null, facts: { bytes: content.length, keptBytes: 0, truncated: true } });
    const stream = new ReadableStream({
      start(controller) {
        for (let at = 0; at < content.length; at += 10_000) controller.enqueue(Buffer.from(content.slice(at, at + 10_000)));
        controller.close();
      },
    });
    const streamed = await refused(connection, stream);
    expect(streamed.status).toBe(413);
    expect(streamed.facts).toMatchObject({ digest: null, truncated: true });
    expect(streamed.facts!.bytes).toBeGreaterThan(100_000);
    expect(streamed.kept).toMatch(/^\{"email":"\[redacted\]","amount":5,"text":"x/);
  });

  it('and says so where it was refused before it was read', async () => {
    const connection = await world.connect({
      target: target.url,
      rules: [{ name: 'reads', effect: 'allow', match: { methods: ['GET'] } }],
    });
    const { facts } = await refused(connection, large);
    expect(facts).toMatchObject({ unread: true, bytes: 0, sealed: null });
  });

  it('of a call that had its intent and was never sent', async () => {
    const connection = await world.connect({
      target: target.url,
      rules: [{ name: 'all', effect: 'allow', when: 'request.body.amount > 1' }],
      credential: {
        settings: credentialSourceSettingsSchema.parse({
          type: 'oauth2_client_credentials',
          tokenUrl: `${target.url}/nothing`,
          clientId: 'x',
        }),
        secrets: { clientSecret: 'y' },
      },
    });
    answer = (_req, res) => void res.writeHead(500).end();
    const { status, kept } = await refused(connection, '{"amount":5}');
    expect(status).toBe(503);
    expect(kept).toBe('{"amount":5}');
  });

  it('within a rate, above which the length alone is', async () => {
    const connection = await refusedBy();
    const content = JSON.stringify({ amount: 500, text: 'x'.repeat(300_000) });
    const all = await Promise.all(Array.from({ length: 8 }, () => refused(connection, content)));
    const kept = all.filter((one) => one.kept !== null);
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThan(8);
    for (const { facts } of all) expect(facts).toMatchObject({ bytes: content.length });
  });
});
