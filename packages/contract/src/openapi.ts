/** `openapi.json` (OpenAPI 3.1.1), derived from the operations. */
import { z } from 'zod';

import { errorKinds, type ErrorCode } from './errors.ts';
import type { Operation } from './operation.ts';
import { headersOf, headersOfRefusal, refer } from './openapi-headers.ts';
import { responseHeaders } from './response-headers.ts';
import { createComponents, type Components, type Json } from './openapi-components.ts';
import { operations } from './operations/index.ts';
import { tags } from './operations/tags.ts';
import { everyRole } from './operations/wire.ts';

const problemSchema = z
  .looseObject({
    type: z.string().meta({ description: '`urn:hoop:error:<code>`' }),
    code: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    requestId: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ description: 'RFC 9457' });

const securitySchemes = {
  adminToken: { type: 'http', scheme: 'bearer', description: 'An admin token.' },
  relayToken: { type: 'http', scheme: 'bearer', description: 'The relays’ own token.' },
};

/** Error codes that follow from the shape of an operation, beside those that it names. */
export function errorsOf(operation: Operation): ErrorCode[] {
  const codes = new Set<ErrorCode>(operation.errors);
  if (operation.audience !== 'public') codes.add('unauthenticated');
  if (Array.isArray(operation.audience) && operation.audience.length < everyRole.length) codes.add('forbidden');
  codes.add('invalid_request');
  if (operation.body !== undefined) for (const code of ['payload_too_large', 'unsupported_media_type'] as const) codes.add(code);
  if (operation.body !== undefined && (operation.bodyType ?? 'application/json') === 'application/json') codes.add('malformed_json');
  if (operation.conditional === true) for (const code of ['precondition_required', 'precondition_failed'] as const) codes.add(code);
  if (operation.idempotent === true) codes.add('idempotency_key_reused');
  // Operations that answer from memory need no database.
  if (operation.audience !== 'public' || operation.id === 'exchangeToken' || operation.id === 'revokeToken') codes.add('unavailable');
  return [...codes];
}

/** Refusals of the token endpoint are 400 (RFC 6749 §5.2), even where the code has another status elsewhere. */
const statusOf = (operation: Operation, code: ErrorCode): number => {
  const { status } = errorKinds[code];
  return operation.path.startsWith('/oauth/') && [401, 403, 404].includes(status) ? 400 : status;
};

function parametersOf(operation: Operation): Json[] {
  const of = (schema: z.ZodObject | undefined, place: 'path' | 'query'): Json[] =>
    Object.entries(schema?.shape ?? {}).map(([name, member]) => {
      const { $schema: _, description, ...json } = z.toJSONSchema(member as z.ZodType, { io: 'input', unrepresentable: 'any' }) as Json;
      const isRequired = place === 'path' || !(member as z.ZodType).safeParse(undefined).success;
      return {
        name,
        in: place,
        required: isRequired,
        ...(description === undefined ? {} : { description }),
        schema: Object.keys(json).length === 0 ? { type: 'string' } : json,
      };
    });
  const header = (name: string, isRequired: boolean, description: string): Json => ({
    name,
    in: 'header',
    required: isRequired,
    description,
    schema: { type: 'string' },
  });
  return [
    ...of(operation.params, 'path'),
    ...of(operation.query, 'query'),
    ...(operation.conditional === true
      ? [header('If-Match', operation.method !== 'PUT', 'The ETag that was read (RFC 9110 §13.1.1).')]
      : []),
    ...(operation.conditional === true && operation.method === 'PUT' ? [header('If-None-Match', false, '`*` for the first one.')] : []),
    ...(operation.revalidated === true
      ? [header('If-None-Match', false, 'The ETag of the response that the client has (RFC 9110 §13.1.2).')]
      : []),
    ...(operation.idempotent === true ? [header('Idempotency-Key', false, 'The same key gets the same answer for 24 hours.')] : []),
  ];
}

function responsesOf(operation: Operation, components: Components): Json {
  const responses: Json = {};
  responses[operation.status] = {
    description: operation.summary,
    headers: refer(headersOf(operation)),
    ...(operation.response === undefined
      ? {}
      : { content: { [operation.responseType ?? 'application/json']: { schema: components.refer(operation.response, 'output') } } }),
  };
  if (operation.revalidated === true) {
    responses[304] = { description: 'The response that the client has is the newest.', headers: refer(['Request-Id', 'ETag']) };
  }
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of errorsOf(operation)) {
    const status = statusOf(operation, code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const isOAuth = operation.path.startsWith('/oauth/');
  for (const [status, codes] of [...byStatus].toSorted(([a], [b]) => a - b)) {
    responses[status] = {
      description: codes.map((code) => `\`${code}\`: ${errorKinds[code].title}`).join('. '),
      headers: refer(headersOfRefusal(operation, status)),
      content: { [isOAuth ? 'application/json' : 'application/problem+json']: { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  }
  return responses;
}

function describe(operation: Operation, components: Components): Json {
  const { audience } = operation;
  const callers = Array.isArray(audience) ? `Roles: ${audience.join(', ')}.` : audience === 'relay' ? 'For relays.' : 'No token is needed.';
  const description = [operation.description, callers].filter(Boolean).join('\n\n');
  return {
    operationId: operation.id,
    summary: operation.summary,
    description,
    tags: [operation.tag],
    ...(audience === 'public' ? { security: [] } : { security: [audience === 'relay' ? { relayToken: [] } : { adminToken: [] }] }),
    parameters: parametersOf(operation),
    ...(operation.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { [operation.bodyType ?? 'application/json']: { schema: components.refer(operation.body, 'input') } },
          },
        }),
    responses: responsesOf(operation, components),
  };
}

/** The description of the whole API, deterministic: the same operations give the same document. */
export function openApiDocument(): Json & { openapi: string } {
  const bodies = operations.flatMap(({ body, response }) => [body, response].filter((schema) => schema !== undefined));
  const components = createComponents(bodies);
  const paths: Record<string, Json> = {};
  for (const operation of operations) {
    (paths[operation.path] ??= {})[operation.method.toLowerCase()] = describe(operation, components);
  }
  const { $schema: _, ...problem } = z.toJSONSchema(problemSchema) as Json;
  return {
    openapi: '3.1.1',
    info: {
      title: 'Hoop',
      version: '0.1.0',
      description: 'The control plane: who may call what, under which policy, and what was called.',
      contact: { name: 'The operators of this Hoop' },
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [
      { url: '/', description: 'The control plane that serves this document.' },
      { url: 'http://127.0.0.1:7700', description: 'A Hoop on this machine, as `npm start` starts it.' },
    ],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: { ...components.used(), Problem: problem },
      headers: responseHeaders,
      securitySchemes,
    },
  };
}
