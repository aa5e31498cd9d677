/** Sessions: the calls of one invocation of a function. Each relay process seals a session's bodies under a key of its own. */
import { createHash, createHmac } from 'node:crypto';

import { AppError, idPrefixes } from '@hoop/contract';
import { createDigestKey } from '@hoop/recording';
import type { DigestKey } from '@hoop/recording';
import { createDataKey } from '@hoop/sealing';
import type { DataKey } from '@hoop/sealing';

export interface SessionKeys {
  readonly dataKey: DataKey;
  /** What all outcomes of the session share in a record: `{"dataKey":{"id":…,"wrapped":…}}`. */
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
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

export class Sessions {
  readonly #byName = new Map<string, Session>();
  readonly #recordingKey: () => Record<string, unknown> | null;

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
  }

  #open(key: string): Session {
    if (this.#byName.size >= maxSessions) {
      for (const oldest of this.#byName.keys()) {
        this.#byName.delete(oldest);
        break;
      }
    }
    const id = sessionId(key);
    const session: Session = { id, part: JSON.stringify({ sessionId: id }), keys: null, opening: openKeys(this.#recordingKey()) };
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

async function openKeys(recordingKey: Record<string, unknown> | null): Promise<SessionKeys> {
  try {
    if (recordingKey === null) throw new Error('no snapshot has been received');
    const dataKey = await createDataKey(recordingKey);
    const digestKey = createDigestKey(createHmac('sha256', dataKey.key).update('hoop body digest').digest());
    return { dataKey, part: JSON.stringify({ dataKey: { id: dataKey.id, wrapped: dataKey.wrapped } }), digestKey };
  } catch (cause) {
    throw new AppError('recorder_unavailable', 'The key for recorded bodies could not be made, so the call was not carried out.', { cause });
  }
}
