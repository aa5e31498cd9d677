/** PATCH is a merge patch (RFC 7396): each member of each resource changes alone, at every depth, and null gives the default back. */
import { isDeepStrictEqual } from 'node:util';

import { operations, type Operation } from '@hoop/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { mergePatch } from '../src/http/merge.ts';
import { startHarness, unique, type Harness } from './harness.ts';

let h: Harness;
beforeAll(async () => {
  h = await startHarness({ notifications: true });
});
afterAll(() => h.close());

type Json = Record<string, any>;

interface Resource {
  readonly operation: string;
  readonly path: string;
  /** All members that creation needs, and those whose value cannot be made up from their schema. */
  readonly base: () => Promise<Json>;
  /** Another value for members whose schema does not tell one, by path. */
  readonly others: () => Promise<Json>;
  /** Members that the resource does not show. */
  readonly hidden?: readonly string[];
  /** Members that belong to another kind of it. */
  readonly foreign?: readonly string[];
  /** Members that this kind of it cannot do without. */
  readonly kept?: readonly string[];
}

const secret = (fill: string): string => `whsec_${Buffer.from(fill.repeat(32)).toString('base64')}`;

const resources: readonly Resource[] = [
  {
    operation: 'updateConnection',
    path: '/v1/connections',
    base: async () => ({ target: 'https://api.payments.example', identities: [(await h.makeIdentity())['name']] }),
    others: async () => ({
      target: 'https://api.payments.example/v2',
      allowedHosts: ['files.payments.example'],
      allowedCidrs: ['10.0.0.0/8'],
      unmaskedContentTypes: ['image/png'],
      identities: [(await h.makeIdentity())['name']],
      proxyHeaders: ['x-real-ip'],
      'recording.retention': '5d',
    }),
  },
  {
    operation: 'updateIdentity',
    path: '/v1/identities',
    base: async () => ({ provider: (await h.makeProvider())['name'], match: 'true', owner: 'ops', labels: { team: 'a', tier: 'b' } }),
    others: async () => ({
      provider: (await h.makeProvider())['name'],
      match: 'claims.sub == "x"',
      owner: 'dev',
      'labels.team': 'c',
      'unmanaged.hosts': ['*.example'],
      'unmanaged.allowedCidrs': ['10.0.0.0/8'],
    }),
  },
  {
    operation: 'updateIdentityProvider',
    path: '/v1/identity-providers',
    base: async () => ({ issuer: `https://${unique('issuer')}.example`, audiences: ['hoop'], jwksUri: 'https://keys.example/jwks' }),
    others: async () => ({
      issuer: `https://${unique('issuer')}.example`,
      jwksUri: 'https://other.example/jwks',
      audiences: ['other'],
      algorithms: ['ES256'],
      allowedCidrs: ['10.0.0.0/8'],
    }),
  },
  {
    operation: 'updateEventSink',
    path: '/v1/event-sinks',
    base: async () => ({ kind: 'webhook', url: 'https://sink.example/hook', secret: secret('a') }),
    others: async () => ({
      url: 'https://sink.example/other',
      allowedCidrs: ['10.0.0.0/8'],
      types: ['hoop.call.concluded'],
      secret: secret('b'),
    }),
    hidden: ['secret', 'lag', 'cursor', 'nextAttemptAt'],
    foreign: ['file'],
    kept: ['url', 'secret'],
  },
  {
    operation: 'updateNotificationChannel',
    path: '/v1/notification-channels',
    base: async () => ({ kind: 'slack', url: 'https://slack.com/api/chat.postMessage', slackChannel: 'C1', secret: 'xoxb-one' }),
    others: async () => ({
      url: 'https://slack.com/api/other',
      allowedCidrs: ['10.0.0.0/8'],
      events: ['approval.denied'],
      reviewers: ['group:payments'],
      slackChannel: 'C2',
      secret: 'xoxb-two',
    }),
    hidden: ['secret'],
  },
];

const operationOf = (id: string): Operation => operations.find((one) => one.id === id)!;

interface Leaf {
  readonly path: string;
  readonly schema: z.ZodType;
  readonly isNullable: boolean;
}

/** Every member of a PATCH body that holds no further members. */
function leavesOf(shape: Readonly<Record<string, unknown>>, prefix = ''): Leaf[] {
  return Object.entries(shape).flatMap(([name, member]) => {
    let schema = (member as z.ZodOptional).unwrap() as z.ZodType;
    const isNullable = schema instanceof z.ZodNullable;
    if (schema instanceof z.ZodNullable) schema = schema.unwrap() as z.ZodType;
    if (schema instanceof z.ZodObject) return leavesOf(schema.shape, `${prefix}${name}.`);
    if (schema instanceof z.ZodRecord) return [{ path: `${prefix}${name}.team`, schema, isNullable: true }];
    return [{ path: prefix + name, schema, isNullable }];
  });
}

function otherValue(schema: z.ZodType, present: unknown): unknown {
  if (schema instanceof z.ZodBoolean) return present !== true;
  if (schema instanceof z.ZodEnum) return schema.options.find((option) => option !== present);
  if (schema instanceof z.ZodLiteral) return schema.value;
  if (schema instanceof z.ZodNumber) return Number(present ?? schema.minValue ?? 0) + 1;
  return undefined;
}

