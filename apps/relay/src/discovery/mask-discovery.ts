/**
 * Looks for sensitive fields that no rule covers: detectors run over a copy of a few responses, after those are out. It
 * changes no response and delays none; under load it looks at less. Paths, detectors and counts are told to the control
 * plane every few seconds, no value ever is; what cannot be told is dropped, and seen again.
 */
import type { HeaderList, MaskRule } from '@hoop/contract';
import { maskRuleSchema } from '@hoop/contract';
import { canBeObserved, compileMasking, createDiscovery, createResponseMasker, isCoded } from '@hoop/masking';
import type { CompiledMasking, Discovery, FieldObserver, MaskingIdentity } from '@hoop/masking';

import type { ControlPlane } from '../control-plane/client.ts';

export interface MaskDiscoveryOptions {
  /** One response in so many of each connection, and the first. 0: none. @default 50 */
  readonly sampleEvery?: number;
  /** Milliseconds from one sample of this process to the next at least. @default 100 */
  readonly gapMs?: number;
  /** Of a response that goes on, such as a stream of events, what came until then is looked at. @default 10000 */
  readonly takeMs?: number;
  /** @default 10000 */
  readonly reportEveryMs?: number;
  readonly now: () => number;
  readonly report: ControlPlane['reportMaskObservations'];
  readonly onTrouble: (error: unknown) => void;
}

/** The facts about a response that discovery needs. */
export interface SampledResponse {
  /** Of the call: what its path and key rules select is not looked at. */
  readonly masking: CompiledMasking | null;
  readonly identity: MaskingIdentity;
  readonly status: number;
}

export interface ResponseSample {
  /** Bytes as the target sent them; copied, up to a limit. */
  take(chunk: Uint8Array): void;
  /** The response is complete: look at what was taken, when there is time. */
  finish(): void;
  /** It broke off, or its function left: look at what was taken, if anything. */
  drop(): void;
}

export interface MaskDiscovery {
  /**
   * Null: this response is not looked at. `rules`: of the connection's policy, the same list as long as it is the same
   * policy. `headers`: as the target sent them. `describe` is asked only where it is looked at.
   */
  sample(connectionId: string, rules: readonly MaskRule[], headers: HeaderList, describe: () => SampledResponse): ResponseSample | null;
  /** Tells what is left to tell, also of what is being looked at. */
  close(): Promise<void>;
}

/** Bytes of one response, as they came and decoded. */
const maxBytes = 262_144;
const maxDecodedBytes = 1_048_576;
/** Bytes that are looked at before other work has its turn. */
const sliceBytes = 16_384;
/** Responses in hand at a time. */
const maxSamples = 4;
/** Types that a masker without rules may let pass in a multipart: its output is discarded. */
const anyType = ['*/*'];
/** After so long all connections are forgotten, so that those that are gone make room. */
const forgetAfterMs = 600_000;
const perReport = { connections: 20, fields: 100 } as const;

/** Selects nothing: without a rule the masker does not look at a body. */
const nothing = compileMasking([maskRuleSchema.parse({ key: 'no key is called so: observation' })]);

