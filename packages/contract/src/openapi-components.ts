/** JSON Schemas (draft 2020-12) of the contract's zod schemas, as named components that refer to one another. */
import { z } from 'zod';

import * as approval from './approval.ts';
import * as connection from './connection.ts';
import * as credentialSource from './credential-source.ts';
import * as identityProvider from './identity-provider.ts';
import * as masking from './masking.ts';
import * as operations from './operations/index.ts';
import * as policy from './policy.ts';
import * as record from './record.ts';
import * as recordingSettings from './recording-settings.ts';
import * as snapshot from './snapshot.ts';

export type Json = Record<string, unknown>;

export interface Components {
  /** A reference to a component, or the schema itself where it has no name. */
  refer(schema: z.ZodType, io: 'input' | 'output'): Json;
  /** Those that were referred to, directly or not, by name. */
  used(): Record<string, Json>;
}

const rooms = [approval, connection, credentialSource, identityProvider, masking, operations, policy, record, recordingSettings, snapshot];
const prefix = '#/components/schemas/';

/** Names of exported schemas: `identitySchema` -> `Identity`. */
function namedSchemas(): Map<z.ZodType, string> {
  const names = new Map<z.ZodType, string>();
  const taken = new Set<string>();
  for (const [name, value] of rooms
    .flatMap((room) => Object.entries(room as Record<string, unknown>))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (!name.endsWith('Schema') || !(value instanceof z.ZodType) || names.has(value)) continue;
    const component = name.slice(0, 1).toUpperCase() + name.slice(1, -'Schema'.length);
    if (taken.has(component)) throw new Error(`Two schemas of the contract are called ${component}.`);
    taken.add(component);
    names.set(value, component);
  }
  return names;
}

/** @param unnamed schemas that operations use without a name */
export function createComponents(unnamed: readonly z.ZodType[]): Components {
  const names = namedSchemas();
  const own = new Map(unnamed.filter((schema) => !names.has(schema)).map((schema, i) => [schema, `_${i}`]));
  const convert = (io: 'input' | 'output'): Record<string, Json> => {
    const registry = z.registry<{ id: string }>();
    for (const [schema, id] of [...names, ...own]) registry.add(schema, { id });
    const { schemas } = z.toJSONSchema(registry, { io, uri: (id) => prefix + id, unrepresentable: 'any' }) as {
      schemas: Record<string, Json>;
    };
    return Object.fromEntries(Object.entries(schemas).map(([id, { $schema: _schema, $id: _id, ...json }]) => [id, json]));
  };
  const input = convert('input');
  const output = convert('output');
  const differing = findDiffering(input, output);

  // Input and output schemas differ where defaults are filled in; the input schema then has a name of its own.
  const nameOf = (id: string, io: 'input' | 'output'): string =>
    io === 'input' && differing.has(id) && !/(?:Input|Patch|Request)$/.test(id) ? `${id}Input` : id;
  const used = new Map<string, { readonly origin: string; json: Json }>();

  function rewrite(json: unknown, io: 'input' | 'output'): unknown {
    if (Array.isArray(json)) return json.map((item) => rewrite(item, io));
    if (typeof json !== 'object' || json === null) return json;
    return Object.fromEntries(
      Object.entries(closeTuple(withoutOwnFormat(json as Json))).map(([key, value]) => {
        if (key !== '$ref' || typeof value !== 'string' || !value.startsWith(prefix)) return [key, rewrite(value, io)];
        return [key, prefix + use(value.slice(prefix.length), io)];
      }),
    );
  }

  function use(id: string, io: 'input' | 'output'): string {
    const name = nameOf(id, io);
    const origin = differing.has(id) ? `${id} (${io})` : id;
    const known = used.get(name);
    if (known !== undefined && known.origin !== origin)
      throw new Error(`${known.origin} and ${origin} of the contract would both be called ${name}.`);
    if (known === undefined) {
      const entry = { origin, json: {} };
      used.set(name, entry);
      entry.json = rewrite((io === 'input' ? input : output)[id]!, io) as Json;
    }
    return name;
  }

  return {
    refer(schema, io) {
      const name = names.get(schema);
      if (name !== undefined) return { $ref: prefix + use(name, io) };
      return rewrite((io === 'input' ? input : output)[own.get(schema)!]!, io) as Json;
    },
    used: () => Object.fromEntries([...used].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, { json }]) => [name, json])),
  };
}

/** Zod's names of checks that a pattern beside them says too; no format of JSON Schema is called so. */
function withoutOwnFormat(json: Json): Json {
  if (json['format'] !== 'includes' && json['format'] !== 'starts_with') return json;
  const { format: _, ...rest } = json;
  return rest;
}

/** A tuple as tools read it that know `items` alone: of that length, and with `items` beside `prefixItems`. */
function closeTuple(json: Json): Json {
  const { prefixItems } = json;
  if (!Array.isArray(prefixItems) || (json['items'] !== undefined && json['items'] !== false)) return json;
  const { length } = prefixItems;
  const distinct = [...new Map(prefixItems.map((item) => [JSON.stringify(item), item as Json])).values()];
  return { ...json, items: distinct.length === 1 ? distinct[0] : { anyOf: distinct }, minItems: length, maxItems: length };
}

/** Names whose schema, or one that it refers to, is not the same in both directions. */
function findDiffering(input: Record<string, Json>, output: Record<string, Json>): Set<string> {
  const texts = Object.entries(output).map(([id, json]) => [id, JSON.stringify(json)] as const);
  const differing = new Set(texts.filter(([id, text]) => text !== JSON.stringify(input[id])).map(([id]) => id));
  for (let size = -1; size !== differing.size;) {
    size = differing.size;
    for (const [id, text] of texts) {
      for (const [, other] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) if (differing.has(other!)) differing.add(id);
    }
  }
  return differing;
}
