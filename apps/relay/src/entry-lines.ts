/**
 * Entries as lines of JSON, written straight from the call: two of them are made for every call, and most of their text
 * is the same from call to call. Tests hold them against the objects of the contract.
 */
import type { HeaderList, RecordedBody } from '@hoop/contract';
import type { PackedEntry } from '@hoop/recording';

import type { Call } from './call.ts';
import type { Caller } from './callers.ts';
import type { KnownConnection } from './snapshot/configuration.ts';

/** JSON of a string. Most strings need no escape, and then quotes are enough. */
export function quoted(text: string): string {
  return text.length < 256 && !needsEscape.test(text) ? `"${text}"` : JSON.stringify(text);
}

// eslint-disable-next-line no-control-regex
const needsEscape = /["\\\u0000-\u001f\ud800-\udfff]/;

export const quotedOrNull = (text: string | null): string => (text === null ? 'null' : quoted(text));

const headerNames = new Map<string, string>();
const maxHeaderNames = 1024;

export function headersJson(list: HeaderList): string {
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

/** What calls have in common, as JSON objects that a batch holds once (see PackedEntry.shared). */
const callerParts = new WeakMap<Caller, string>();
const connectionParts = new WeakMap<KnownConnection, string>();
/** By relay (a test has several in one process) and address. */
const remoteParts = new Map<string, Map<string, string>>();
const maxRemoteParts = 4096;

function callerPart(caller: Caller): string {
  let part = callerParts.get(caller);
  if (part === undefined) {
    part = `{"subject":${JSON.stringify(caller.record)}}`;
    callerParts.set(caller, part);
  }
  return part;
}

function connectionPart(connection: KnownConnection): string {
  let part = connectionParts.get(connection);
  if (part === undefined) {
    part = JSON.stringify({ connectionId: connection.snapshot.id, connectionName: connection.snapshot.name });
    connectionParts.set(connection, part);
  }
  return part;
}

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

export interface IntentDetails {
  readonly relayId: string;
  readonly remoteAddress: string;
  readonly claims: Readonly<Record<string, unknown>> | null;
  readonly headers: HeaderList;
  readonly traceId: string | null;
}

const nothingSealed: readonly Uint8Array[] = [];

/** The intent of a call that was decided: the members of `callHead`. */
export function packIntent(call: Call, { relayId, remoteAddress, claims, headers, traceId }: IntentDetails): PackedEntry {
  const { request, decision, context } = call;
  const { effect, rule, reason, policyId, policyRevision } = decision!;
  const line =
    `{"type":"intent","head":{"callId":"${call.id}","sessionId":"${call.session!.id}","at":${call.at}` +
    `,"claims":${claims === null ? 'null' : JSON.stringify(claims)},"snapshotRevision":${call.revision}` +
    `,"decision":{"effect":"${effect}","rule":${quotedOrNull(rule)},"reason":${quoted(reason)},"policyId":${quotedOrNull(policyId)},"policyRevision":${policyRevision}}` +
    `,"approvalId":${quotedOrNull(call.approvalId)},"context":${JSON.stringify(context)},"method":"${request!.method}","url":${quoted(call.url)},"path":${quoted(request!.path)}` +
    `,"requestHeaders":${headersJson(headers)},"traceId":${quotedOrNull(traceId)}}}`;
  return { line, shared: [remotePart(relayId, remoteAddress), callerPart(call.caller!), connectionPart(call.connection!)], sealed: nothingSealed };
}

export function bodyJson(body: RecordedBody | null): string {
  if (body === null) return 'null';
  return (
    `{"bytes":${body.bytes},"digest":${body.digest === null ? 'null' : `"${body.digest}"`},"sealed":${body.sealed === null ? 'null' : `"${body.sealed}"`}` +
    `,"keptBytes":${body.keptBytes},"truncated":${body.truncated},"contentType":${quotedOrNull(body.contentType)}}`
  );
}
