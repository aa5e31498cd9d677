/** Before step 4: a body that a condition reads, or that a person decides about, is held whole, and read in slices. */
import { setImmediate as nextTurn } from 'node:timers/promises';

import { AppError } from '@hoop/contract';
import { inspectBody, needsBody } from '@hoop/policy';
import type { InspectedBody } from '@hoop/policy';
import { headerValue } from '@hoop/upstream';

import type { Call } from '../call/call.ts';
import { holdBytes } from '../caller/admission.ts';
import type { Relay } from '../relay.ts';
import { readWholeBody } from '../transfer/upload.ts';

/** Characters that are read before other calls have their turn: a few milliseconds at the most. */
const charactersPerTurn = 32_768;

/** Whether a condition of a rule that covers this request wants to see the body, which then has to be waited for. */
export function mustSeeBody(call: Call): boolean {
  const { method, path, hasBody } = call.request!;
  const { policy } = call.compiled!;
  return hasBody && policy !== null && needsBody(policy, method, path);
}

/** Holds the whole body and reads it for conditions. What they cannot see is said in `call.inspected`. @throws AppError `request_*`, `caller_overloaded` */
export async function inspect(relay: Relay, call: Call): Promise<void> {
  await hold(relay, call);
  call.inspected = call.body === null ? { body: null, bodyState: 'too_large' } : await read(call, call.body);
}

/** Holds the whole body. @throws AppError `body_too_large`, `request_*`, `caller_overloaded` */
export async function holdBody(relay: Relay, call: Call): Promise<void> {
  await hold(relay, call);
  if (call.body === null) throw tooLarge(call);
}

async function hold(relay: Relay, call: Call): Promise<void> {
  const { maxInspectedBytes, idleTimeoutMs, inspectTimeoutMs } = call.connection!.snapshot.settings.limits;
  const body = await readWholeBody(call, {
    maxBytes: maxInspectedBytes,
    idleTimeoutMs,
    totalTimeoutMs: inspectTimeoutMs,
    hold: (bytes) => holdBytes(relay, call, bytes),
  });
  if (Buffer.isBuffer(body)) call.body = body;
  else call.longBody = body;
}

export function tooLarge(call: Call): AppError {
  const { maxInspectedBytes } = call.connection!.snapshot.settings.limits;
  return new AppError(
    'body_too_large',
    `The whole body has to be seen before it is sent, and it is larger than the ${maxInspectedBytes} bytes that this connection inspects.`,
  );
}

async function read(call: Call, body: Buffer): Promise<InspectedBody> {
  const { headers } = call.request!;
  // A content coding is not undone: the target could undo another one.
  if (headerValue(headers, 'content-encoding') !== undefined) return { body: null, bodyState: 'unsupported' };
  const inspection = inspectBody(body, headerValue(headers, 'content-type'));
  while (!inspection.advance(charactersPerTurn)) {
    await nextTurn();
    if (call.stage === 'concluded') break;
  }
  return inspection.result();
}
