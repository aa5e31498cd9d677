/**
 * Keeps the configuration up to date: fetches the snapshot, listens for revisions (SSE) and fetches what changed.
 * It also knows how long ago it last heard that it is up to date; past the limit the relay refuses calls.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import { parseJson, snapshotSchema } from '@hoop/contract';
import type { Snapshot } from '@hoop/contract';
import { createParser } from 'eventsource-parser';
import { Agent, request } from 'undici';

import type { Configuration } from '../configuration/configuration.ts';

export interface SnapshotClientOptions {
  readonly url: string;
  readonly tokenFile: string;
  readonly configuration: Configuration;
  readonly now: () => number;
  /** Told after each applied revision which connections' targets or credentials changed. */
  readonly onApplied: (changedConnections: ReadonlySet<string>) => void;
  /** Told of approvals and deferred calls that changed; null: some changes may have been missed. */
  readonly onSubjectChanged?: (id: string | null) => void;
  readonly onTrouble: (error: unknown) => void;
}

export interface SnapshotClient {
  /** Resolves with the first snapshot. */
  ready(): Promise<void>;
  /** Milliseconds since this relay last knew that it was up to date; Infinity before the first snapshot. */
  ageMs(): number;
  close(): Promise<void>;
}

const fetchTimeoutMs = 10_000;
/** The control plane sends a heartbeat every 5 s; without any for so long the stream counts as broken. */
const silenceMs = 12_000;
const backoffFirstMs = 100;
const backoffMostMs = 5_000;
/** Characters of one event. */
const maxEventLength = 64 * 1024;
const maxSnapshotBytes = 512 * 1024 * 1024;

export function startSnapshotClient(options: SnapshotClientOptions): SnapshotClient {
  const { url, tokenFile, configuration, now, onApplied, onSubjectChanged, onTrouble } = options;
  const agent = new Agent({ connections: 2, connect: { timeout: 5_000 }, maxResponseSize: maxSnapshotBytes });
  const stop = new AbortController();
  const first = Promise.withResolvers<void>();
  let wordAt = Number.NEGATIVE_INFINITY;
  let announced = -1;
  let fetching: Promise<void> | null = null;

  const authorization = async (): Promise<{ authorization: string }> => ({
    authorization: `Bearer ${(await readFile(tokenFile, 'utf8')).trim()}`,
  });

  async function fetchSnapshot(): Promise<Snapshot> {
    const since = configuration.revision >= 0 ? `?since=${configuration.revision}` : '';
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(fetchTimeoutMs)]);
    const response = await request(`${url}/internal/relay/snapshot${since}`, { dispatcher: agent, headers: await authorization(), signal });
    if (response.statusCode !== 200) {
      await response.body.dump();
      throw new Error(`the control plane answered ${response.statusCode} to the request for the snapshot`);
    }
    return snapshotSchema.parse(parseJson(await response.body.text()));
  }

  /** One fetch at a time; what is announced meanwhile is fetched next. */
  function catchUp(): Promise<void> {
    fetching ??= (async () => {
      try {
        do {
          const snapshot = await fetchSnapshot();
          // A control plane whose database was set back counts from an older revision: take its word in full.
          const isOlder = snapshot.revision < configuration.revision;
          if (isOlder && !snapshot.full) {
            configuration.revision = -1;
            continue;
          }
          const changed = configuration.apply(snapshot, Math.floor(now() / 1000));
          if (announced > snapshot.revision && isOlder) announced = snapshot.revision;
          wordAt = now();
          first.resolve();
          onApplied(changed);
        } while (announced > configuration.revision);
      } finally {
        fetching = null;
      }
    })();
    return fetching;
  }

  function hear(event: string, data: string, fail: (error: unknown) => void): void {
    if (event === 'approval' || event === 'deferred_call') {
      onSubjectChanged?.(String((JSON.parse(data) as { id?: unknown }).id));
      return;
    }
    if (event !== 'revision') return;
    const revision = Number((JSON.parse(data) as { revision?: unknown }).revision);
    if (!Number.isSafeInteger(revision)) throw new Error('the control plane announced a revision that is not a number');
    announced = revision;
    if (revision === configuration.revision) wordAt = now();
    else catchUp().catch(fail);
  }

  async function listen(): Promise<void> {
    const response = await request(`${url}/internal/relay/changes`, {
      dispatcher: agent,
      headers: { accept: 'text/event-stream', ...(await authorization()) },
      signal: stop.signal,
      headersTimeout: fetchTimeoutMs,
      bodyTimeout: silenceMs,
    });
    if (response.statusCode !== 200) {
      await response.body.dump();
      throw new Error(`the control plane answered ${response.statusCode} to the request for changes`);
    }
    onSubjectChanged?.(null);
    const { body } = response;
    const decoder = new TextDecoder();
    const parser = createParser({
      maxBufferSize: maxEventLength,
      onEvent: ({ event = 'message', data }) => hear(event, data, (error) => body.destroy(error as Error)),
      onError: (error) => {
        if (error.type === 'max-buffer-size-exceeded') throw error;
      },
    });
    for await (const chunk of body) parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
    throw new Error('the control plane ended the stream of changes');
  }

  async function run(): Promise<void> {
    for (let failures = 0; !stop.signal.aborted;) {
      const startedAt = now();
      try {
        await catchUp();
        await listen();
      } catch (error) {
        if (stop.signal.aborted) return;
        failures = now() - startedAt > silenceMs ? 1 : failures + 1;
        onTrouble(error);
      }
      const waitMs = Math.min(backoffFirstMs * 2 ** (failures - 1), backoffMostMs) * (0.5 + Math.random());
      await delay(waitMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  }

  const running = run();
  return {
    ready: () => first.promise,
    ageMs: () => now() - wordAt,
    async close() {
      stop.abort();
      await running;
      await agent.destroy();
    },
  };
}
