/** `openapi.json` as its readers have it: linters, generators and people. */
import { readFileSync } from 'node:fs';

import { createConfig, lintFromString } from '@redocly/openapi-core';
import spectral from '@stoplight/spectral-core';
import rulesets from '@stoplight/spectral-rulesets';
import { describe, expect, it } from 'vitest';

const text = readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8');
const document = JSON.parse(text);
const schemas: Record<string, any> = document.components.schemas;

type Operation = Record<string, any> & { readonly operationId: string };
const operations: Operation[] = Object.values<Record<string, Operation>>(document.paths).flatMap((methods) => Object.values(methods));

/** Every object within a value, with its path. */
function* within(value: any, path = '', into: (ref: string) => any = () => undefined, seen = new Set<unknown>()): Generator<[any, string]> {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  yield [value, path];
  for (const [name, child] of Object.entries(value)) yield* within(child, `${path}/${name}`, into, seen);
  if (typeof value.$ref === 'string') yield* within(into(value.$ref), value.$ref, into, seen);
}

const follow = (ref: string): any =>
  ref
    .split('/')
    .slice(1)
    .reduce((value, name) => value[name], document);

async function redocly(source: string): Promise<string[]> {
  const config = await createConfig({ extends: ['recommended'] });
  return (await lintFromString({ source, absoluteRef: 'openapi.json', config })).map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

async function spectralOas(source: string): Promise<string[]> {
  const linter = new spectral.Spectral();
  linter.setRuleset({ extends: [rulesets.oas as never] });
  return (await linter.run(source)).map(({ code, path }) => `${code}: ${path.join('.')}`);
}

describe('the linters of others', () => {
  it('find nothing: redocly, with its recommended rules', async () => {
    expect(await redocly(text)).toEqual([]);
  });

  it('find nothing: spectral, with its rules for OpenAPI', async () => {
    expect(await spectralOas(text)).toEqual([]);
  });

  it('find what is taken away', async () => {
    const { servers: _, ...without } = document;
    const poorer = JSON.stringify({ ...without, info: { ...document.info, contact: undefined } });
    expect((await redocly(poorer)).join()).toContain('no-empty-servers');
    expect((await spectralOas(poorer)).join()).toContain('info-contact');
  });
});

describe('a request', () => {
  it('need not have a member that has a default', () => {
    const demanded: string[] = [];
    for (const { operationId, requestBody, parameters } of operations) {
      for (const one of parameters) if (one.required && one.schema.default !== undefined) demanded.push(`${operationId} ${one.name}`);
      for (const [schema, path] of within(requestBody, operationId, follow)) {
        for (const name of Array.isArray(schema.required) ? schema.required : []) {
          if (schema.properties?.[name]?.default !== undefined) demanded.push(`${path} ${name}`);
        }
      }
    }
    expect(demanded).toEqual([]);
  });

  it('shares a schema with a response only where both may have the same members', () => {
    const used = (parts: unknown[]): Set<string> => {
      const refs = parts.flatMap((part) => [...within(part, '', follow)].map(([{ $ref }]) => $ref as string | undefined));
      return new Set(refs.filter((ref): ref is string => ref?.startsWith('#/components/schemas/') === true));
    };
    const sent = used(operations.map(({ requestBody }) => requestBody));
    const returned = used(operations.map(({ responses }) => responses));
    const both = [...sent].filter((ref) => returned.has(ref));
    const withDefaults = both.filter((ref) =>
      [...within(follow(ref))].some(([one]) => Object.values(one.properties ?? {}).some((member: any) => member.default !== undefined)),
    );
    expect(both.length).toBeGreaterThan(0);
    expect(withDefaults).toEqual([]);
  });
});

describe('descriptions', () => {
  it('are the comments of the contract: of schemas, members, parameters and operations', () => {
    const { maxRequestBytes, idleTimeoutMs } = schemas['ConnectionLimitsInput'].properties;
    expect(idleTimeoutMs).toMatchObject({ description: 'Between two chunks of a body.', default: 60_000 });
    expect(maxRequestBytes.description).toBe(
      'The largest request body, bytes. The default is 1 GiB + 64 MiB, so that a 1 GiB upload passes.',
    );
    expect(schemas['PathSettings'].description).toMatch(/^How the target reads paths\. /);
    const list = operations.find(({ operationId }) => operationId === 'listIdentities')!;
    expect(list['parameters'].find((one: any) => one.name === 'limit').description).toBe('Items at most.');
  });

  it('have nothing of the comment’s form in them', () => {
    expect(text).not.toMatch(/@default|"description": "[*/]|"description": ""/);
  });

  it('are there for every operation and every tag', () => {
    for (const { operationId, description } of operations) expect(description, operationId).toMatch(/\S/);
    for (const { name, description } of document.tags) expect(description, name).toMatch(/\S/);
  });
});

it('says of every response which headers it has', () => {
  for (const { operationId, responses } of operations) {
    for (const [status, { headers }] of Object.entries<any>(responses)) {
      expect(Object.keys(headers), `${operationId} ${status}`).toContain('Request-Id');
      if (status === '401' && operationId !== 'receiveSlackInteraction')
        expect(Object.keys(headers), operationId).toContain('WWW-Authenticate');
      if (status === '503') expect(Object.keys(headers), operationId).toContain('Retry-After');
    }
  }
});
