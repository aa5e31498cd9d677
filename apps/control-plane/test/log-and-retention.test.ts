import { errorsOf, newId, operations, type Operation } from '@hoop/contract';
import { guardOf, sequenceLog } from '@hoop/database';
import {
  generateLogKeys,
  logLeafHash,
  logSigner,
  openCheckpoint,
  verifyConsistency,
  verifyInclusion,
  verifyLogExport,
  type Checkpoint,
} from '@hoop/recording';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startHarness, unique, type Answer, type Harness, type Request } from './harness.ts';
import { recordCall } from './recorded-call.ts';

const keys = generateLogKeys();
const signer = logSigner(keys.privateJwks, 'hoop.example/audit');

let h: Harness;
/** Without keys of the log or of notifications, and with nothing sequenced. */
let bare: Harness;
beforeAll(async () => {
  h = await startHarness({ notifications: true, logKeys: keys.publicJwks });
  bare = await startHarness();
  await sequence();
});
afterAll(() => Promise.all([h?.close(), bare?.close()]));

async function sequence(): Promise<void> {
  while ((await sequenceLog(h.database.pool, { sign: signer.sign, guard: guardOf(h.database.prisma), now: Date.now() })).taken > 0);
}
const checkpointOf = (note: string): Checkpoint => {
  const verdict = openCheckpoint(note, signer.verifierKey);
  if (!verdict.ok) throw new Error(verdict.why);
  return verdict.checkpoint;
};
const hashes = (list: string[]): Buffer[] => list.map((hash) => Buffer.from(hash, 'base64'));
const verify = (text: string, earlier?: string) =>
  verifyLogExport(
    (async function* () {
      yield Buffer.from(text);
    })(),
    { keys: [signer.verifierKey], ...(earlier === undefined ? {} : { earlier }) },
  );
const match = { headers: { 'if-match': '*' } };
const webhook = () => ({ name: unique('sink'), kind: 'webhook', url: 'https://siem.example/hoop' });
const makeSink = async (over: Record<string, unknown> = {}): Promise<Record<string, any>> =>
  (await h.call('POST', '/v1/event-sinks', { body: { ...webhook(), ...over } })).body;
const makeFile = (): Promise<Record<string, any>> => makeSink({ kind: 'file', url: undefined, file: `${unique('events')}.ndjson` });
const makeHold = async (): Promise<Record<string, any>> => (await h.call('POST', '/v1/legal-holds', { body: await hold() })).body;
const hold = async () => ({ kind: 'session', subject: (await recordCall(h)).sessionId, reason: 'case 7' });
const sinkPath = async (rest = ''): Promise<string> => `/v1/event-sinks/${(await makeSink())['id']}${rest}`;

