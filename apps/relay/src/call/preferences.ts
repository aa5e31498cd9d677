/** How the caller wants to wait: `Prefer` (RFC 7240) and `hoop-wait`. */
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

/** Of `Prefer`, what is asked of Hoop; every other preference is the target's. */
const ownPreferences = new Set(['respond-async', 'wait']);

const seconds = (text: string): number | null => (/^[0-9]{1,5}$/.test(text) ? Number(text) : null);

export function readPreferences(headers: HeaderList): Preferences {
  let found: { -readonly [K in keyof Preferences]: Preferences[K] } | null = null;
  for (const [name, value] of headers) {
    if (name === 'prefer') {
      found ??= { ...none };
      for (const preference of listMembers(value)) {
        const [token, setting] = tokenAndValue(preference);
        if (token === 'respond-async') found.respondAsync = true;
        else if (token === 'wait') found.waitSeconds ??= seconds(setting);
      }
    } else if (name === names.wait) (found ??= { ...none }).waitSeconds = seconds(value);
    else if (name === names.withdrawOnAbort) (found ??= { ...none }).withdrawOnAbort = value === '1';
    else if (name === names.channel) (found ??= { ...none }).webhookChannel = value;
  }
  return found ?? none;
}

/** The headers without the preferences that are Hoop's own; the same list where there are none. */
export function withoutOwnPreferences(headers: HeaderList): HeaderList {
  if (!headers.some(([name]) => name === 'prefer')) return headers;
  const kept: HeaderList = [];
  for (const header of headers) {
    if (header[0] !== 'prefer') {
      kept.push(header);
      continue;
    }
    const members = listMembers(header[1]);
    const others = members.filter((member) => !ownPreferences.has(tokenAndValue(member)[0]));
    if (others.length === members.length) kept.push(header);
    else if (others.length > 0) kept.push(['prefer', others.join(', ')]);
  }
  return kept;
}

/** Lower case; parameters are left out. */
function tokenAndValue(preference: string): [token: string, value: string] {
  const [token = '', value = ''] = preference
    .split(';', 1)[0]!
    .split('=')
    .map((part) => part.trim().toLowerCase());
  return [token, value.replace(/^"(.*)"$/, '$1')];
}

/** The members of a list (RFC 9110 §5.6.1): a comma in a quoted string ends none. */
function listMembers(value: string): string[] {
  const members: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at <= value.length; at++) {
    const character = value[at];
    if (isQuoted && character === '\\') at++;
    else if (character === '"') isQuoted = !isQuoted;
    else if (at >= value.length || (character === ',' && !isQuoted)) {
      const member = value.slice(start, at).trim();
      if (member !== '') members.push(member);
      start = at + 1;
    }
  }
  if (start < value.length) members.push(value.slice(start).trim());
  return members;
}
