/**
 * The names that a condition can use. Each environment has a type checker (cel-js, strict: an unknown variable or field is
 * an error when the policy is saved) and readers that fetch the values when it is decided.
 */
import { Environment } from '@marcbachmann/cel-js';

import type { BodyState, Facts, IdentityFacts } from '../facts.ts';
import { Fault, known, Timestamp } from './values.ts';
import type { Meter } from './values.ts';

/** Everything that one evaluation reads. */
export interface Scope {
  readonly facts: Facts;
  /** Of the path pattern that matched. */
  readonly params: Readonly<Record<string, string>>;
  /** Iteration variables, by depth. */
  readonly variables: unknown[];
  /** By depth: the variable is the name of a member of a map that came with the request. */
  readonly names: boolean[];
  readonly meter: Meter;
}

export type Reader = (scope: Scope) => unknown;

export interface ConditionEnvironment {
  readonly checker: Environment;
  /** Variables that are read as they are. */
  readonly values: Readonly<Record<string, Reader>>;
  /** Variables of which only fields can be read. */
  readonly structs: Readonly<Record<string, Readonly<Record<string, Reader>>>>;
}

/** At most: nodes, nesting, elements of a literal. The length is limited by the schema (4096 characters). */
const limits = { maxAstNodes: 400, maxDepth: 48, maxListElements: 200, maxMapEntries: 50, maxCallArguments: 4 };
export const maxConditionLength = 4096;

const newChecker = (): Environment => new Environment({ unlistedVariablesAreDyn: false, limits });

const identitySchema = { name: 'string', issuer: 'string', subject: 'string', claims: 'map<string, dyn>', labels: 'map<string, string>' };

const identityReaders: Readonly<Record<string, Reader>> = {
  name: ({ facts }) => facts.identity.name,
  issuer: ({ facts }) => facts.identity.issuer,
  subject: ({ facts }) => facts.identity.subject,
  claims: ({ facts }) => known(facts.identity.claims, 'identity.claims'),
  labels: ({ facts }) => known(facts.identity.labels, 'identity.labels'),
};

const bodyFaults: Readonly<Record<Exclude<BodyState, 'absent' | 'parsed'>, string>> = {
  too_large: 'the body is larger than conditions can inspect',
  unsupported: 'the body is neither JSON nor a form, in UTF-8 and without a content coding',
  malformed: 'the body is not what its content type says',
  ambiguous: 'the body has names that servers could read differently',
  too_complex: 'the body is nested too deeply or has too many members',
  unread: 'the body was not read',
};

/** The parsed body; null where the request has none. A body that cannot be seen whole is a fault, never a prefix. */
export function readBody({ facts: { request } }: Scope): unknown {
  if (request.bodyState === 'parsed') return known(request.body, 'request.body');
  if (request.bodyState === 'absent') return null;
  throw new Fault(bodyFaults[request.bodyState], 'body');
}

/** `request`, `identity`, `connection`, `context`, `now`: for rules of a policy. */
export const requestEnvironment: ConditionEnvironment = {
  checker: newChecker()
    .registerVariable({
      name: 'request',
      schema: {
        method: 'string',
        path: 'string',
        params: 'map<string, string>',
        query: 'map<string, list<string>>',
        headers: 'map<string, string>',
        body: 'dyn',
      },
    })
    .registerVariable({ name: 'identity', schema: identitySchema })
    .registerVariable({ name: 'connection', schema: { name: 'string' } })
    .registerVariable('context', 'map<string, string>')
    .registerVariable('now', 'google.protobuf.Timestamp'),
  values: {
    context: ({ facts }) => known(facts.context, 'context'),
    now: ({ facts }) => new Timestamp(BigInt(Math.trunc(facts.now)) * 1_000_000n),
  },
  structs: {
    request: {
      method: ({ facts }) => facts.request.method,
      path: ({ facts }) => facts.request.path,
      params: ({ params }) => params,
      query: ({ facts }) => known(facts.request.query, 'request.query'),
      headers: ({ facts }) => known(facts.request.headers, 'request.headers'),
      body: readBody,
    },
    identity: identityReaders,
    connection: { name: ({ facts }) => facts.connection.name },
  },
};

/** `identity`: for exemptions from masking. */
export const identityEnvironment: ConditionEnvironment = {
  checker: newChecker().registerVariable({ name: 'identity', schema: identitySchema }),
  values: {},
  structs: { identity: identityReaders },
};

/** `claims`, `issuer`, `subject`: for the match of an identity. */
export const claimsEnvironment: ConditionEnvironment = {
  checker: newChecker()
    .registerVariable('claims', 'map<string, dyn>')
    .registerVariable('issuer', 'string')
    .registerVariable('subject', 'string'),
  values: { claims: identityReaders['claims']!, issuer: identityReaders['issuer']!, subject: identityReaders['subject']! },
  structs: {},
};

/** Facts about an identity alone, for the environments that see no request. */
export const identityFacts = (identity: IdentityFacts): Facts => ({
  request: { method: '', path: '', query: {}, headers: {}, body: null, bodyState: 'unread' },
  identity,
  connection: { name: '' },
  context: {},
  now: 0,
});
