/**
 * Entries as lines of JSON, written straight from the call: two of them are made for every call, and most of their text
 * is the same from call to call. Tests hold them against the objects of the contract.
 */
import type { Decision, HeaderList, RecordedBody } from '@hoop/contract';
import type { Lease } from '@hoop/credentials';
import type { CompiledPolicy } from '@hoop/policy';
import type { TlsFacts } from '@hoop/upstream';
import type { PackedEntry } from '@hoop/recording';

import { noContext } from '../call/call.ts';
import type { Call } from '../call/call.ts';
import type { Caller } from '../caller/callers.ts';
import type { KnownConnection } from '../configuration/configuration.ts';

/** JSON of a string. Most strings need no escape, and then quotes are enough. */
export function quoted(text: string): string {
  return text.length < 256 && !needsEscape.test(text) ? `"${text}"` : JSON.stringify(text);
}

// eslint-disable-next-line no-control-regex
const needsEscape = /["\\\u0000-\u001f\ud800-\udfff]/;

export const quotedOrNull = (text: string | null): string => (text === null ? 'null' : quoted(text));

const headerNames = new Map<string, string>();
const maxHeaderNames = 1024;

function headersJson(list: HeaderList): string {
  let json = '[';
  for (let i = 0; i < list.length; i++) {
    const [name, value] = list[i]!;
    let start = headerNames.get(name);
    if (start === undefined) {
      start = `[${JSON.stringify(name)},`;
      if (headerNames.size >= maxHeaderNames) headerNames.clear();
      headerNames.set(name, start);
    }
    json += i === 0 ? start : `,${start}`;
    json += `${quoted(value)}]`;
  }
  return `${json}]`;
}

/** Headers as entries share them. Calls of a connection mostly have the same, so the last list is kept with its text. */
export class HeadersPart {
  readonly #member: string;
  #list: HeaderList = [];
  #part: string;

  constructor(member: string) {
    this.#member = member;
    this.#part = `{"${member}":[]}`;
  }

  of(list: HeaderList): string {
    if (!areEqual(list, this.#list)) {
      this.#list = list;
      this.#part = `{"${this.#member}":${headersJson(list)}}`;
    }
    return this.#part;
  }
}

function areEqual(a: HeaderList, b: HeaderList): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i]![0] !== b[i]![0] || a[i]![1] !== b[i]![1]) return false;
  return true;
}

/** The common members of calls, as JSON objects that a batch holds once (see PackedEntry.shared). */
const callerParts = new WeakMap<Caller, readonly [identity: string, grant: string]>();
const connectionParts = new WeakMap<KnownConnection, ConnectionParts>();
/** By relay (a test has several in one process) and address. */
const remoteParts = new Map<string, Map<string, string>>();
const maxRemoteParts = 4096;

/** Many callers are one identity. */
function partsOfCaller(caller: Caller): readonly [identity: string, grant: string] {
  let parts = callerParts.get(caller);
  if (parts === undefined) {
    const { grantId, ...identity } = caller.record;
    parts = [JSON.stringify({ subject: identity }), JSON.stringify({ subject: { grantId } })];
    callerParts.set(caller, parts);
  }
  return parts;
}

interface ConnectionParts {
  readonly connection: string;
  readonly requestHeaders: HeadersPart;
  readonly responseHeaders: HeadersPart;
}

function partsOfConnection(connection: KnownConnection): ConnectionParts {
  let parts = connectionParts.get(connection);
  if (parts === undefined) {
    parts = {
      connection: JSON.stringify({ connectionId: connection.snapshot.id, connectionName: connection.snapshot.name }),
      requestHeaders: new HeadersPart('requestHeaders'),
      responseHeaders: new HeadersPart('responseHeaders'),
    };
    connectionParts.set(connection, parts);
  }
  return parts;
}

export const responseHeadersPart = (connection: KnownConnection, list: HeaderList): string =>
  partsOfConnection(connection).responseHeaders.of(list);

function remotePart(relayId: string, remoteAddress: string): string {
  let parts = remoteParts.get(relayId);
  if (parts === undefined) remoteParts.set(relayId, (parts = new Map()));
  let part = parts.get(remoteAddress);
  if (part === undefined) {
    part = JSON.stringify({ relayId, remoteAddress });
    if (parts.size >= maxRemoteParts) parts.clear();
    parts.set(remoteAddress, part);
  }
  return part;
}

