import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { blobKey, createDirectoryBlobStore } from '@hoop/blobs';
import { exportedLineSchema, newId, searchLineSchema, type CallHead, type ExportedLine, type SearchLine } from '@hoop/contract';
import { closeOrphans, recordEntries } from '@hoop/database';
import { createDataKey, sealBody, toPublicJwks } from '@hoop/sealing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startHarness, type Harness } from './harness.ts';
import { recordCall } from './recorded-call.ts';

let h: Harness;
beforeAll(async () => {
  h = await startHarness();
});
afterAll(() => h.close());

const linesOf = <T>(text: string): T[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);

describe('a session as NDJSON', () => {
  it('is the session, then each call in order with its masked bodies, and is written down', async () => {
    const { sessionId } = await recordCall(h, { request: '{"n":0}', response: 'é' });
    for (let n = 1; n < 130; n++) await recordCall(h, { head: { sessionId }, request: `{"n":${n}}` });
    const answer = await h.call('GET', `/v1/sessions/${sessionId}/ndjson`);
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = linesOf<ExportedLine>(answer.text).map((line) => exportedLineSchema.parse(line));
    expect(lines[0]).toMatchObject({ type: 'session', session: { id: sessionId, callCount: 130 } });
    expect(lines.slice(1).map((line) => line.type === 'call' && line.request?.content)).toEqual(
      Array.from({ length: 130 }, (_, n) => `{"n":${n}}`),
    );
    expect(lines[1]).toMatchObject({ response: { encoding: 'utf8', content: 'é' } });
    const audit = await h.call<any>('GET', `/v1/audit-events?target=${sessionId}`);
    expect(audit.body.items).toMatchObject([{ action: 'session.export_ndjson' }]);
  });

  it('is whole although its bodies are larger than what is read at a time', async () => {
    const { sessionId } = await recordCall(h, { request: 'x'.repeat(6_000_000) });
    await recordCall(h, { head: { sessionId }, request: 'y'.repeat(6_000_000), response: 'z'.repeat(6_000_000) });
    const lines = linesOf<ExportedLine>((await h.call('GET', `/v1/sessions/${sessionId}/ndjson`)).text);
    expect(lines.map((line) => (line.type === 'call' ? line.request?.content.length : 0))).toEqual([0, 6_000_000, 6_000_000]);
  });
});

