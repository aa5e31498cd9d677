import { limitTime, pause, whileNotAborted } from './abort.ts';
import type { Client } from './client.ts';
import { hoopHeaders, renewableErrors } from './constants.ts';
import { HoopConfigurationError } from './hoop-configuration-error.ts';
import { HoopExchangeError } from './hoop-exchange-error.ts';
import { discardBody } from './response.ts';
import { relayFailure } from './unreachable.ts';

/** Whether the relay refused a grant in a way that a new one can cure. */
export const isRenewable = (response: Response): boolean =>
  response.status === 401 && renewableErrors.includes(response.headers.get(hoopHeaders.error) ?? '');

/** A question to the relay itself, about what this identity waits for. */
export async function askRelay(
  client: Client,
  method: 'GET' | 'DELETE',
  path: string,
  signal: AbortSignal | null | undefined,
): Promise<Response> {
  const fetch = client.fetch();
  const held = await whileNotAborted(client.grants.any(), signal);
  let { grant } = held;
  for (let isRetry = false; ; isRetry = true) {
    const headers = { [hoopHeaders.grant]: grant.token };
    const { relayUrl } = grant;
    const response = await fetch(relayUrl + path, { method, headers, redirect: 'manual', signal: signal ?? null }).catch(
      (error: unknown) => {
        throw signal?.aborted === true ? error : relayFailure(error, relayUrl, false);
      },
    );
    if (isRetry || !isRenewable(response)) return response;
    void discardBody(response);
    grant = await whileNotAborted(held.renew(), signal);
  }
}

/** Seconds that the relay may hold one answer back. */
const longPollSeconds = 30;
/** How much longer than that an answer may take, milliseconds. */
const answerMs = 10_000;
/** The least time between two questions, milliseconds, so that an answer that is not held back makes no busy loop. */
const leastPauseMs = 1_000;

export interface Poll<T> {
  readonly client: Client;
  readonly path: string;
  /** Unix milliseconds. It is asked at least once. */
  readonly until: number;
  readonly signal: AbortSignal | null | undefined;
  /** Undefined: ask again. */
  readonly read: (response: Response) => Promise<T | undefined>;
}

/**
 * Asks until `read` finds what it looks for, or the time is up (undefined). The relay holds each answer back until something
 * changes. One that cannot be reached is asked again; rejects with the last failure where there was never an answer.
 */
export async function poll<T>({ client, path, until, signal, read }: Poll<T>): Promise<T | undefined> {
  let isAnswered = false;
  for (;;) {
    const askedAt = Date.now();
    const waitSeconds = Math.max(0, Math.min(longPollSeconds, Math.floor((until - askedAt) / 1000)));
    const limit = limitTime(signal, waitSeconds * 1000 + answerMs);
    try {
      const response = await askRelay(client, 'GET', `${path}?wait=${waitSeconds}`, limit.signal);
      limit.clear();
      isAnswered = true;
      const found = await read(response);
      if (found !== undefined) return found;
    } catch (error) {
      if (signal?.aborted === true || !isTransient(error) || (!isAnswered && Date.now() >= until)) throw error;
    } finally {
      limit.release();
    }
    const left = until - Date.now();
    if (left <= 0) return undefined;
    await pause(Math.max(0, Math.min(left, leastPauseMs - (Date.now() - askedAt))), signal);
  }
}

/** Whether a retry may succeed: not after a refusal of the control plane. */
const isTransient = (error: unknown): boolean => !(error instanceof HoopExchangeError && (error.problem?.status ?? 500) < 500);

/** Milliseconds of a `waitSeconds` option. Throws a HoopConfigurationError. */
export function waitMs(waitSeconds: number): number {
  if (waitSeconds >= 0 && waitSeconds <= 86_400) return waitSeconds * 1000;
  throw new HoopConfigurationError(`waitSeconds must be from 0 to 86400, not ${waitSeconds}`);
}
