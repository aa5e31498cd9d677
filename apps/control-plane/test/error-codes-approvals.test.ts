/** Every declared error code of approvals, notifications and of what relays ask about both. */
import { errorsOf, newId, operations, type ErrorCode, type IdNoun, type Operation } from '@hoop/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { maxBodyBytes } from '../src/http/read-body.ts';
import { approvalRefusals as refusals, approvalSamples as samples, slackSigningSecret } from './error-codes-approvals.ts';
import type { Sample } from './error-codes.ts';
import { startHarness, type Answer, type Harness } from './harness.ts';

const tags = new Set(['Approvals', 'Notifications', 'Relay approvals']);
const own = operations.filter((operation) => tags.has(operation.tag));
const nouns: Record<string, IdNoun> = {
  approvalId: 'approval',
  channelId: 'notification_channel',
  deliveryId: 'notification_delivery',
  callId: 'call',
};

let h: Harness;
let down: Harness;
beforeAll(async () => {
  h = await startHarness({ slackSigningSecret, notifications: true });
  down = await startHarness({ slackSigningSecret, notifications: true });
});
afterAll(() => Promise.all([h.close(), down.close()]));

const send = (to: Harness, operation: Operation, sample: Sample): Promise<Answer<Record<string, any>>> =>
  to.call(operation.method, sample.path, sample);

/** The same request about something that is not there. */
function absent(operation: Operation, { path, ...rest }: Sample): Sample {
  const parameter = /\{(\w+)\}/.exec(operation.path)![1]!;
  const other = parameter === 'slackUserId' ? 'U0NOBODY' : newId(nouns[parameter]!);
  const position = operation.path.split('/').findIndex((part) => part.startsWith('{'));
  const [place = '', query] = path.split('?');
  return { ...rest, path: place.split('/').with(position, other).join('/') + (query === undefined ? '' : `?${query}`) };
}

/** How to get the codes that follow from an operation's shape. */
async function generic(operation: Operation, code: ErrorCode, sample: Sample): Promise<Answer<Record<string, any>>> {
  const type = operation.bodyType ?? 'application/json';
  switch (code) {
    case 'unauthenticated':
      return send(h, operation, { ...sample, token: operation.audience === 'relay' ? h.adminToken : null });
    case 'forbidden': {
      const role = (['approver', 'auditor', 'operator', 'admin'] as const).find((one) => !operation.audience.includes(one as never))!;
      return send(h, operation, { ...sample, token: await h.tokenOf(role) });
    }
    case 'invalid_request':
      return send(h, operation, { ...sample, path: `${sample.path}${sample.path.includes('?') ? '&' : '?'}bogus=1` });
    case 'payload_too_large':
      return send(h, operation, {
        ...sample,
        body: `{"x":"${'x'.repeat(maxBodyBytes)}"}`,
        headers: { ...sample.headers, 'content-type': type },
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
      return send(h, operation, { ...(await samples[operation.id]!(h)), headers });
    }
    case 'not_found':
      return send(h, operation, absent(operation, sample));
    default:
      throw new Error(`There is no request that gets ${code} from ${operation.id}: add it to error-codes-approvals.ts.`);
  }
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
  const withDatabase = own.filter((operation) => errorsOf(operation).includes('unavailable'));
  let paths: Map<string, Sample>;
  beforeAll(async () => {
    paths = new Map(await Promise.all(withDatabase.map(async (operation) => [operation.id, await samples[operation.id]!(down)] as const)));
    await down.testDatabase.drop();
  });

  it.each(withDatabase.map((operation) => [operation.id, operation] as const))(
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