type Sample = Request & { readonly path: string };
const samples: Record<string, () => Promise<Sample>> = {
  getLogStatus: async () => ({ path: '/v1/log' }),
  getLogCheckpoint: async () => ({ path: '/v1/log/checkpoint' }),
  getLogKey: async () => ({ path: '/v1/log/key' }),
  getInclusionProof: async () => {
    const { callId } = await recordCall(h);
    await sequence();
    return { path: `/v1/log/inclusion/${callId}` };
  },
  getConsistencyProof: async () => ({ path: '/v1/log/consistency?from=1' }),
  exportLog: async () => ({ path: '/v1/log/export' }),
  getRetention: async () => ({ path: '/v1/retention' }),
  putRetention: async () => ({ path: '/v1/retention', body: { unattributed: '30d', maximum: null }, ...match }),
  placeLegalHold: async () => ({ path: '/v1/legal-holds', body: await hold() }),
  listLegalHolds: async () => ({ path: '/v1/legal-holds' }),
  getLegalHold: async () => ({ path: `/v1/legal-holds/${(await makeHold())['id']}` }),
  liftLegalHold: async () => ({ path: `/v1/legal-holds/${(await makeHold())['id']}/lift` }),
  checkRecords: async () => ({ path: '/v1/records/check', body: {} }),
  createEventSink: async () => ({ path: '/v1/event-sinks', body: webhook() }),
  listEventSinks: async () => ({ path: '/v1/event-sinks' }),
  getEventSink: async () => ({ path: await sinkPath() }),
  updateEventSink: async () => ({ path: await sinkPath(), body: { maxBatch: 10 }, ...match }),
  pauseEventSink: async () => ({ path: await sinkPath('/pause') }),
  resumeEventSink: async () => ({ path: await sinkPath('/resume') }),
  deleteEventSink: async () => ({ path: await sinkPath() }),
};
const absent = async (id: string): Promise<Sample> => {
  const sample = await samples[id]!();
  return {
    ...sample,
    path: sample.path.replace(/(hld|snk|call)_[0-9a-z]{26}/, (_, prefix: string) => `${prefix}_${newId('request').slice(4)}`),
  };
};
const reused = async (id: string): Promise<Sample> => {
  const headers = { 'idempotency-key': newId('request') };
  const first = await samples[id]!();
  expect((await h.call('POST', first.path, { ...first, headers })).status).toBe(201);
  return { ...(await samples[id]!()), headers };
};
const refusals: Record<string, Record<string, () => Promise<Sample & { readonly on?: Harness }>>> = {
  getLogCheckpoint: { not_found: async () => ({ path: '/v1/log/checkpoint', on: bare }) },
  getLogKey: { unavailable: async () => ({ path: '/v1/log/key', on: bare }) },
  getConsistencyProof: {
    not_found: async () => ({ path: '/v1/log/consistency?from=0&to=999999' }),
    invalid_request: async () => ({ path: '/v1/log/consistency?from=999999' }),
  },
  exportLog: {
    unavailable: async () => ({ path: '/v1/log/export', on: bare }),
    not_found: async () => ({ path: '/v1/log/export', on: await unsequenced() }),
  },
  placeLegalHold: {
    not_found: async () => ({ path: '/v1/legal-holds', body: { kind: 'session', subject: newId('session'), reason: 'x' } }),
    conflict: async () => {
      const body = await hold();
      await h.call('POST', '/v1/legal-holds', { body });
      return { path: '/v1/legal-holds', body };
    },
  },
  liftLegalHold: {
    conflict: async () => {
      const path = `/v1/legal-holds/${(await makeHold())['id']}/lift`;
      await h.call('POST', path);
      return { path };
    },
  },
  createEventSink: {
    name_taken: async () => ({ path: '/v1/event-sinks', body: { ...webhook(), name: (await makeSink())['name'] } }),
    target_refused: async () => ({ path: '/v1/event-sinks', body: { ...webhook(), url: 'https://169.254.169.254/x' } }),
    conflict: async () => ({ path: '/v1/event-sinks', body: { name: unique('sink'), kind: 'file', file: (await makeFile())['file'] } }),
    unavailable: async () => ({ path: '/v1/event-sinks', body: webhook(), on: bare }),
  },
  updateEventSink: {
    name_taken: async () => ({ path: await sinkPath(), body: { name: (await makeSink())['name'] }, ...match }),
    target_refused: async () => ({ path: await sinkPath(), body: { url: 'https://elsewhere.example' }, ...match }),
    conflict: async () => ({ path: `/v1/event-sinks/${(await makeFile())['id']}`, body: { file: (await makeFile())['file'] }, ...match }),
  },
};
const others: Harness[] = [];
async function unsequenced(): Promise<Harness> {
  const other = await startHarness({ logKeys: keys.publicJwks });
  others.push(other);
  return other;
}
afterAll(() => Promise.all(others.map((other) => other.close())));

const own = operations.filter((operation) => ['Log', 'Retention', 'Event sinks'].includes(operation.tag));

