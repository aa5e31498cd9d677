/** Notifies followers in this process that calls were recorded or concluded. */
import { callsChannel, changedCallIds, type Database } from '@hoop/database';

/** Null: calls have changed that are not named, or notifications may have been missed. */
export type OnCallChanges = (ids: readonly string[] | null) => void;

export interface CallChanges {
  /** Resolves once nothing is missed any more. @returns what ends the subscription */
  subscribe(fn: OnCallChanges): Promise<() => void>;
  close(): Promise<void>;
}

/** Listens for as long as somebody follows: the record of a busy relay is not news to everybody. */
export function createCallChanges(database: Database): CallChanges {
  const subscribers = new Set<OnCallChanges>();
  let listening: Promise<() => Promise<void>> | undefined;

  const tell = (payload: string | null): void => {
    const ids = payload === null ? null : changedCallIds(payload);
    for (const fn of subscribers) fn(ids);
  };
  async function rest(): Promise<void> {
    const ending = listening;
    listening = undefined;
    await (
      await ending?.catch(() => undefined)
    )?.();
  }
  return {
    async subscribe(fn) {
      subscribers.add(fn);
      listening ??= database.listen(callsChannel, tell);
      try {
        await listening;
      } catch (error) {
        subscribers.delete(fn);
        listening = undefined;
        throw error;
      }
      return () => {
        if (subscribers.delete(fn) && subscribers.size === 0) void rest().catch(() => undefined);
      };
    },
    async close() {
      subscribers.clear();
      await rest();
    },
  };
}
