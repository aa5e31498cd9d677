import { request as httpRequest } from 'node:http';

import { generateGrantKeys } from '@hoop/tokens';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { heartbeatMs } from '../src/snapshot/revisions.ts';
import { startControlPlane } from '../src/index.ts';
import { startHarness, unique, type Harness } from './harness.ts';

let h: Harness;
beforeAll(async () => {
  h = await startHarness();
});
afterAll(() => h.close());

const snapshot = async (query = '', headers: Record<string, string> = {}) =>
  h.call<any>('GET', `/internal/relay/snapshot${query}`, { token: h.relayToken, headers });

interface Stream {
  /** Resolves with the first revision at or above `revision`, and when it came. */
  reached(revision: number): Promise<{ revision: number; at: number }>;
  readonly revisions: number[];
  readonly ended: Promise<void>;
  close(): void;
}

function follow(url: string): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${url}/internal/relay/changes`, { headers: { authorization: `Bearer ${h.relayToken}` } }, (response) => {
      const revisions: number[] = [];
      const waiting: { revision: number; done: (found: { revision: number; at: number }) => void }[] = [];
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          const event = /^event: revision\ndata: (.*)$/.exec(text.slice(0, end));
          text = text.slice(end + 2);
          if (event === null) continue;
          const { revision } = JSON.parse(event[1]!) as { revision: number };
          revisions.push(revision);
          for (const one of waiting) if (revision >= one.revision) one.done({ revision, at: performance.now() });
        }
      });
      const ended = new Promise<void>((done) => response.once('close', done));
      response.on('error', () => undefined);
      resolve({
        revisions,
        ended,
        close: () => request.destroy(),
        reached: (revision) =>
          new Promise((done) => {
            const known = revisions.find((one) => one >= revision);
            if (known !== undefined) done({ revision: known, at: performance.now() });
            else waiting.push({ revision, done });
          }),
      });
    });
    request.on('error', reject);
    request.end();
  });
}

describe('the snapshot', () => {
  it('is 304 while nothing has changed', async () => {
    const { headers, body } = await snapshot();
    const etag = headers.get('etag')!;
    expect(etag).toBe(`"${body.revision}"`);
    const again = await snapshot('', { 'if-none-match': etag });
    expect([again.status, again.text]).toEqual([304, '']);
    await h.makeProvider();
    expect((await snapshot('', { 'if-none-match': etag })).status).toBe(200);
  });

  it('gives only what changed since a revision, and all where that is unknown', async () => {
    const provider = await h.makeProvider();
    const { revision } = (await snapshot()).body;
    const identity = await h.makeIdentity({ provider: provider['id'] });
    const delta = (await snapshot(`?since=${revision}`)).body;
    expect(delta).toMatchObject({ full: false, revision: revision + 1, providers: [], connections: [], removed: [] });
    expect(delta.identities.map((one: { id: string }) => one.id)).toEqual([identity['id']]);
    expect((await snapshot('?since=999999')).body.full).toBe(true);
    expect((await snapshot('?since=0')).body.full).toBe(true);
  });

  it('counts a credential and a policy as changes of their connection', async () => {
    const connection = await h.makeConnection();
    const path = `/v1/connections/${connection['id']}`;
    let { revision } = (await snapshot()).body;
    const changes: [string, unknown][] = [
      ['credential', { settings: { type: 'static', injection: { into: 'header' } }, secrets: { secret: 'x' } }],
      ['policy', { rules: [] }],
    ];
    for (const [what, body] of changes) {
      await h.call('PUT', `${path}/${what}`, { body, headers: { 'if-none-match': '*' } });
      const delta = (await snapshot(`?since=${revision}`)).body;
      expect(delta.connections.map((one: { id: string }) => one.id)).toEqual([connection['id']]);
      revision = delta.revision;
    }
    await h.call('DELETE', `${path}/credential`);
    expect((await snapshot(`?since=${revision}`)).body.connections[0].credential).toBeNull();
  });

  it('rises by one with each of many mutations at once, and misses none', async () => {
    const { revision } = (await snapshot()).body;
    const made = await Promise.all(Array.from({ length: 20 }, () => h.makeConnection()));
    const after = (await snapshot(`?since=${revision}`)).body;
    expect(after.revision).toBe(revision + 20);
    expect(after.connections.map((one: { id: string }) => one.id).toSorted()).toEqual(made.map((one) => one['id']).toSorted());
    const rows = await h.database.prisma.connection.findMany({ where: { revision: { gt: revision } }, select: { revision: true } });
    expect(rows.map((row) => row.revision).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => revision + 1 + i));
  });

  it('does not move when a mutation is refused or repeated', async () => {
    const provider = await h.makeProvider();
    const headers = { 'idempotency-key': unique('key') };
    const body = { name: unique('x'), target: 'https://api.example' };
    await h.call('POST', '/v1/connections', { body, headers });
    const { revision } = (await snapshot()).body;
    await h.call('POST', '/v1/connections', { body, headers });
    await h.call('POST', '/v1/identity-providers', { body: { name: provider['name'], issuer: 'https://x.example', audiences: ['a'] } });
    expect((await snapshot()).body.revision).toBe(revision);
  });

  it('becomes a new revision when the control plane starts with other keys, and not when it starts with the same', async () => {
    const { revision } = (await snapshot()).body;
    const config = { ...h.config, publicUrl: h.url };
    await (await startControlPlane(config)).close();
    expect((await snapshot()).body.revision).toBe(revision);
    const grantKeyFile = `${h.config.grantKeyFile}.new`;
    await writeFile(grantKeyFile, JSON.stringify((await generateGrantKeys()).privateJwks));
    await (await startControlPlane({ ...config, grantKeyFile })).close();
    expect((await snapshot()).body.revision).toBe(revision + 1);
  });

  it('is for relays only', async () => {
    for (const token of [h.adminToken, `${h.relayToken}x`]) {
      const answer = await h.call<any>('GET', '/internal/relay/snapshot', { token });
      expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated']);
    }
    const events = await h.call<any>('GET', '/v1/security-events?kind=relay_authentication');
    expect(events.body.items.length).toBeGreaterThan(0);
    expect(events.text).not.toContain(h.relayToken);
  });
});

describe('the stream of changes', () => {
  it('tells the present revision at once, and each change long before the next heartbeat', async () => {
    const stream = await follow(h.url);
    const { revision } = await stream.reached(0);
    expect(revision).toBe((await snapshot()).body.revision);
    const latencies: number[] = [];
    for (let i = 1; i <= 10; i++) {
      const reached = stream.reached(revision + i);
      await h.makeProvider();
      const answered = performance.now();
      latencies.push((await reached).at - answered);
    }
    // The notification leaves with the commit, as the answer does: what is measured is how much later it arrives.
    expect(latencies.toSorted((a, b) => a - b)[5]!).toBeLessThan(heartbeatMs / 2);
    stream.close();
  });

  it('never tells of a revision that is not there to be read', async () => {
    const stream = await follow(h.url);
    const { revision } = await stream.reached(0);
    const seen = stream.reached(revision + 1);
    const making = h.makeProvider();
    await seen;
    const delta = (await snapshot(`?since=${revision}`)).body;
    expect(delta.providers).toHaveLength(1);
    await making;
    stream.close();
  });

  it('goes on after the database connection that listens was cut, and tells what was missed', async () => {
    const stream = await follow(h.url);
    const { revision } = await stream.reached(0);
    const { rows } = await h.database.pool.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'hoop-listen' AND datname = current_database()",
    );
    expect(rows.length).toBeGreaterThan(0);
    await h.database.pool.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hoop-listen' AND datname = current_database()",
    );
    await h.makeProvider();
    // An approval's subscriber may have had its stream cut for a fresh start; a relay would follow again, and so do we.
    await Promise.race([stream.reached(revision + 1), stream.ended.then(async () => (await follow(h.url)).reached(revision + 1))]);
    stream.close();
  });

  it('ends when the control plane shuts down, which does not wait for it', async () => {
    const second = await startControlPlane({ ...h.config, port: 0 });
    const stream = await follow(second.url);
    await stream.reached(0);
    const started = performance.now();
    await second.close();
    await stream.ended;
    expect(performance.now() - started).toBeLessThan(60_000);
  });
});
