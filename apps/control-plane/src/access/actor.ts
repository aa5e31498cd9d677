import type { AdminToken, Role } from '@hoop/contract';

/** Who calls: an admin token, a relay, or anybody. */
export interface Actor {
  readonly kind: 'admin' | 'relay' | 'public';
  readonly id: string;
  readonly name: string;
  /** Of admin tokens. */
  readonly role: Role | null;
  readonly token: AdminToken | null;
}

export const publicActor: Actor = { kind: 'public', id: 'public', name: 'public', role: null, token: null };
export const relayActor: Actor = { kind: 'relay', id: 'relay', name: 'relay', role: null, token: null };

export const adminActor = (token: AdminToken): Actor => ({ kind: 'admin', id: token.id, name: token.name, role: token.role, token });