export function createMaskDiscovery(options: MaskDiscoveryOptions): MaskDiscovery {
  const { sampleEvery = 50, gapMs = 100, takeMs = 10_000, reportEveryMs = 10_000, now } = options;
  const open = (): Discovery => createDiscovery({ now, sampleEvery, maxFields: perReport.fields, maxConnections: 500 });
  let discovery = open();
  let openedAt = now();
  let nextAt = 0;
  let inHand = 0;
  const looking = new Set<Promise<void>>();
  let reporting: Promise<void> | null = null;

  async function report(): Promise<void> {
    const found = discovery.take();
    if (now() - openedAt > forgetAfterMs) {
      discovery = open();
      openedAt = now();
    }
    try {
      for (let at = 0; at < found.length; at += perReport.connections) await options.report(found.slice(at, at + perReport.connections));
    } catch (error) {
      options.onTrouble(error);
    }
  }
  // One at a time: a control plane that is slow is not asked by many.
  const reportNow = (): Promise<void> => (reporting ??= report().finally(() => (reporting = null)));
  const timer = setInterval(() => void reportNow(), reportEveryMs);
  timer.unref();

  return {
    sample(connectionId, rules, headers, describe) {
      if (sampleEvery === 0 || inHand >= maxSamples || now() < nextAt || !hasFields(headers)) return null;
      const observer = discovery.observe(connectionId, rules);
      if (observer === null) return null;
      nextAt = now() + gapMs;
      inHand++;
      const response = { ...describe(), headers, observer };
      return startSample(takeMs, (bytes, isWhole) => {
        const looked = (bytes === null ? Promise.resolve() : look(response, bytes, isWhole)).finally(() => {
          inHand--;
          looking.delete(looked);
        });
        looking.add(looked);
      });
    },
    async close() {
      clearInterval(timer);
      await Promise.all(looking);
      await reporting;
      await reportNow();
    },
  };
}

const hasFields = (headers: HeaderList): boolean => headers.some(([name, value]) => name === 'content-type' && canBeObserved(value));

type Looked = SampledResponse & { readonly headers: HeaderList; readonly observer: FieldObserver };

/** @param onOver gets what was taken, once; null: nothing is to be looked at */
function startSample(takeMs: number, onOver: (bytes: Uint8Array | null, isWhole: boolean) => void): ResponseSample {
  const chunks: Uint8Array[] = [];
  let room = maxBytes;
  let isOver = false;
  const end = (isDropped: boolean, isWhole: boolean): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    onOver(isDropped ? null : Buffer.concat(chunks), isWhole);
  };
  const timer = setTimeout(() => end(false, false), takeMs);
  timer.unref();
  return {
    take(chunk) {
      if (isOver) return;
      const kept = Uint8Array.prototype.slice.call(chunk, 0, room);
      chunks.push(kept);
      room -= kept.length;
      if (kept.length < chunk.length) end(false, false);
    },
    finish: () => end(false, true),
    drop: () => end(chunks.length === 0, false),
  };
}

/** Resolves whatever the bytes are. What breaks off, or cannot be read, was looked at as far as it went. */
function look({ masking, identity, status, headers, observer }: Looked, bytes: Uint8Array, isWhole: boolean): Promise<void> {
  return new Promise((resolve) => {
    let isOver = false;
    let decoded = 0;
    let at = 0;
    const over = (): void => {
      isOver = true;
      resolve();
    };
    const data = (chunk: Uint8Array): void => {
      decoded += chunk.length;
      if (isOver || decoded <= maxDecodedBytes) return;
      over();
      setImmediate(() => masker!.abort());
    };
    const step = (): void => {
      if (isOver) return;
      // A cut may leave half a value, which its end would complete. Under a coding the end is in the coded bytes.
      if (at >= bytes.length && !isWhole && !isCoded(headers)) over();
      else if (at >= bytes.length) masker!.end();
      else if (masker!.write(bytes.subarray(at, (at += sliceBytes)))) next();
    };
    const next = (): void => void setImmediate(() => attempt(step, over));
    const masker = attempt(
      () =>
        createResponseMasker({
          masking: masking?.engineFor(identity) ? masking : nothing,
          identity,
          unmaskedContentTypes: anyType,
          requestMethod: 'GET',
          status: status === 206 ? 200 : status,
          headers,
          scrub: null,
          observer,
          sink: { data, end: over, error: over, drain: next },
        }),
      over,
    );
    if (masker === undefined || masker.passthrough) over();
    else next();
  });
}

function attempt<T>(act: () => T, onFailure: () => void): T | undefined {
  try {
    return act();
  } catch {
    onFailure();
    return undefined;
  }
}
