/**
 * The relay's configuration at one revision. Every question of a call is a lookup by name or id; policies, masking and
 * targets are compiled when their connection is first used, so that ten thousand connections cost nothing at start.
 */
import { AppError } from '@hoop/contract';
import type { ConnectionSnapshot, IdentitySnapshot, ProviderSnapshot, Snapshot } from '@hoop/contract';
import { claimsOfPolicy, compileClaimsMatch, compilePolicy } from '@hoop/policy';
import type { ClaimsRead, CompiledPolicy } from '@hoop/policy';
import { createGrantVerifier } from '@hoop/tokens';
import type { GrantVerifier } from '@hoop/tokens';

import { Share } from '../caller/share.ts';
import { Destinations } from './destinations.ts';
import { ConnectionMasking } from './masking-of-rules.ts';

export interface Compiled {
  readonly policy: CompiledPolicy | null;
  readonly masking: ConnectionMasking;
  /** The claims that a caller has to have been asked for. */
  readonly claims: ClaimsRead;
}

/** A connection at one revision of its settings; replaced, never changed. */
export class KnownConnection {
  readonly snapshot: ConnectionSnapshot;
  /** The calls in flight on it, at whatever revision. */
  readonly share: Share;
  readonly identityIds: ReadonlySet<string>;
  readonly #hashKey: Uint8Array;
  #compiled: Compiled | AppError | null = null;

  constructor(snapshot: ConnectionSnapshot, hashKey: Uint8Array, share: Share = new Share()) {
    this.snapshot = snapshot;
    this.share = share;
    this.#hashKey = hashKey;
    this.identityIds = new Set(snapshot.identityIds);
  }

  /** @throws AppError `unavailable` where what the control plane sent cannot be compiled: such a connection serves nobody */
  compiled(): Compiled {
    this.#compiled ??= compileConnection(this.snapshot, this.#hashKey);
    if (this.#compiled instanceof AppError) throw this.#compiled;
    return this.#compiled;
  }
}

function compileConnection({ name, policy, settings }: ConnectionSnapshot, hashKey: Uint8Array): Compiled | AppError {
  try {
    return {
      policy: policy === null ? null : compilePolicy(policy, settings.paths),
      masking: new ConnectionMasking(policy?.mask ?? [], hashKey),
      claims: claimsOfPolicy(policy ?? { rules: [], mask: [] }),
    };
  } catch (cause) {
    return new AppError(
      'unavailable',
      `The policy of the connection "${name}" cannot be used by this relay; an operator has to save it again.`,
      { cause },
    );
  }
}

export class KnownIdentity {
  readonly snapshot: IdentitySnapshot;
  /** Its share of the relay, across revisions. */
  readonly share: Share;
  #matches: ReturnType<typeof compileClaimsMatch> | null | undefined;

  constructor(snapshot: IdentitySnapshot, share: Share = new Share()) {
    this.snapshot = snapshot;
    this.share = share;
  }

  /** A condition that does not compile matches nobody. */
  matches(subject: { issuer: string; subject: string; claims: Record<string, unknown> }): boolean {
    if (this.#matches === undefined) {
      try {
        this.#matches = compileClaimsMatch(this.snapshot.match);
      } catch {
        this.#matches = null;
      }
    }
    return this.#matches?.(subject) ?? false;
  }
}

export class Configuration {
  revision = -1;
  /** Rises when grant or recording keys change: what was cached under earlier ones must go. */
  keyGeneration = 0;
  grants: GrantVerifier | null = null;
  recordingKey: Record<string, unknown> | null = null;
  readonly connections = new Map<string, KnownConnection>();
  readonly identities = new Map<string, KnownIdentity>();
  readonly providers = new Map<string, ProviderSnapshot>();
  /** Which connections a URL can mean. */
  readonly destinations = new Destinations();
  readonly #connectionNames = new Map<string, string>();
  readonly #revokedGrants = new Map<string, number>();
  readonly #hashKey: Uint8Array;
  #keys = '';