const at = (value: Json, path: string): unknown => path.split('.').reduce<any>((inner, name) => inner?.[name], value);
const topOf = (leaf: Leaf): string => leaf.path.split('.')[0]!;
const nested = (path: string, value: unknown): Json => path.split('.').reduceRight<any>((inner, name) => ({ [name]: inner }), value);

/** Members that change together with another: who had a grant by the old match may be nobody by the new one. */
const foreseen: Readonly<Record<string, readonly string[]>> = { match: ['grantsNotBefore'], provider: ['grantsNotBefore'] };

function without(resource: Json, hidden: readonly string[] = []): Json {
  const { version: _v, updatedAt: _u, createdAt: _c, id: _i, ...rest } = resource;
  return Object.fromEntries(Object.entries(rest).filter(([name]) => !hidden.includes(name)));
}

describe.each(resources)('$operation', ({ operation, path, base, others, hidden = [], foreign = [], kept = [] }) => {
  const leaves = leavesOf((operationOf(operation).body as z.ZodObject).shape).filter((leaf) => !foreign.includes(leaf.path));

  /** A resource of which every member is something else than its default, and one with the defaults. */
  async function makeFull(): Promise<{ full: Json; plain: Json }> {
    const given = await base();
    const plain = await h.call<Json>('POST', path, { body: { ...given, name: unique('plain') } });
    expect(plain.status, plain.text).toBe(201);
    const other = await others();
    let full: Json = { ...given, name: unique('full') };
    for (const leaf of leaves) {
      if (at(full, leaf.path) !== undefined || leaf.schema instanceof z.ZodLiteral) continue;
      full = mergePatch(full, nested(leaf.path, other[leaf.path] ?? otherValue(leaf.schema, at(plain.body, leaf.path)))) as Json;
    }
    if ('issuer' in full) full['issuer'] = `https://${unique('issuer')}.example`;
    const made = await h.call<Json>('POST', path, { body: full });
    expect(made.status, made.text).toBe(201);
    return { full: made.body, plain: plain.body };
  }

  const patch = (of: Json, body: Json) =>
    h.call<Json>('PATCH', `${path}/${of['id']}`, { body, headers: { 'if-match': `"${of['version']}"` } });
  const rest = (resource: Json, leaf: Leaf) => without(resource, [...hidden, ...(foreseen[leaf.path] ?? []), topOf(leaf)]);

  it.each(leaves.filter(({ schema }) => !(schema instanceof z.ZodLiteral)))('changes $path and nothing else', async (leaf) => {
    const { full, plain } = await makeFull();
    const present = at(full, leaf.path);
    const candidates = [(await others())[leaf.path], otherValue(leaf.schema, present), at(plain, leaf.path)];
    const value =
      leaf.path === 'name' ? unique('renamed') : candidates.find((one) => one !== undefined && !isDeepStrictEqual(one, present));
    expect(value, `another value for ${leaf.path}`).toBeDefined();
    const changed = await patch(full, nested(leaf.path, value));
    expect(changed.status, changed.text).toBe(200);
    expect(rest(changed.body, leaf)).toEqual(rest(full, leaf));
    if (hidden.includes(leaf.path)) return;
    const shown = at(changed.body, topOf(leaf)) as Json;
    // A reference is shown with its id.
    if (leaf.path === 'provider') expect(shown).toMatchObject({ name: value });
    else if (leaf.path === 'identities') expect(shown['map'](({ name }: Json) => name)).toEqual(value);
    else expect(shown).toEqual(mergePatch(at(full, topOf(leaf)), at(nested(leaf.path, value), topOf(leaf))));
  });

  it.each(leaves.filter(({ isNullable }) => isNullable))('gives $path its default back by null', async (leaf) => {
    const { full, plain } = await makeFull();
    const changed = await patch(full, nested(leaf.path, null));
    if (kept.includes(leaf.path)) {
      expect(changed.body).toMatchObject({ code: 'invalid_request' });
      return;
    }
    expect(changed.status, changed.text).toBe(200);
    expect(rest(changed.body, leaf)).toEqual(rest(full, leaf));
    const isPartOfBase = at(await base(), leaf.path) !== undefined;
    const byDefault = leaf.path === 'identities' ? [] : isPartOfBase ? undefined : at(plain, leaf.path);
    expect(at(changed.body, leaf.path)).toEqual(byDefault);
  });

  it('refuses null for a member that it needs', async () => {
    const { full } = await makeFull();
    const needed = leaves.find((leaf) => !leaf.isNullable)!;
    expect((await patch(full, { [needed.path]: null })).body).toMatchObject({ code: 'invalid_request' });
  });
});

it('has a case for every PATCH of the contract', () => {
  const patches = operations.filter(({ method }) => method === 'PATCH');
  expect(resources.map(({ operation }) => operation).toSorted()).toEqual(patches.map(({ id }) => id).toSorted());
});

// RFC 7396, appendix A.
it.each([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('merges %j with %j as RFC 7396 does', (target, patch, result) => {
  expect(mergePatch(target, patch)).toEqual(result);
});
