/** What the caller asks of waiting: `Prefer` (RFC 7240) and `hoop-wait`. */
import { headers as names } from '@hoop/contract';
import type { HeaderList } from '@hoop/contract';

export interface Preferences {
  /** Answer at once and send later. */
  readonly respondAsync: boolean;
  /** Seconds to wait for a decision at most; null: as long as the connection allows. */
  readonly waitSeconds: number | null;
  /** A caller that leaves while it waits takes its request back. */
  readonly withdrawOnAbort: boolean;
  /** Notification channel that is told when a deferred call has finished. */
  readonly webhookChannel: string | null;
}

const none: Preferences = { respondAsync: false, waitSeconds: null, withdrawOnAbort: false, webhookChannel: null };

const seconds = (text: string): number | null => (/^[0-9]{1,5}$/.test(text) ? Number(text) : null);

export function readPreferences(headers: HeaderList): Preferences {
  let found: { -readonly [K in keyof Preferences]: Preferences[K] } | null = null;
  for (const [name, value] of headers) {
    if (name === 'prefer') {
      found ??= { ...none };
      for (const preference of value.split(',')) {
        const [token = '', setting = ''] = preference
          .split(';', 1)[0]!
          .split('=')
          .map((part) => part.trim().toLowerCase());
        if (token === 'respond-async') found.respondAsync = true;
        else if (token === 'wait') found.waitSeconds ??= seconds(setting);
      }
    } else if (name === names.wait) (found ??= { ...none }).waitSeconds = seconds(value);
    else if (name === names.withdrawOnAbort) (found ??= { ...none }).withdrawOnAbort = value === '1';
    else if (name === names.channel) (found ??= { ...none }).webhookChannel = value;
  }
  return found ?? none;
}