  /** @param hashKey of the `hash` action of masking; the same in every relay, so that equal values stay joinable */
  constructor(hashKey: Uint8Array) {
    this.#hashKey = hashKey;
  }

  connectionNamed(name: string): KnownConnection | undefined {
    const id = this.#connectionNames.get(name);
    return id === undefined ? undefined : this.connections.get(id);
  }

  isGrantRevoked(grantId: string): boolean {
    return this.#revokedGrants.has(grantId);
  }

  identitiesOf(providerId: string): KnownIdentity[] {
    return [...this.identities.values()].filter((identity) => identity.snapshot.providerId === providerId);
  }

  /** Ids of the connections whose settings or credential are no longer what they were. `nowSeconds` forgets old revocations. */
  apply(snapshot: Snapshot, nowSeconds: number): Set<string> {
    const changed = new Set<string>();
    if (snapshot.full) this.#keepOnly(snapshot, changed);
    for (const id of snapshot.removed) this.#remove(id, changed);
    for (const provider of snapshot.providers) this.providers.set(provider.id, provider);
    for (const identity of snapshot.identities)
      this.identities.set(identity.id, new KnownIdentity(identity, this.identities.get(identity.id)?.share));
    for (const connection of snapshot.connections) {
      const before = this.connections.get(connection.id);
      if (before) {
        if (before.snapshot.name !== connection.name) this.#forgetName(before.snapshot);
        if (!hasSameTarget(before.snapshot, connection)) changed.add(connection.id);
        this.destinations.remove(before.snapshot);
      }
      this.destinations.add(connection);
      this.connections.set(connection.id, new KnownConnection(connection, this.#hashKey, before?.share));
      this.#connectionNames.set(connection.name, connection.id);
    }
    for (const { jti, exp } of snapshot.revokedGrants) this.#revokedGrants.set(jti, exp);
    // A grant is refused at its `exp` anyway; a minute of grace covers clocks that differ.
    for (const [jti, exp] of this.#revokedGrants) if (exp + 60 < nowSeconds) this.#revokedGrants.delete(jti);
    this.#takeKeys(snapshot);
    this.revision = snapshot.revision;
    return changed;
  }

  #keepOnly(snapshot: Snapshot, changed: Set<string>): void {
    const kept = new Set([...snapshot.connections, ...snapshot.identities, ...snapshot.providers].map(({ id }) => id));
    for (const map of [this.connections, this.identities, this.providers]) {
      for (const id of map.keys()) if (!kept.has(id)) this.#remove(id, changed);
    }
  }

  #remove(id: string, changed: Set<string>): void {
    const connection = this.connections.get(id);
    if (connection) {
      this.#forgetName(connection.snapshot);
      this.destinations.remove(connection.snapshot);
      changed.add(id);
    }
    this.connections.delete(id);
    this.identities.delete(id);
    this.providers.delete(id);
  }

  // The name may meanwhile be another connection's.
  #forgetName({ id, name }: ConnectionSnapshot): void {
    if (this.#connectionNames.get(name) === id) this.#connectionNames.delete(name);
  }

  #takeKeys({ grantIssuer, grantAudience, grantKeys, recordingKey }: Snapshot): void {
    const keys = JSON.stringify([grantIssuer, grantAudience, grantKeys, recordingKey]);
    if (keys === this.#keys) return;
    this.grants = createGrantVerifier({ keys: grantKeys, issuer: grantIssuer, audience: grantAudience });
    this.recordingKey = recordingKey;
    this.#keys = keys;
    this.keyGeneration++;
  }
}

/** Whether pooled connections and the lease may go on serving it. */
function hasSameTarget(before: ConnectionSnapshot, after: ConnectionSnapshot): boolean {
  const view = ({ disabled, settings, credential }: ConnectionSnapshot): string =>
    JSON.stringify([disabled, settings.target, settings.allowedHosts, settings.allowedCidrs, settings.limits.connectTimeoutMs, credential]);
  return view(before) === view(after);
}
