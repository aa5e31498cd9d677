/**
 * The body of a call that was refused: on record as that of a sent one (masked, under the same setting), where it was
 * held for the decision, so that a record answers what a caller tried. Refusals cost their caller nothing, so what is
 * kept of their bodies has a rate; above it the record says how long a body was and keeps nothing of it.
 */
import type { OutcomeEntry, RecordedBody } from '@hoop/contract';
import { BodyCapture, joinParts } from '@hoop/recording';
import { sealBody } from '@hoop/sealing';
import { headerValue } from '@hoop/upstream';
import { LRUCache } from 'lru-cache';

import type { Call } from '../call/call.ts';
import type { SessionKeys } from '../caller/sessions.ts';
import { keepRequestBody } from './kept-body.ts';

/** Bytes of refused bodies that are kept, at once and in each second. */
export const refusedBodyRates = {
  ofIdentity: { burst: 1_048_576, perSecond: 262_144 },
  ofRelay: { burst: 8_388_608, perSecond: 2_097_152 },
} as const;

interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** A bucket that is full at first and fills again in time. */
class Allowance {
  readonly #rate: Rate;
  #left: number;
  #at: number;

  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#left = rate.burst;
    this.#at = now;
  }

  left(now: number): number {
    this.#left = Math.min(this.#rate.burst, this.#left + ((now - this.#at) / 1000) * this.#rate.perSecond);
    this.#at = now;
    return this.#left;
  }

  take(bytes: number): void {
    this.#left -= bytes;
  }
}

const maxIdentities = 10_000;

export class RefusedBodies {
  readonly #ofIdentity = new LRUCache<string, Allowance>({ max: maxIdentities });
  readonly #ofRelay: Allowance;
  readonly #clock: () => number;

  /** @param clock milliseconds that never go back @default performance.now */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#ofRelay = new Allowance(refusedBodyRates.ofRelay, clock());
  }

  /** Whether so many bytes may be kept; then they count. */
  admit(identityId: string, bytes: number): boolean {
    const now = this.#clock();
    let own = this.#ofIdentity.get(identityId);
    if (own === undefined) this.#ofIdentity.set(identityId, (own = new Allowance(refusedBodyRates.ofIdentity, now)));
    if (own.left(now) < bytes || this.#ofRelay.left(now) < bytes) return false;
    own.take(bytes);
    this.#ofRelay.take(bytes);
    return true;
  }
}

type BodyOfOutcome = Pick<OutcomeEntry, 'requestBody' | 'dataKey'>;

const noBody: BodyOfOutcome = { requestBody: null, dataKey: null };

/** Records the body of a call that was refused before an exchange. */
export async function refusedBody(bodies: RefusedBodies, call: Call): Promise<BodyOfOutcome> {
  const { request, connection, session, caller, body, longBody } = call;
  if (request === null || !request.hasBody || caller === null) return noBody;
  const contentType = headerValue(request.headers, 'content-type') ?? null;
  const nothingKept: RecordedBody = { bytes: 0, digest: null, sealed: null, keptBytes: 0, truncated: true, contentType };
  const read = body ?? longBody?.prefix ?? null;
  if (read === null || connection === null || session === null) return { requestBody: { ...nothingKept, unread: true }, dataKey: null };
  const bytes = longBody?.bytes ?? read.length;
  const { capture, maxBodyBytes } = connection.snapshot.settings.recording;
  const keptBytes = capture === 'full' ? Math.min(maxBodyBytes, read.length) : 0;
  const keys = session.keys ?? (await session.opening.catch(() => null));
  if (keys === null || !bodies.admit(caller.identity.snapshot.id, keptBytes + minimumCost))
    return { requestBody: { ...nothingKept, bytes }, dataKey: null };
  const captured = heldCapture(keptBytes, keys, read);
  captured.offered = bytes;
  hideFully(call);
  const kept = await keepRequestBody(call, captured);
  const isKept = kept.bytes > 0;
  return {
    requestBody: {
      bytes,
      digest: longBody === null ? captured.digest() : null,
      sealed: isKept ? sealBody(keys.dataKey.key, joinParts(kept.parts), `${call.id}:request`) : null,
      keptBytes: kept.bytes,
      truncated: kept.isTruncated,
      contentType,
      ...(kept.isDecoded ? { decoded: true } : {}),
      ...(kept.isWithheld ? { withheld: true } : {}),
    },
    dataKey: isKept ? { id: keys.dataKey.id, wrapped: keys.dataKey.wrapped } : null,
  };
}

/** The digest and the row of a small body cost something as well. */
const minimumCost = 512;

/** Of a body that is held, as if it had been sent. */
export function heldCapture(keptBytes: number, keys: SessionKeys, body: Uint8Array): BodyCapture {
  const captured = new BodyCapture(keptBytes, keys.digestKey);
  captured.passed(body);
  captured.keep(body);
  return captured;
}

/** Under which rule a refused call was meant to fall is not known, so what any rule hides is hidden. */
function hideFully(call: Call): void {
  const { policy, masking } = call.compiled!;
  const rules = policy?.hasMasks === true ? policy.rules.filter((rule) => rule.mask.length > 0) : undefined;
  call.masking = masking.of(rules);
}