describe('a search', () => {
  const search = async (body: Record<string, unknown>, token?: string): Promise<SearchLine[]> => {
    const answer = await h.call('POST', '/v1/calls/search', { body, ...(token === undefined ? {} : { token }) });
    expect(answer.status, answer.text).toBe(200);
    return linesOf<SearchLine>(answer.text).map((line) => searchLineSchema.parse(line));
  };
  const matches = (lines: SearchLine[]) => lines.filter((line) => line.type === 'match');
  const end = (lines: SearchLine[]) => lines.at(-1) as Extract<SearchLine, { type: 'end' }>;

  it('finds a text in the masked bodies of a selection, newest first, and says where', async () => {
    const { sessionId, callId: first } = await recordCall(h, { request: '{"note":"The Needle"}' });
    const { callId: second } = await recordCall(h, { head: { sessionId }, response: '{"a":"needle","b":"needle"}' });
    await recordCall(h, { request: 'a needle of another session' });
    const lines = await search({ text: 'needle', filter: { session: sessionId } });
    expect(matches(lines).map((line) => [line.call.id, line.side, line.count])).toEqual([
      [second, 'response', 2],
      [first, 'request', 1],
    ]);
    expect(matches(lines)[1]!.excerpts).toEqual([{ before: '{"note":"The ', text: 'Needle', after: '"}' }]);
    expect(end(lines)).toMatchObject({ type: 'end', reason: 'complete', scanned: 2, searched: 4, matched: 2, next: null });
    expect(matches(await search({ text: 'needle', ignoreCase: false, filter: { session: sessionId } }))).toHaveLength(1);
    expect(matches(await search({ text: 'needle', side: 'request', filter: { session: sessionId } }))).toHaveLength(1);
    expect(matches(await search({ pattern: '"needle"[,}]', filter: { session: sessionId } }))[0]).toMatchObject({ count: 2 });
  });

  it('undoes content codings', async () => {
    const { callId, sessionId } = await recordCall(h, { response: '' });
    const zipped = gzipSync('{"zipped":"needle"}');
    const dataKey = await createDataKey(toPublicJwks(h.recordingKeys).keys[0]!);
    await h.database.prisma.dataKey.create({ data: { id: dataKey.id, sessionId, wrapped: dataKey.wrapped } });
    const facts = { bytes: zipped.length, digest: null, keptBytes: zipped.length, truncated: false, contentType: 'application/json' };
    const data = { responseHeaders: [['content-encoding', 'gzip']], responseBody: facts, dataKeyId: dataKey.id };
    await h.database.prisma.call.update({ where: { id: callId }, data });
    const sealed = Buffer.from(sealBody(dataKey.key, zipped, `${callId}:response`), 'base64');
    await h.database.prisma.callBody.upsert({
      where: { callId_side: { callId, side: 'response' } },
      update: { sealed },
      create: { callId, side: 'response', sealed },
    });
    expect(matches(await search({ text: 'needle', filter: { session: sessionId } }))).toMatchObject([{ side: 'response', count: 1 }]);
  });

  it('takes a body whose codings were undone by the relay as it is', async () => {
    const { callId, sessionId } = await recordCall(h, {
      request: '{"note":"needle"}',
      head: { requestHeaders: [['content-encoding', 'gzip']] },
    });
    const facts = { bytes: 40, digest: null, keptBytes: 17, truncated: false, contentType: 'application/json', decoded: true };
    await h.database.prisma.call.update({ where: { id: callId }, data: { requestBody: facts } });
    const lines = await search({ text: 'needle', filter: { session: sessionId } });
    expect(matches(lines)).toMatchObject([{ side: 'request', count: 1 }]);
    expect(end(lines).skipped).toMatchObject({ encoded: 0 });
  });

  it('counts what it could not search, and why', async () => {
    const none = { bytes: 9, digest: 'd'.repeat(64), sealed: null, keptBytes: 0, truncated: true, contentType: 'text/plain' };
    const { sessionId, callId: purged } = await recordCall(h);
    await h.database.prisma.call.update({ where: { id: purged }, data: { purgedAt: new Date() } });
    await h.database.prisma.callBody.deleteMany({ where: { callId: purged } });
    await recordCall(h, { head: { sessionId }, outcome: { requestBody: none, responseBody: null } });
    const { callId: broken } = await recordCall(h, { head: { sessionId } });
    await h.database.prisma.callBody.update({
      where: { callId_side: { callId: broken, side: 'request' } },
      data: { sealed: Buffer.alloc(64) },
    });
    expect(end(await search({ text: 'x', filter: { session: sessionId } }))).toMatchObject({
      scanned: 3,
      searched: 1,
      skipped: { purged: 2, notKept: 1, notOpenable: 1 },
    });
  });

  it('ends at each of its limits, says which, and goes on from there', async () => {
    const { sessionId } = await recordCall(h, { request: 'needle 0' });
    for (let n = 1; n < 6; n++) await recordCall(h, { head: { sessionId }, request: `needle ${n}` });
    const filter = { session: sessionId };
    const first = await search({ text: 'needle', filter, maxCalls: 2 });
    expect(end(first)).toMatchObject({ reason: 'calls', scanned: 2 });
    const second = await search({ text: 'needle', filter, maxMatches: 3, cursor: end(first).next });
    expect(end(second)).toMatchObject({ reason: 'matches', matched: 3 });
    const third = await search({ text: 'needle', filter, cursor: end(second).next });
    expect(end(third)).toMatchObject({ reason: 'complete', matched: 1 });
    const texts = [first, second, third].flatMap((lines) => matches(lines).map((line) => line.excerpts[0]!.after));
    expect(texts).toEqual([' 5', ' 4', ' 3', ' 2', ' 1', ' 0']);
  });

  it('leaves a trace without what was looked for', async () => {
    const { sessionId } = await recordCall(h);
    await search({ text: 'very-private-text', filter: { session: sessionId, method: 'POST' } }, await h.tokenOf('auditor'));
    const audit = await h.call<any>('GET', `/v1/audit-events?target=${sessionId}`);
    expect(audit.body.items).toMatchObject([
      { action: 'call.search', actor: { role: 'auditor' }, change: { after: { by: 'text', length: 17, filter: { method: 'POST' } } } },
    ]);
    expect(audit.text).not.toContain('very-private-text');
  });

  it('runs no more at a time than it should', async () => {
    await recordCall(h);
    const answers = await Promise.all(Array.from({ length: 12 }, () => h.call<any>('POST', '/v1/calls/search', { body: { text: 'x' } })));
    const statuses = answers.map(({ status }) => status);
    expect(statuses).toContain(200);
    for (const refused of answers.filter(({ status }) => status !== 200)) {
      expect(refused.status).toBe(503);
      expect(refused.body).toMatchObject({ code: 'unavailable', detail: expect.stringContaining('scans') });
      expect(refused.headers.get('retry-after')).toBe('5');
    }
    expect((await h.call('POST', '/v1/calls/search', { body: { text: 'x' } })).status).toBe(200);
  });

  it('stops when its client goes away', async () => {
    const { sessionId } = await recordCall(h);
    for (let n = 0; n < 10; n++) await recordCall(h, { head: { sessionId } });
    const abort = new AbortController();
    const response = await fetch(`${h.url}/v1/calls/search`, {
      method: 'POST',
      signal: abort.signal,
      headers: { authorization: `Bearer ${h.adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'e', filter: {}, maxMatches: 1000 }),
    });
    await response.body!.getReader().read();
    abort.abort();
    // Its place is free again.
    for (let n = 0; n < 6; n++) expect((await h.call('POST', '/v1/calls/search', { body: { text: 'x', maxCalls: 1 } })).status).toBe(200);
  });
});

interface Event {
  readonly id?: string;
  readonly event: string;
  readonly data: any;
}

/** Reads server-sent events as they come. */
async function follow(path: string, headers: Record<string, string> = {}) {
  const abort = new AbortController();
  const response = await fetch(h.url + path, { signal: abort.signal, headers: { authorization: `Bearer ${h.adminToken}`, ...headers } });
  expect(response.status).toBe(200);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    async next(): Promise<Event> {
      for (;;) {
        const end = text.indexOf('\n\n');
        if (end >= 0) {
          const fields = Object.fromEntries(
            text
              .slice(0, end)
              .split('\n')
              .map((line) => line.split(/: (.*)/s).slice(0, 2)),
          );
          text = text.slice(end + 2);
          if (fields['event'] !== 'ping') return { ...fields, data: JSON.parse(fields['data'] as string) } as unknown as Event;
          continue;
        }
        const read = await reader.read();
        if (read.done) throw new Error('the stream has ended');
        text += read.value;
      }
    },
    close: () => abort.abort(),
  };
}

describe('following calls', () => {
  it('tells of each that matches when it is recorded and when it is concluded, as it then stands', async () => {
    const connection = (await h.makeConnection())['id'] as string;
    const stream = await follow(`/v1/calls/events?connection=${connection}`);
    await recordCall(h);
    const { callId } = await recordCall(h, { head: { connectionId: connection } });
    expect(await stream.next()).toMatchObject({
      event: 'call',
      id: expect.stringMatching(/^\d{13}-call_/),
      data: { id: callId, state: 'completed', status: 200 },
    });

    const head = {
      callId: newId('call'),
      sessionId: newId('session'),
      at: Date.now(),
      relayId: newId('relay'),
      remoteAddress: '',
      connectionId: connection,
      connectionName: 'x',
    };
    const subject = { identityId: null, identityName: null, issuer: null, subject: null, grantId: null };
    const rest = {
      subject,
      claims: null,
      snapshotRevision: 1,
      decision: null,
      context: null,
      method: 'GET',
      url: 'https://a/',
      path: '/',
      requestHeaders: [],
      traceId: null,
    };
    await recordEntries(h.database.pool, [{ type: 'intent', head: { ...head, ...rest } as CallHead }]);
    expect(await stream.next()).toMatchObject({ data: { id: head.callId, state: 'pending' } });
    await closeOrphans(h.database.pool, -1);
    expect(await stream.next()).toMatchObject({ data: { id: head.callId, state: 'unknown' } });
    stream.close();
  });

  it('goes on where it was cut', async () => {
    const connection = (await h.makeConnection())['id'] as string;
    const path = `/v1/calls/events?connection=${connection}`;
    const stream = await follow(path);
    await recordCall(h, { head: { connectionId: connection } });
    const { id } = await stream.next();
    stream.close();
    const { callId } = await recordCall(h, { head: { connectionId: connection } });
    const resumed = await follow(path, { 'last-event-id': id! });
    const told = [(await resumed.next()).data.id, (await resumed.next()).data.id];
    expect(told).toContain(callId);
    resumed.close();
  });

  it('begins a session with its calls so far', async () => {
    const { sessionId, callId } = await recordCall(h);
    const stream = await follow(`/v1/sessions/${sessionId}/events`);
    expect((await stream.next()).data.id).toBe(callId);
    const { callId: second } = await recordCall(h, { head: { sessionId } });
    expect((await stream.next()).data.id).toBe(second);
    stream.close();
  });

  it('says that there is more than it tells', async () => {
    const connection = (await h.makeConnection())['id'] as string;
    const stream = await follow(`/v1/calls/events?connection=${connection}`);
    await h.database.prisma.$executeRaw`SELECT pg_notify('hoop_calls', '')`;
    expect(await stream.next()).toMatchObject({ event: 'gap' });
    const many = Array.from({ length: 6000 }, () => newId('call'));
    await h.database.prisma.$transaction(async (tx) => {
      for (let from = 0; from < many.length; from += 200)
        await tx.$executeRaw`SELECT pg_notify('hoop_calls', ${many.slice(from, from + 200).join()})`;
    });
    expect(await stream.next()).toMatchObject({ event: 'gap' });
    stream.close();
  });

  it('shows summaries only, to every role', async () => {
    const { sessionId } = await recordCall(h, { request: '{"canary":1}' });
    const stream = await follow(`/v1/sessions/${sessionId}/events`, { authorization: `Bearer ${await h.tokenOf('approver')}` });
    const { data } = await stream.next();
    expect(Object.keys(data)).not.toContain('requestHeaders');
    expect(JSON.stringify(data)).not.toContain('canary');
    stream.close();
  });
});

describe('bodies in the blob store', () => {
  it('are read, exported and searched like any, and say when their store is away', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hoop-blobs-'));
    const blobs = createDirectoryBlobStore(folder);
    const other = await startHarness({ blobs });
    try {
      const { callId, sessionId } = await recordCall(other, { response: '{"note":"needle"}' });
      const row = await other.database.prisma.callBody.findUniqueOrThrow({ where: { callId_side: { callId, side: 'response' } } });
      const sealed = Buffer.from(row.sealed!);
      const blob = blobKey({ callId, side: 'response' }, sealed);
      await blobs.put(blob, sealed);
      const data = { sealed: null, blob, hash: createHash('sha256').update(sealed).digest() };
      await other.database.prisma.callBody.update({ where: { callId_side: { callId, side: 'response' } }, data });

      expect((await other.call<any>('GET', `/v1/calls/${callId}/bodies`)).body.response.content).toBe('{"note":"needle"}');
      expect((await other.call('GET', `/v1/sessions/${sessionId}/har`)).text).toContain('needle');
      expect((await other.call('GET', `/v1/sessions/${sessionId}/ndjson`)).text).toContain('needle');
      const found = await other.call('POST', '/v1/calls/search', { body: { text: 'needle', filter: { session: sessionId } } });
      expect(linesOf<SearchLine>(found.text)[0]).toMatchObject({ type: 'match', side: 'response' });

      await rm(folder, { recursive: true });
      expect((await other.call<any>('GET', `/v1/calls/${callId}/bodies`)).body).toMatchObject({ code: 'conflict' });
      await writeFile(folder, 'in the way');
      const away = await other.call<any>('GET', `/v1/calls/${callId}/bodies`);
      expect([away.status, away.body.code]).toEqual([503, 'unavailable']);
    } finally {
      await other.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
