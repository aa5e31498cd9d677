import { errorsOf, newId, operations, type ErrorCode, type IdNoun, type Operation } from '@hoop/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { maxBodyBytes } from '../src/http/read-body.ts';
import { refusals, samples, type Sample } from './error-codes.ts';
import { startHarness, type Answer, type Harness } from './harness.ts';

/** Those of other rooms' tests. */
const otherTags = new Set(['Approvals', 'Notifications', 'Relay approvals', 'Log', 'Retention', 'Event sinks']);
const own = operations.filter((operation) => !otherTags.has(operation.tag));

const nouns: Record<string, IdNoun> = {
  provider: 'identity_provider',
  identity: 'identity',
  connection: 'connection',
  tokenId: 'admin_token',
  eventId: 'audit_event',
  grantId: 'grant',
  sessionId: 'session',
  callId: 'call',
};

let h: Harness;
let down: Harness;
/** Gives no computation the time that it needs. */
let hurried: Harness;

beforeAll(async () => {
  h = await startHarness();
  down = await startHarness();
  hurried = await startHarness({ computationDeadlineMs: 0 });
});
afterAll(() => Promise.all([h.close(), down.close(), hurried.close()]));

const send = (to: Harness, operation: Operation, sample: Sample): Promise<Answer<Record<string, any>>> =>
  to.call(operation.method, sample.path, sample);

/** Another path of the same operation, of something that is not there. */
function absent(operation: Operation, sample: Sample): Sample {
  const noun = operation.id === 'getSecurityEvent' ? 'security_event' : nouns[/\{(\w+)\}/.exec(operation.path)![1]!]!;
  const position = operation.path.split('/').findIndex((part) => part.startsWith('{'));
  const path = sample.path.split('/').with(position, newId(noun)).join('/');
  return { ...sample, path };
}

const otherRole = (operation: Operation) =>
  (['approver', 'auditor', 'operator', 'admin'] as const).find((role) => !operation.audience.includes(role as never))!;

/** How to get the codes that follow from an operation's shape. */
async function generic(operation: Operation, code: ErrorCode, sample: Sample): Promise<Answer<Record<string, any>>> {
  switch (code) {
    case 'unauthenticated':
      return send(h, operation, { ...sample, token: null });
    case 'forbidden':
      return send(h, operation, { ...sample, token: await h.tokenOf(otherRole(operation)) });
    case 'invalid_request':
      return send(h, operation, { ...sample, path: `${sample.path}?bogus=1` });
    case 'payload_too_large':
      return send(h, operation, {
        ...sample,
        body: `{"x":"${'x'.repeat(maxBodyBytes)}"}`,
        headers: { ...sample.headers, 'content-type': operation.bodyType ?? 'application/json' },
        form: undefined as never,
      });
    case 'unsupported_media_type':
      return send(h, operation, { ...sample, headers: { ...sample.headers, 'content-type': 'text/plain' } });
    case 'malformed_json':
      return send(h, operation, { ...sample, body: '{"name":' });
    case 'precondition_required':
      return send(h, operation, { ...sample, headers: {} });
    case 'precondition_failed':
      return send(h, operation, { ...sample, headers: { 'if-match': '"999"' } });
    case 'idempotency_key_reused': {
      const headers = { 'idempotency-key': newId('request') };
      expect((await send(h, operation, { ...sample, headers })).status).toBe(operation.status);
      const other = (await samples[operation.id]!(h)).body as Record<string, unknown>;
      return send(h, operation, { ...sample, body: { ...other, name: `other-${Date.now()}` }, headers });
    }
    case 'not_found':
      return send(h, operation, absent(operation, sample));
    case 'too_costly':
      return send(hurried, operation, await costly(operation));
    case 'unavailable':
      return send(down, operation, sample);
    default:
      throw new Error(`There is no request that gets ${code} from ${operation.id}: add it to error-codes.ts.`);
  }
}

/** The sample over there; a policy of its own cannot be written where no policy can be checked. */
async function costly(operation: Operation): Promise<Sample> {
  const path = operation.path.replace('{connection}', (await hurried.makeConnection())['id'] as string);
  const { body, headers } = await samples[operation.id]!(h);
  if (typeof body !== 'object' || body === null || !('connection' in body)) return { path, body, headers } as Sample;
  return { path, body: { ...body, connection: (await hurried.makeConnection())['id'] }, headers } as Sample;
}

describe.each(own.map((operation) => [operation.id, operation] as const))('%s', (id, operation) => {
  let refused: Promise<Sample> | undefined;
  /** A request that is refused changes nothing: the same one can be refused for every reason. */
  const toRefuse = (): Promise<Sample> => (refused ??= samples[id]!(h));

  it.skipIf(operation.responseType === 'text/event-stream')('answers with its status', async () => {
    const answer = await send(h, operation, await samples[id]!(h));
    expect(answer.status, answer.text.slice(0, 500)).toBe(operation.status);
  });

  it.each(errorsOf(operation).filter((code) => code !== 'unavailable'))('can refuse with %s', async (code) => {
    const make = refusals[id]?.[code];
    const answer = make === undefined ? await generic(operation, code, await toRefuse()) : await send(h, operation, await make(h));
    expect(answer.body['code'], answer.text.slice(0, 500)).toBe(code);
    expect(answer.body['status']).toBe(answer.status);
    expect(answer.headers.get('request-id')).toBe(answer.body['requestId']);
    expect(typeof answer.body['detail']).toBe('string');
  });
});

describe('while the database is away', () => {
  let paths: Map<string, Sample>;
  beforeAll(async () => {
    const withDatabase = own.filter((operation) => errorsOf(operation).includes('unavailable'));
    paths = new Map(await Promise.all(withDatabase.map(async (operation) => [operation.id, await samples[operation.id]!(down)] as const)));
    await down.testDatabase.drop();
  });

  it.each(own.filter((operation) => errorsOf(operation).includes('unavailable')).map((operation) => [operation.id, operation] as const))(
    '%s answers 503 at once, without a detail of ours',
    async (id, operation) => {
      const answer = await send(down, operation, paths.get(id)!);
      expect(answer.status, answer.text).toBe(503);
      expect(answer.body['code']).toBe('unavailable');
      expect(answer.text).not.toMatch(/prisma|postgres|hoop_test/i);
    },
  );
});

it('has a request for every operation, and for none that is not there', () => {
  const ids = own.map((operation) => operation.id);
  expect(Object.keys(samples).filter((id) => !ids.includes(id))).toEqual([]);
  expect(ids.filter((id) => samples[id] === undefined)).toEqual([]);
});