async function refusal(operation: Operation, code: string): Promise<Answer<Record<string, any>>> {
  const { on, ...sample } = await (refusals[operation.id]?.[code] ?? generic(operation, code))();
  return (on ?? h).call(operation.method, sample.path, { ...sample, ...(on === undefined ? {} : { token: on.adminToken }) });
}
function generic(operation: Operation, code: string): () => Promise<Sample & { readonly on?: Harness }> {
  const sample = samples[operation.id]!;
  const role = (['approver', 'auditor', 'operator', 'admin'] as const).find((one) => !operation.audience.includes(one as never));
  const made: Record<string, () => Promise<Sample>> = {
    unauthenticated: async () => ({ ...(await sample()), token: null }),
    forbidden: async () => ({ ...(await sample()), token: await h.tokenOf(role!) }),
    invalid_request: async () => ({ ...(await sample()), path: `${(await sample()).path}?bogus=1` }),
    payload_too_large: async () => ({ ...(await sample()), body: `{"x":"${'x'.repeat(6_000_000)}"}` }),
    unsupported_media_type: async () => ({ ...(await sample()), headers: { 'if-match': '*', 'content-type': 'text/plain' } }),
    malformed_json: async () => ({ ...(await sample()), body: '{"name":' }),
    precondition_required: async () => ({ ...(await sample()), headers: {} }),
    precondition_failed: async () => ({ ...(await sample()), headers: { 'if-match': '"999"' } }),
    idempotency_key_reused: () => reused(operation.id),
    not_found: () => absent(operation.id),
  };
  if (made[code] === undefined) throw new Error(`There is no request that gets ${code} from ${operation.id}.`);
  return made[code];
}

describe.each(own.map((operation) => [operation.id, operation] as const))('%s', (id, operation) => {
  it('answers with its status', async () => {
    const sample = await samples[id]!();
    const answer = await h.call(operation.method, sample.path, sample);
    expect(answer.status, answer.text.slice(0, 500)).toBe(operation.status);
  });
  it.each(errorsOf(operation).filter((code) => code !== 'unavailable' || refusals[id]?.[code] !== undefined))(
    'can refuse with %s',
    async (code) => {
      const answer = await refusal(operation, code);
      expect(answer.body['code'], answer.text.slice(0, 500)).toBe(code);
      expect(answer.body['status']).toBe(answer.status);
    },
  );
});

