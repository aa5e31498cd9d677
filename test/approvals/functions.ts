/** Functions whose calls wait for an approval, each call with an id of its own: some wait, some defer and collect. */
import { createFetch, type HoopFetch } from '@hoop/fetch';

import type { Random } from '../chaos/random.ts';

export type Kind = 'waiting' | 'plain' | 'deferred';

export interface Asked {
  readonly id: string;
  readonly kind: Kind;
  /** The last status that the function got; null: the connection broke. */
  status: number | null;
  error: string | null;
  /** Of a deferred call that was accepted. */
  callId: string | null;
  /** It waits for its answer. */
  isOpen: boolean;
}

export interface FunctionsOptions {
  readonly controlPlaneUrl: string;
  readonly relayUrls: readonly string[];
  readonly targetUrl: string;
  readonly connection: string;
  readonly token: () => Promise<string>;
  readonly grant: () => Promise<string>;
  readonly random: Random;
  readonly calls: number;
  /** Calls that others have made: ids go on behind them. @default 0 */
  readonly before?: number;
  /** Where this aborts, no function asks any further. */
  readonly signal: AbortSignal;
}

export interface Functions {
  readonly asked: readonly Asked[];
  /** Functions that wait for their answer. */
  open(): number;
  /** Resolves when each has its answer, or none because its connection broke. */
  readonly ended: Promise<void>;
}

/** Longer than any run: a function waits until somebody decides. */
const waitSeconds = 7200;
/** Hoop says with these that it did not send the call. */
const notSent: ReadonlySet<string | null> = new Set([
  'approval_pending',
  'recorder_unavailable',
  'relay_draining',
  'snapshot_stale',
  'unavailable',
]);

/** All at once. */
export function askAll(options: FunctionsOptions): Functions {
  const { random, relayUrls } = options;
  const clients = relayUrls.map((relayUrl) =>
    createFetch({ url: options.controlPlaneUrl, relayUrl, token: options.token, session: 'kills', exchangeTimeoutMs: 120_000 }),
  );
  const asked = Array.from({ length: options.calls }, (_, n): Asked => {
    const drawn = random.next();
    return {
      id: `n${(options.before ?? 0) + n + 1}`,
      kind: drawn < 0.6 ? 'waiting' : drawn < 0.75 ? 'plain' : 'deferred',
      status: null,
      error: null,
      callId: null,
      isOpen: true,
    };
  });
  let open = asked.length;
  const all = Promise.all(
    asked.map(async (one) => {
      const at = random.below(relayUrls.length);
      try {
        await whileAway(options.signal, async () => {
          if (one.kind === 'plain') await askPlain(options, one, relayUrls[at]!);
          else await askThrough(clients[at]!, options, one);
        });
      } catch (error) {
        // A broken connection: whether the call was sent is for the record to say.
        one.error = (error as Error).name;
      } finally {
        one.isOpen = false;
        open--;
      }
    }),
  );
  return { asked, open: () => open, ended: all.then(() => undefined) };
}

/** Asks again where nothing listened, so that nothing was sent: a relay that was killed takes its time to come back. */
async function whileAway(signal: AbortSignal, ask: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await ask();
      return;
    } catch (error) {
      if (!wasRefused(error) || signal.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

const wasRefused = (error: unknown): boolean =>
  error instanceof Error && ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED' || wasRefused(error.cause));

const bodyOf = ({ id }: Asked): string => JSON.stringify({ id, amount: 20_000 });
const headers = { 'content-type': 'application/json' };

async function note(one: Asked, response: Response): Promise<void> {
  one.status = response.status;
  one.error = response.headers.get('hoop-error');
  const text = await response.text();
  if (one.status === 202) one.callId = (JSON.parse(text) as { callId: string }).callId;
}

/** With the SDK, which follows the approval and survives a relay that starts again. */
async function askThrough(client: HoopFetch, { targetUrl, connection, signal }: FunctionsOptions, one: Asked): Promise<void> {
  const hoop = { connection, waitSeconds, defer: one.kind === 'deferred' };
  for (;;) {
    await note(one, await client(`${targetUrl}/plain/${one.id}`, { method: 'POST', body: bodyOf(one), headers, hoop, signal }));
    if (!notSent.has(one.error) || signal.aborted) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  while (one.status === 202 && one.callId !== null && !signal.aborted) {
    // Collecting may be repeated at any time: it sends nothing. An answer that does not name the call is about the question.
    const response = await client.collect(one.callId, { waitSeconds: 5, signal }).catch(() => null);
    if (response === null) await new Promise((resolve) => setTimeout(resolve, 200));
    else if (response.status === 202 || (response.status === 503 && response.headers.get('hoop-call') !== one.callId))
      await response.arrayBuffer();
    else await note(one, response);
  }
}

/** Without it: sends the same request again where Hoop said that it was not sent. */
async function askPlain({ grant, connection, signal }: FunctionsOptions, one: Asked, relayUrl: string): Promise<void> {
  for (;;) {
    const authorization = `Bearer ${await grant()}`;
    const init = { method: 'POST', body: bodyOf(one), headers: { ...headers, authorization, 'hoop-session': 'kills', 'hoop-wait': '5' } };
    const response = await fetch(`${relayUrl}/${connection}/plain/${one.id}`, { ...init, signal });
    await note(one, response);
    if (!notSent.has(one.error) || signal.aborted) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
