import { newId, type SecurityEvent } from '@hoop/contract';
import { insertSecurityEvent, type Database, type SecurityEventWrite } from '@hoop/database';
import type { Logger } from 'pino';

export type NewSecurityEvent = Omit<SecurityEvent, 'id' | 'at' | 'count'>;

export interface SecurityLog {
  /** Writes the event, or counts it where like ones came too fast. @returns its id; null where it was counted */
  record(event: NewSecurityEvent): Promise<string | null>;
  /** Writes what was counted so far. */
  close(): Promise<void>;
}

/** Like events (kind, code, remote address) that are written one by one in a window; the rest become one row with a count. */
const maxPerWindow = 20;
const windowMs = 60_000;
/** The most origins counted separately; a flood from more is counted under its kind and code alone. */
const maxOrigins = 10_000;

interface Window {
  readonly startedAt: number;
  written: number;
  counted: number;
  last: NewSecurityEvent;
}

/** Refusals of strangers must be recorded, but strangers must not be able to fill the disk. */
export function createSecurityLog({ database, now, log }: { database: Database; now: () => number; log: Logger }): SecurityLog {
  const windows = new Map<string, Window>();

  async function write(event: NewSecurityEvent, count: number): Promise<string | null> {
    const at = now();
    const row: SecurityEventWrite = { ...event, id: newId('security_event', at), at: new Date(at), count };
    try {
      await insertSecurityEvent(database.prisma, row);
      return row.id;
    } catch (error) {
      // The refusal itself stands; that it could not be recorded must be seen.
      log.error(
        { err: error, event: 'security_event_lost', kind: event.kind, code: event.code, count },
        'a security event could not be written',
      );
      return null;
    }
  }

  async function flush(isDue: (window: Window) => boolean): Promise<void> {
    for (const [key, window] of windows) {
      if (!isDue(window)) continue;
      windows.delete(key);
      if (window.counted > 0) await write(window.last, window.counted);
    }
  }

  const timer = setInterval(() => void flush((window) => now() - window.startedAt >= windowMs), 5000);
  timer.unref();

  return {
    async record(event) {
      const origin = `${event.kind}\n${event.code}\n${event.remote}`;
      const key = windows.has(origin) || windows.size < maxOrigins ? origin : `${event.kind}\n${event.code}`;
      let window = windows.get(key);
      if (window !== undefined && now() - window.startedAt >= windowMs) {
        windows.delete(key);
        if (window.counted > 0) await write(window.last, window.counted);
        window = undefined;
      }
      if (window === undefined) {
        window = { startedAt: now(), written: 0, counted: 0, last: event };
        windows.set(key, window);
      }
      if (window.written >= maxPerWindow) {
        window.counted++;
        window.last = event;
        return null;
      }
      window.written++;
      return write(event, 1);
    },
    async close() {
      clearInterval(timer);
      await flush(() => true);
    },
  };
}
