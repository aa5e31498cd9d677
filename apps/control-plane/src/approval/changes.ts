/** Notifies waiters in this process that an approval or a deferred call has changed. */
import { setMaxListeners } from 'node:events';

import { approvalsChannel, deferredChannel, type Database } from '@hoop/database';

export interface SubjectChange {
  readonly kind: 'approval' | 'deferred_call';
  readonly id: string;
  readonly state: string;
}

/** Null: notifications may have been missed; look again at everything that is waited for. */
export type OnSubjectChange = (change: SubjectChange | null) => void;

export interface SubjectChanges {
  /** @returns what ends the subscription */
  subscribe(fn: OnSubjectChange): () => void;
  /** Resolves at the next change of this id, after `waitMs`, or when `signal` aborts, whichever is first. */
  wait(id: string, waitMs: number, signal: AbortSignal): Promise<void>;
  /** Ends every `wait`, and those that come: the process shuts down. */
  release(): void;
  close(): Promise<void>;
}

export async function createSubjectChanges(database: Database): Promise<SubjectChanges> {
  const subscribers = new Set<OnSubjectChange>();
  const released = new AbortController();
  setMaxListeners(0, released.signal);
  const listenTo = (channel: string, kind: SubjectChange['kind']): Promise<() => Promise<void>> =>
    database.listen(channel, (payload) => {
      const change = payload === null ? null : { kind, ...(JSON.parse(payload) as { id: string; state: string }) };
      for (const fn of subscribers) fn(change);
    });
  const endings = [await listenTo(approvalsChannel, 'approval'), await listenTo(deferredChannel, 'deferred_call')];

  const subscribe = (fn: OnSubjectChange): (() => void) => {
    subscribers.add(fn);
    return () => subscribers.delete(fn);
  };
  return {
    subscribe,
    wait(id, waitMs, signal) {
      return new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          unsubscribe();
          signal.removeEventListener('abort', done);
          released.signal.removeEventListener('abort', done);
          resolve();
        };
        const timer = setTimeout(done, waitMs);
        const unsubscribe = subscribe((change) => (change === null || change.id === id) && done());
        signal.addEventListener('abort', done);
        released.signal.addEventListener('abort', done);
        if (signal.aborted || released.signal.aborted) done();
      });
    },
    release: () => released.abort(),
    async close() {
      subscribers.clear();
      await Promise.all(endings.map((end) => end()));
    },
  };
}
