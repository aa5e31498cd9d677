/**
 * Sessions: the calls of one invocation of a function. Each relay process seals a session's bodies under a key of its
 * own, which is wrapped with a key that the process makes anew every few minutes.
 */
import { createHash, createHmac } from 'node:crypto';

import { AppError, idPrefixes } from '@hoop/contract';
import { createDigestKey } from '@hoop/recording';
import type { DigestKey } from '@hoop/recording';
import { createDataKeyUnder, createWrappingKey } from '@hoop/sealing';
import type { DataKey, WrappingKey } from '@hoop/sealing';
import { LRUCache } from 'lru-cache';

export interface SessionKeys {
  readonly dataKey: DataKey;
  /** The shared members of outcomes in a record, of all sessions under one wrapping key and of this one: `{"dataKey":{…}}`. */
  readonly wrappingPart: string;
  readonly part: string;
  /** For the digests of bodies: HMAC-SHA-256(data key, "hoop body digest"), so that whoever opens the bodies can check them. */
  readonly digestKey: DigestKey;
}

export interface Session {
  readonly id: string;
  /** `{"sessionId":…}`, as entries share it. */
  readonly part: string;
  /** Null until `opening` has resolved. */
  keys: SessionKeys | null;
  opening: Promise<SessionKeys>;
}

const maxSessions = 50_000;
/** So long a wrapping key is used for new sessions. */
const wrappingKeyMs = 10 * 60_000;
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

export class Sessions {
  readonly #byName = new LRUCache<string, Session>({ max: maxSessions });
  readonly #recordingKey: () => Record<string, unknown> | null;
  #wrapping: CurrentWrapping | null = null;

  constructor(recordingKey: () => Record<string, unknown> | null) {
    this.#recordingKey = recordingKey;
  }

  /** A name means something to one identity only: two identities that choose the same one do not meet. */
  of(identityId: string, name: string): Session {
    const key = `${identityId} ${name}`;
    return this.#byName.get(key) ?? this.#open(key);
  }

  clear(): void {
    this.#byName.clear();
    this.#wrapping = null;
  }

  /** Makes the key that the first session needs. */
  prepare(): void {
    this.#currentWrapping().key.catch(() => undefined);
  }

  #currentWrapping(): CurrentWrapping {
    const current = this.#wrapping;
    if (current !== null && performance.now() < current.until) return current;
    const key = openWrapping(this.#recordingKey());
    const next: CurrentWrapping = { key, ready: null, until: performance.now() + wrappingKeyMs };
    this.#wrapping = next;
    key.then(
      (made) => {
        next.ready = made;
      },
      () => {
        if (this.#wrapping === next) this.#wrapping = null;
      },
    );
    return next;
  }

  #open(key: string): Session {
    const id = sessionId(key);
    const part = JSON.stringify({ sessionId: id });
    const wrapping = this.#currentWrapping();
    if (wrapping.ready !== null) {
      const keys = keysUnder(wrapping.ready);
      const session: Session = { id, part, keys, opening: Promise.resolve(keys) };
      this.#byName.set(key, session);
      return session;
    }
    const session: Session = { id, part, keys: null, opening: wrapping.key.then(keysUnder) };
    session.opening.then(
      (keys) => {
        session.keys = keys;
      },
      () => this.#byName.delete(key),
    );
    this.#byName.set(key, session);
    return session;
  }
}

/** The same in every relay process: 130 bits of SHA-256 in the form of an id. */
function sessionId(key: string): string {
  const bytes = createHash('sha256').update('hoop session\0').update(key).digest();
  let text = '';
  for (let i = 0; i < 26; i++) text += alphabet[bytes[i]! & 31]!;
  return `${idPrefixes.session}_${text}`;
}

interface CurrentWrapping {
  readonly key: Promise<Wrapping>;
  /** Null until `key` has resolved. */
  ready: Wrapping | null;
  /** Milliseconds of `performance.now()`. */
  readonly until: number;
}

interface Wrapping {
  readonly key: WrappingKey;
  readonly part: string;
}

async function openWrapping(recordingKey: Record<string, unknown> | null): Promise<Wrapping> {
  try {
    if (recordingKey === null) throw new Error('no snapshot has been received');
    const key = await createWrappingKey(recordingKey);
    return { key, part: JSON.stringify({ dataKey: { wrapped: key.wrapped } }) };
  } catch (cause) {
    throw new AppError('recorder_unavailable', 'The key for recorded bodies could not be made, so the call was not carried out.', {
      cause,
    });
  }
}

function keysUnder({ key, part }: Wrapping): SessionKeys {
  const dataKey = createDataKeyUnder(key);
  const digestKey = createDigestKey(createHmac('sha256', dataKey.key).update('hoop body digest').digest());
  return { dataKey, wrappingPart: part, part: JSON.stringify({ dataKey: { id: dataKey.id, inner: dataKey.inner } }), digestKey };
}