const decisionParts = new WeakMap<CompiledPolicy, Map<string, DecisionPart>>();

interface DecisionPart {
  readonly reason: string;
  readonly json: string;
}

/** A policy allows by few rules, and always in the same words. */
function decisionPart(decision: Decision, policy: CompiledPolicy | null): string {
  if (decision.effect !== 'allow' || decision.rule === null || policy === null) return JSON.stringify({ decision });
  let parts = decisionParts.get(policy);
  if (parts === undefined) decisionParts.set(policy, (parts = new Map()));
  let part = parts.get(decision.rule);
  if (part === undefined || part.reason !== decision.reason) {
    part = { reason: decision.reason, json: JSON.stringify({ decision }) };
    parts.set(decision.rule, part);
  }
  return part.json;
}

const completionParts = new Map<number, string>();

/** The common members of most completed calls' outcomes. */
export function completionPart(status: number): string {
  let part = completionParts.get(status);
  if (part === undefined) {
    part = JSON.stringify({ state: 'completed', status, targetStatus: status, error: null, errorDetail: null });
    completionParts.set(status, part);
  }
  return part;
}

const targetParts = new WeakMap<Lease, Map<string | TlsFacts, string>>();
const maxTargetParts = 64;

/** Where the call went and what it was authorised with; the same for all calls of a lease on one socket, or one address without TLS. */
export function targetPart(lease: Lease | null, address: string | null, tls: TlsFacts | null): string {
  if (lease === null || address === null)
    return JSON.stringify({ leaseFingerprint: lease?.fingerprint ?? null, targetAddress: address, targetTls: tls });
  let parts = targetParts.get(lease);
  if (parts === undefined) targetParts.set(lease, (parts = new Map()));
  let part = parts.get(tls ?? address);
  if (part === undefined) {
    part = JSON.stringify({ leaseFingerprint: lease.fingerprint, targetAddress: address, targetTls: tls });
    if (parts.size >= maxTargetParts) parts.clear();
    parts.set(tls ?? address, part);
  }
  return part;
}

export interface IntentDetails {
  readonly relayId: string;
  readonly remoteAddress: string;
  readonly claims: Readonly<Record<string, unknown>> | null;
  readonly headers: HeaderList;
  readonly traceId: string | null;
}

const nothingSealed: readonly Uint8Array[] = [];

/** The intent of a call that was decided: the members of `callHead`, as recorder-pack.ts wants them. */
export function packIntent(call: Call, { relayId, remoteAddress, claims, headers, traceId }: IntentDetails): PackedEntry {
  const { request, context } = call;
  const line =
    `["i","${call.id}",${call.at},${call.revision},${claims === null ? 'null' : JSON.stringify(claims)},${quotedOrNull(call.approvalId)}` +
    `,${context === noContext ? '{}' : JSON.stringify(context)},"${request!.method}",${quoted(call.url)},${quoted(request!.path)},${quotedOrNull(traceId)}]`;
  const [identity, grant] = partsOfCaller(call.caller!);
  const { connection, requestHeaders } = partsOfConnection(call.connection!);
  const shared = [
    call.session!.part,
    remotePart(relayId, remoteAddress),
    identity,
    grant,
    connection,
    decisionPart(call.decision!, call.compiled!.policy),
    requestHeaders.of(headers),
  ];
  return { line, shared, sealed: nothingSealed };
}

/** The values of `bodyMembers`. */
export function bodyJson(body: RecordedBody | null): string {
  if (body === null) return 'null';
  return (
    `[${body.bytes},${body.digest === null ? 'null' : `"${body.digest}"`},${body.sealed === null ? 'null' : `"${body.sealed}"`}` +
    `,${body.keptBytes},${body.truncated},${quotedOrNull(body.contentType)}${restOfBody(body)}]`
  );
}

/** The rarer members. */
function restOfBody({ parts = null, decoded = false, withheld = false }: RecordedBody): string {
  if (decoded || withheld) return `,${JSON.stringify(parts)},${decoded},${withheld}`;
  return parts ? `,${JSON.stringify(parts)}` : '';
}
