/** Changes by the database's owner that leave every signature valid: rows set back, removed, or gone from the trail and the log. */
import { newId } from '@hoop/contract';
import { guardOf, sequenceLog } from '@hoop/database';
import { generateLogKeys, logSigner } from '@hoop/recording';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { startHarness, unique, type Harness } from './harness.ts';

type Json = Record<string, any>;

const keys = generateLogKeys();
const signer = logSigner(keys.privateJwks, 'hoop.example/audit');
let h: Harness;
let connection: Json;

beforeAll(async () => {
  h = await startHarness({ logKeys: keys.publicJwks, notifications: true });
});
afterAll(() => h.close());
beforeEach(async () => {
  const identity = await h.makeIdentity();
  connection = await h.makeConnection({ identities: [identity['id']] });
  await sequence();
  expect(await check()).toEqual([]);
});

async function sequence(): Promise<void> {
  while ((await sequenceLog(h.database.pool, { sign: signer.sign, guard: guardOf(h.database.prisma), now: Date.now() })).taken > 0);
}

/** As the owner: without triggers. */
async function sql(text: string, ...values: unknown[]): Promise<any[]> {
  const client = await h.database.pool.connect();
  try {
    await client.query("SET session_replication_role = 'replica'");
    return (await client.query(text, values)).rows;
  } finally {
    await client.query('RESET session_replication_role');
    client.release();
  }
}

/** All parts, of `limit` rows each. */
async function check(limit = 500): Promise<[kind: string, id: string][]> {
  const found: [string, string][] = [];
  for (let after: string | null = ''; after !== null;) {
    const { body, status, text }: { body: Json; status: number; text: string } = await h.call<Json>('POST', '/v1/records/check', {
      body: { after, limit },
    });
    expect(status, text).toBe(200);
    found.push(...(body['findings'] as Json[]).map((one): [string, string] => [one['kind'], one['id']]));
    after = body['next'] as string | null;
  }
  return found;
}

/** Puts the rows of a table that are named by `where` back as they were. */
async function saved(table: string, where: string, id: string): Promise<() => Promise<void>> {
  const rows = await sql(`SELECT to_jsonb(t) AS row FROM ${table} t WHERE ${where}`, id);
  return async () => {
    await sql(`DELETE FROM ${table} WHERE ${where}`, id);
    for (const { row } of rows)
      await sql(`INSERT INTO ${table} SELECT * FROM jsonb_populate_record(NULL::${table}, $1)`, JSON.stringify(row));
  };
}