describe('the log over REST', () => {
  it('gives the key and the checkpoint as text, and the checkpoint verifies with the key', async () => {
    const key = await h.call('GET', '/v1/log/key', { token: null });
    expect(key.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(key.text).toBe(`${signer.verifierKey}\n`);
    const note = await h.call('GET', '/v1/log/checkpoint');
    const status = (await h.call('GET', '/v1/log')).body;
    expect(checkpointOf(note.text)).toMatchObject({ origin: 'hoop.example/audit', size: status['size'] });
    expect(Buffer.from(checkpointOf(note.text).root).toString('base64')).toBe(status['root']);
  });

  it('proves a call and an audit event, in the newest log and in an older one', async () => {
    const { callId } = await recordCall(h);
    await sequence();
    const older = checkpointOf((await h.call('GET', '/v1/log/checkpoint')).text);
    const event = (await h.call('GET', '/v1/audit-events?limit=1')).body['items'][0].id as string;
    await recordCall(h);
    await sequence();
    for (const [id, query] of [
      [callId, ''],
      [event, ''],
      [callId, `?size=${older.size}`],
    ] as const) {
      const { leaf, size, proof, checkpoint } = (await h.call('GET', `/v1/log/inclusion/${id}${query}`)).body;
      const hash = logLeafHash(leaf.kind, leaf.id, Buffer.from(leaf.digest, 'hex'));
      expect(hash.toString()).toBe(Buffer.from(leaf.leafHash, 'base64').toString());
      expect(verifyInclusion(hash, leaf.index, size, hashes(proof), checkpointOf(checkpoint).root)).toBe(true);
    }
    const { from, to, proof, checkpoint } = (await h.call('GET', `/v1/log/consistency?from=${older.size}`)).body;
    expect(verifyConsistency(from, to, older.root, checkpointOf(checkpoint).root, hashes(proof))).toBe(true);
    expect((await h.call('GET', `/v1/log/inclusion/${callId}?size=0`)).status).toBe(404);
  });

  it('exports what verifies offline, to investigators only, and tells of it', async () => {
    const earlier = (await h.call('GET', '/v1/log/checkpoint')).text;
    await recordCall(h);
    await sequence();
    const answer = await h.call('GET', '/v1/log/export', { token: await h.tokenOf('auditor') });
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    const verdict = await verify(answer.text, earlier);
    expect(verdict.findings).toEqual([]);
    expect(verdict.ok).toBe(true);
    const [event] = (await h.call('GET', '/v1/audit-events?action=log.export&limit=1')).body['items'];
    expect(event).toMatchObject({ actor: { role: 'auditor' }, change: { after: { size: verdict.size } } });
    expect((await verify(answer.text.replace('"status":200', '"status":201'), earlier)).ok).toBe(false);
  });
});

describe('legal holds over REST', () => {
  it('are placed by name, listed and lifted, each with its audit event', async () => {
    const connection = await h.makeConnection();
    const placed = (
      await h.call('POST', '/v1/legal-holds', { body: { kind: 'connection', subject: connection['name'], reason: 'case 8' } })
    ).body;
    expect(placed).toMatchObject({ kind: 'connection', subjectId: connection['id'], placedBy: 'bootstrap', liftedAt: null });
    const list = (active: boolean) => h.call('GET', `/v1/legal-holds?subject=${connection['id']}&active=${active}`);
    expect((await list(true)).body['items']).toEqual([placed]);
    expect((await h.call('POST', `/v1/legal-holds/${placed['id']}/lift`, { token: await h.tokenOf('auditor') })).status).toBe(403);
    expect((await h.call('POST', `/v1/legal-holds/${placed['id']}/lift`)).body).toMatchObject({ liftedBy: 'bootstrap' });
    expect((await list(true)).body['items']).toEqual([]);
    expect((await list(false)).body['items']).toHaveLength(1);
    const events = (await h.call('GET', `/v1/audit-events?target=${placed['id']}`)).body['items'] as { action: string }[];
    expect(events.map((event) => event.action)).toEqual(['legal_hold.lift', 'legal_hold.place']);
  });

  it('can be placed on what is gone, by its id, and on nothing by another form of name', async () => {
    expect((await h.call('POST', '/v1/legal-holds', { body: { kind: 'identity', subject: newId('identity'), reason: 'x' } })).status).toBe(
      201,
    );
    expect(
      (await h.call('POST', '/v1/legal-holds', { body: { kind: 'identity', subject: newId('connection'), reason: 'x' } })).status,
    ).toBe(404);
    expect((await h.call('POST', '/v1/legal-holds', { body: { kind: 'session', subject: 'a-name', reason: 'x' } })).body['code']).toBe(
      'invalid_request',
    );
  });
});

describe('the check of the records over REST', () => {
  it('says what it found part by part, repairs where it is told to, and tells of it', async () => {
    for (let i = 0; i < 3; i++) await recordCall(h);
    await h.database.pool.query(`UPDATE sessions SET call_count = 99 WHERE id = (SELECT min(id) FROM sessions)`);
    const part = (await h.call('POST', '/v1/records/check', { body: { limit: 2 } })).body;
    expect(part).toMatchObject({ checked: 2, next: expect.stringMatching(/^call_/) });
    const whole = async (repair: boolean) =>
      ((await h.call('POST', '/v1/records/check', { body: { repair } })).body['findings'] as { kind: string; repaired: boolean }[]).map(
        (one) => [one.kind, one.repaired],
      );
    expect(await whole(false)).toEqual([['session_counters', false]]);
    expect(await whole(true)).toEqual([['session_counters', true]]);
    expect(await whole(false)).toEqual([]);
    expect((await h.call('GET', '/v1/audit-events?action=records.check')).body['items']).toHaveLength(1);
    expect((await h.call('GET', '/v1/audit-events?action=records.repair')).body['items']).toHaveLength(1);
  });
});

describe('event sinks over REST', () => {
  it('show their secret once, their lag always, and begin where they are told', async () => {
    await recordCall(h);
    await sequence();
    const { size } = (await h.call('GET', '/v1/log')).body as { size: number };
    const made = await makeSink({ start: 'beginning' });
    expect(made).toMatchObject({
      cursor: 0,
      lag: size,
      paused: false,
      failures: 0,
      lastError: null,
      secret: expect.stringMatching(/^whsec_/),
    });
    expect((await makeSink()) as object).toMatchObject({ cursor: size, lag: 0 });
    const { text } = await h.call('GET', `/v1/event-sinks/${made['id']}`);
    expect(text).not.toContain('whsec_');
    expect(text).not.toContain('sealed');
    const row = await h.database.prisma.eventSink.findUniqueOrThrow({ where: { id: made['id'] } });
    expect(row.sealed).not.toContain(made['secret'].slice(6));
    const given = await makeSink({ secret: `whsec_${Buffer.alloc(32, 1).toString('base64')}` });
    expect(given['secret']).toBeNull();
    expect(h.logged()).not.toContain('whsec_');
  });

  it('are paused and resumed, and tell of it', async () => {
    const { id } = await makeSink();
    expect((await h.call('POST', `/v1/event-sinks/${id}/pause`)).body).toMatchObject({ paused: true });
    expect((await h.call('POST', `/v1/event-sinks/${id}/resume`)).body).toMatchObject({ paused: false });
    const events = (await h.call('GET', `/v1/audit-events?target=${id}`)).body['items'] as { action: string }[];
    expect(events.map((event) => event.action)).toEqual(['event_sink.resume', 'event_sink.pause', 'event_sink.create']);
  });

  it.each([
    ['a webhook without a URL', { kind: 'webhook' }, 'url'],
    ['a file without a name', { kind: 'file' }, 'file'],
    ['a file with a URL', { kind: 'file', file: 'x', url: 'https://x.example' }, 'url'],
    ['a path out of the folder', { kind: 'file', file: '../x' }, 'file'],
    ['a path into a folder', { kind: 'file', file: 'a/b' }, 'file'],
    ['a hidden file', { kind: 'file', file: '.x' }, 'file'],
    ['a weak secret', { kind: 'webhook', url: 'https://x.example', secret: 'whsec_AAAA' }, 'secret'],
    ['a type that there is none of', { kind: 'webhook', url: 'https://x.example', types: ['x'] }, 'types'],
  ])('refuse %s', async (_what, body, path) => {
    const answer = await h.call('POST', '/v1/event-sinks', { body: { name: unique('sink'), ...body } });
    expect(answer.body['code'], answer.text).toBe('invalid_request');
    expect((answer.body['errors'] as { path: string }[])[0]!.path).toContain(path);
  });

  it('refuse to send what was signed for one host to another, and members of another kind', async () => {
    const [hook, file] = [await makeSink(), await makeFile()];
    const patch = (id: string, body: object) => h.call('PATCH', `/v1/event-sinks/${id}`, { body, ...match });
    expect((await patch(hook['id'], { url: 'https://siem.example/other' })).status).toBe(200);
    expect(
      (await patch(hook['id'], { url: 'https://evil.example', secret: `whsec_${Buffer.alloc(32, 1).toString('base64')}` })).status,
    ).toBe(200);
    expect((await patch(hook['id'], { file: 'x' })).body['code']).toBe('invalid_request');
    expect((await patch(file['id'], { url: 'https://x.example' })).body['code']).toBe('invalid_request');
  });
});
