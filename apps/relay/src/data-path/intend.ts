/** Step 6: a durable record of the call before any credential is minted. No record, no call. */
import type { CallHead, HeaderList } from '@hoop/contract';
import { maskHeaders } from '@hoop/masking';
import { recorderUnavailable } from '@hoop/recording';
import { headerValue } from '@hoop/upstream';

import type { Call } from '../call/call.ts';
import { packIntent } from '../record/entry-lines.ts';
import type { Relay } from '../relay.ts';
import { printable } from '../record/strangers.ts';

const noHeaders: HeaderList = [];
const nobody: CallHead['subject'] = { identityId: null, identityName: null, issuer: null, subject: null, grantId: null };

/** @throws AppError `recorder_unavailable` */
export function intend(relay: Relay, call: Call): Promise<void> {
  const { headers } = call.request!;
  if (relay.journal !== null && !relay.journal.hasRoom) return Promise.reject(recorderUnavailable());
  return relay.recorder.add(
    packIntent(call, {
      relayId: relay.id,
      remoteAddress: call.req.socket?.remoteAddress ?? '',
      claims: newClaims(call),
      headers: keepsHeads(call) ? maskHeaders(headers) : noHeaders,
      traceId: traceId(headers),
    }),
  );
}

/** The claims are in the record of the first call of a caller only. */
function newClaims({ caller }: Call): Record<string, unknown> | null {
  if (caller === null || caller.areClaimsRecorded) return null;
  caller.areClaimsRecorded = true;
  return { ...caller.claims };
}

const keepsHeads = ({ connection }: Call): boolean => connection === null || connection.snapshot.settings.recording.capture !== 'none';

/** The call as it is known before anything is sent; for a refusal, as far as it got. */
export function callHead(relay: Relay, call: Call): CallHead {
  const { request, caller, connection } = call;
  return {
    callId: call.id,
    sessionId: call.session?.id ?? relay.strangers,
    at: call.at,
    relayId: relay.id,
    remoteAddress: call.req.socket?.remoteAddress ?? '',
    subject: caller?.record ?? nobody,
    claims: newClaims(call),
    connectionId: connection?.snapshot.id ?? null,
    connectionName: connection?.snapshot.name ?? (request?.connection || null),
    snapshotRevision: call.revision,
    decision: call.decision,
    approvalId: call.approvalId,
    context: call.context,
    method: request?.method ?? printable(call.req.method ?? '', 20),
    url: call.url || askedUrl(call),
    path: request?.path ?? '',
    requestHeaders: request && keepsHeads(call) ? maskHeaders(request.headers) : noHeaders,
    traceId: request ? traceId(request.headers) : null,
  };
}

/** As far as it is known before there is a connection. */
function askedUrl({ request, door, req }: Call): string {
  if (request === null) return printable(req.url ?? '', 2048);
  return `${door === null ? `/${request.connection}` : door.origin}${request.path}${request.search}`;
}

/** W3C Trace Context §3.2.2.3. */
function traceId(list: HeaderList): string | null {
  const value = headerValue(list, 'traceparent');
  return value === undefined ? null : (/^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(value)?.[1] ?? null);
}