describe('the check of what is signed', () => {
  it('finds a row that was set back, with its signature of then, until somebody changes it again', async () => {
    const restore = await saved('connections', 'id = $1', connection['id']);
    const members = await saved('connection_identities', 'connection_id = $1', connection['id']);
    await h.call('POST', `/v1/connections/${connection['id']}/disable`);
    // Before and after the event has its leaf.
    for (const wait of [() => Promise.resolve(), sequence]) {
      await wait();
      await restore();
      await members();
      expect((await h.call<Json>('GET', `/v1/connections/${connection['id']}`)).body).toMatchObject({ disabled: false });
      expect(await check()).toEqual([
        ['row_set_back', connection['id']],
        ['row_set_back', connection['id']],
      ]);
    }
    await h.call('POST', `/v1/connections/${connection['id']}/disable`);
    await sequence();
    // In parts of any size.
    expect(await check(3)).toEqual([]);
  });

  it('finds a row that was removed, and one that nobody signed', async () => {
    const { body: hold } = await h.call<Json>('POST', '/v1/legal-holds', {
      body: { kind: 'connection', subject: connection['id'], reason: 'a case' },
    });
    await sequence();
    const restore = await saved('legal_holds', 'id = $1', hold['id']);
    await sql('DELETE FROM legal_holds WHERE id = $1', hold['id']);
    expect(await check()).toEqual([['row_missing', hold['id']]]);
    await restore();
    await sql("UPDATE legal_holds SET reason = 'none' WHERE id = $1", hold['id']);
    // Named by itself and by its audit event.
    expect((await check()).map(([kind, id]) => [kind, id])).toEqual([
      ['row_not_authentic', hold['id']],
      ['row_set_back', hold['id']],
    ]);
    await restore();
    expect(await check()).toEqual([]);
    // A removal through the API is in the trail, so that the check reports nothing missing.
    const { body: sink } = await h.call<Json>('POST', '/v1/event-sinks', {
      body: { name: unique('sink'), kind: 'webhook', url: 'https://siem.example/x' },
    });
    expect((await h.call('DELETE', `/v1/event-sinks/${sink['id']}`, { headers: { 'if-match': '*' } })).status).toBeLessThan(300);
    await sequence();
    expect(await check()).toEqual([]);
  });

  it('finds an audit event that was removed, changed together with its leaf, or taken out of the queue of the log', async () => {
    const [event] = await sql('SELECT id FROM audit_events WHERE target_id = $1', connection['id']);
    const restore = await saved('audit_events', 'id = $1', event.id);
    await sql('DELETE FROM audit_events WHERE id = $1', event.id);
    expect(await check()).toEqual([
      ['row_not_in_trail', connection['id']],
      ['record_missing', event.id],
    ]);
    await restore();
    expect(await check()).toEqual([]);

    const other = await h.makeConnection();
    const [waiting] = await sql('SELECT id FROM audit_events WHERE target_id = $1', other['id']);
    const queue = await saved('log_pending', 'ref_id = $1', waiting.id);
    await sql('DELETE FROM log_pending WHERE ref_id = $1', waiting.id);
    // It waits for a minute before it is missed; this one is older, as far as the check can tell.
    const late = await checkAt(Date.now() + 120_000);
    expect(late).toContainEqual(['event_not_logged', waiting.id]);
    await queue();
    await sequence();
    expect(await check()).toEqual([]);
  });

  it('finds an audit event that nobody signed, which the sequencer keeps out of the log', async () => {
    const id = newId('audit_event');
    await h.database.pool.query(
      `INSERT INTO audit_events (id, at, actor_id, actor_name, actor_role, action, target_type, target_id, change, request_id, remote)
       VALUES ($1, now(), 'tok_1', 'ops', 'admin', 'x.y', 'x', 'x', '{}', 'r', '')`,
      [id],
    );
    const { refused, taken } = await sequenceLog(h.database.pool, {
      sign: signer.sign,
      guard: guardOf(h.database.prisma),
      now: Date.now(),
    });
    expect(refused.map((fault) => fault.id)).toEqual([id]);
    expect(taken).toBe(1);
    expect(await sql('SELECT 1 FROM log_leaves WHERE ref_id = $1', id)).toEqual([]);
    expect(await check()).toEqual([['row_not_authentic', id]]);
    await sql('DELETE FROM audit_events WHERE id = $1', id);
  });

  it('finds a leaf that was changed, in a tile that is whole', async () => {
    const ids = Array.from({ length: 600 }, () => newId('call'));
    await h.database.pool.query(`INSERT INTO calls (id, session_id, at) SELECT id, 'ses_1', now() FROM unnest($1::text[]) AS r(id)`, [ids]);
    await h.database.pool.query(`INSERT INTO log_pending (kind, ref_id) SELECT 'call', id FROM unnest($1::text[]) AS r(id)`, [ids]);
    await sequence();
    const findings = (): Promise<[string, string][]> => check().then((all) => all.filter(([kind]) => kind === 'log_changed'));
    expect(await findings()).toEqual([]);
    const restore = await saved('log_leaves', 'index = $1', '300');
    await sql(`UPDATE log_leaves SET digest = sha256('x') WHERE index = 300`);
    expect(await findings()).toEqual([['log_changed', 'leaves 256']]);
    await restore();
    await sql(`UPDATE log_nodes SET hash = sha256('x') WHERE level = 9 AND index = 0`);
    expect(await findings()).toEqual([['log_changed', 'node 9/0']]);
  });
});

/** As `check`, for events that are older than they are. */
async function checkAt(now: number): Promise<[kind: string, id: string][]> {
  vi.spyOn(Date, 'now').mockReturnValue(now);
  try {
    return await check();
  } finally {
    vi.restoreAllMocks();
  }
}
