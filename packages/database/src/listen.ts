import { setTimeout as delay } from 'node:timers/promises';

import pg from 'pg';

/**
 * Called with each notification's payload; with null when the connection was lost and is back, because then
 * notifications may have been missed.
 */
export type OnNotification = (payload: string | null) => void;

/** Subscribes to a Postgres channel. Resolves once Postgres has confirmed; the function that it gives ends it. */
export type Listen = (channel: string, fn: OnNotification) => Promise<() => Promise<void>>;

export interface Listener {
  readonly listen: Listen;
  readonly close: () => Promise<void>;
}

/** One connection for all channels, opened with the first subscription, reopened when it breaks. */
export function createListener(url: string, onError: (error: Error) => void): Listener {
  const subscribers = new Map<string, Set<OnNotification>>();
  const closing = new AbortController();
  let connecting: Promise<pg.Client> | undefined;
  // A client runs one statement at a time.
  let statements: Promise<unknown> = Promise.resolve();
  const run = (client: pg.Client, verb: 'LISTEN' | 'UNLISTEN', channel: string): Promise<unknown> => {
    const next = statements.catch(() => undefined).then(() => client.query(`${verb} ${client.escapeIdentifier(channel)}`));
    statements = next;
    return next;
  };

  async function open(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'hoop-listen',
      keepAlive: true,
      connectionTimeoutMillis: 5000,
    });
    let isReady = false;
    client.on('error', onError);
    client.on('notification', ({ channel, payload }) => {
      for (const fn of subscribers.get(channel) ?? []) fn(payload ?? '');
    });
    client.once('end', () => {
      if (connecting === attempt) connecting = undefined;
      if (isReady && !closing.signal.aborted) void reopen();
    });
    const attempt = connecting;
    try {
      await client.connect();
      for (const channel of subscribers.keys()) await run(client, 'LISTEN', channel);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    isReady = true;
    return client;
  }

  function connection(): Promise<pg.Client> {
    if (connecting === undefined) {
      const opening: Promise<pg.Client> = Promise.resolve().then(open);
      connecting = opening;
      opening.catch(() => {
        if (connecting === opening) connecting = undefined;
      });
    }
    return connecting;
  }

  async function reopen(): Promise<void> {
    for (let waitMs = 50; !closing.signal.aborted && subscribers.size > 0; waitMs = Math.min(waitMs * 2, 2000)) {
      try {
        await connection();
        for (const set of subscribers.values()) for (const fn of set) fn(null);
        return;
      } catch (error) {
        onError(error as Error);
        await delay(waitMs, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
  }

  return {
    async listen(channel, fn) {
      const set = subscribers.get(channel) ?? new Set();
      subscribers.set(channel, set);
      set.add(fn);
      try {
        const client = await connection();
        await run(client, 'LISTEN', channel);
      } catch (error) {
        set.delete(fn);
        throw error;
      }
      return async () => {
        set.delete(fn);
        if (set.size > 0 || subscribers.get(channel) !== set) return;
        subscribers.delete(channel);
        const client = await connecting?.catch(() => undefined);
        if (client !== undefined) await run(client, 'UNLISTEN', channel).catch(() => undefined);
      };
    },
    async close() {
      closing.abort();
      subscribers.clear();
      const client = await connecting?.catch(() => undefined);
      connecting = undefined;
      await client?.end();
    },
  };
}
