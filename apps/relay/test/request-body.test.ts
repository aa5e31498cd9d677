/** What is recorded of a request's body: masked like the response, whatever it travelled in; what is sent does not change. */
import type { RequestListener } from 'node:http';
import { brotliCompressSync, gzipSync } from 'node:zlib';

import { maskRuleSchema } from '@hoop/contract';
import type { ConnectionSnapshot, RecordedBody } from '@hoop/contract';
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
