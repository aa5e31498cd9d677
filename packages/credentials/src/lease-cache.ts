/**
 * Leases in memory: one request at a time to each source, renewed ahead of expiry, never handed out stale. A lease that
 * is given up before its end is revoked, where its source can.
 */
import { AppError } from '@hoop/contract';
import type { ConnectionSnapshot, CredentialSecrets, CredentialSnapshot } from '@hoop/contract';
import { boundHosts } from '@hoop/sealing';
import type { SealBinding, Secret } from '@hoop/sealing';
import { parseTarget } from '@hoop/upstream';
import type { GuardedFetchFactory } from '@hoop/upstream';

import { createLease } from './lease.ts';
import type { Lease } from './lease.ts';
import { Revocations } from './revocations.ts';
import { describeSource, isRevocable, obtainFrom, revokeAt } from './sources/registry.ts';
import type { ObtainInput, SourceType } from './sources/source.ts';

export interface LeaseCacheOptions {
  /** The relay's: `(sealed, binding) => openSecrets(privateJwks, sealed, binding)`. */
  readonly openSecrets: (sealed: string, binding: SealBinding) => Promise<Secret<CredentialSecrets>>;
  /** `createGuardedFetch` of @hoop/upstream. */
  readonly fetch: GuardedFetchFactory;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** From 0 to 1, 1 excluded. */
  readonly random: () => number;
  /** A credential of this connection could not be revoked: it is valid until it expires. */
  readonly onRevocationFailure?: (connectionId: string) => void;
}

export interface LeaseCache {
  /** The lease if there is a valid one; starts its renewal when that is due. No promise: the usual case of a call. */
  peek(connection: ConnectionSnapshot): Lease | undefined;
  /**
   * A valid lease; all who ask at the same time share one request. Rejects within `sourceTimeoutMs`, or at once while
   * a failure is fresh, or when `signal` aborts (which ends the wait, not the shared request).
   * @throws AppError `credential_unavailable`, `credential_not_openable`
   */
  obtain(connection: ConnectionSnapshot, signal?: AbortSignal): Promise<Lease>;
  /** Gives up the lease and a request under way: what was obtained is revoked. */
  forget(connectionId: string): void;
  /**
   * Drops the lease, so that the next call obtains another. Nothing is revoked: a function can have its target refuse a
   * credential, and calls of others may be under way with the same.
   */
  renew(connectionId: string): void;
  /** Gives up every lease; waits for revocations, 2 seconds at most. */
  close(): Promise<void>;
}

/** The whole of obtaining a credential. */
export const sourceTimeoutMs = 5_000;
/** A lease is renewed after this part of its life, and a random part more, so that relays do not ask in step. */
const renewAfter = 0.7;
const renewSpread = 0.1;
/** A lease is not handed out for the last part of its life, so that it does not expire on its way. */
const reserve = 0.05;
const maxReserveMs = 5_000;
/** After a failure the source is left alone: doubled each time, within these bounds. */
const firstPauseMs = 1_000;
const longestPauseMs = 15_000;
const closeTimeoutMs = 2_000;

interface Entry {
  credential: CredentialSnapshot;
  settings: ConnectionSnapshot['settings'];
  readonly key: string;
  readonly stop: AbortController;
  lease: Lease | undefined;
  /** From these instants on the lease is renewed, and no longer handed out. */
  renewAt: number;
  usableUntil: number;
  /** The request under way, whoever still waits for it; and as its waiters see it. */
  request: Promise<Lease> | undefined;
  flight: Promise<Lease> | undefined;
  failure: AppError | undefined;
  failures: number;
  pausedUntil: number;
}

export function createLeaseCache({ openSecrets, fetch, now, random, onRevocationFailure }: LeaseCacheOptions): LeaseCache {
  const entries = new Map<string, Entry>();
  const revocations = new Revocations({ onFailure: onRevocationFailure });
  let isClosed = false;

  const find = (connection: ConnectionSnapshot): Entry | undefined => {
    const entry = entries.get(connection.id);
    if (entry === undefined || connection.credential === null) return undefined;
    if (entry.credential === connection.credential && entry.settings === connection.settings) return entry;
    if (entry.key !== keyOf(connection, connection.credential)) return undefined;
    entry.credential = connection.credential;
    entry.settings = connection.settings;
    return entry;
  };

  const drop = (connectionId: string): Entry | undefined => {
    const entry = entries.get(connectionId);
    entries.delete(connectionId);
    entry?.stop.abort();
    return entry;
  };

  const forget = (connectionId: string): void => {
    const entry = drop(connectionId);
    if (entry === undefined || !isRevocable(entry.credential.settings)) return;
    if (entry.lease !== undefined) revoke(connectionId, entry, entry.lease);
    // The answer of a request under way would be one more token that nobody knows of.
    if (entry.flight !== undefined) revoke(connectionId, entry, entry.request!);
  };

  const revoke = (connectionId: string, { credential, settings }: Entry, obtained: Lease | Promise<Lease>): void => {
    revocations.add(connectionId, async (signal) => {
      const lease = await Promise.resolve(obtained).catch(() => null);
      if (lease === null || now() >= lease.expiresAt) return true;
      return revokeAt({ ...(await inputOf(connectionId, credential, settings, signal)), secret: lease.credential });
    });
  };

  const inputOf = async (
    connectionId: string,
    credential: CredentialSnapshot,
    settings: ConnectionSnapshot['settings'],
    signal: AbortSignal,
  ): Promise<ObtainInput<SourceType>> => {
    const source = credential.settings;
    const binding = { connectionId, credentialSourceId: credential.id, hosts: boundHosts(settings, source) };
    const secrets = await openSecrets(credential.sealed, binding);
    const guarded = fetch({ allowedCidrs: settings.allowedCidrs, timeoutMs: sourceTimeoutMs, maxBytes: 65_536, retries: 1 });
    return { settings: source, secrets, fetch: guarded, now, signal };
  };

  const ensure = (connection: ConnectionSnapshot): Entry => {
    const found = find(connection);
    if (found !== undefined) return found;
    const { credential } = connection;
    if (credential === null) throw new AppError('credential_unavailable', 'The connection has no credential source. Give it one.');
    forget(connection.id);
    const entry: Entry = {
      credential,
      settings: connection.settings,
      key: keyOf(connection, credential),
      stop: new AbortController(),
      lease: undefined,
      renewAt: 0,
      usableUntil: 0,
      request: undefined,
      flight: undefined,
      failure: undefined,
      failures: 0,
      pausedUntil: 0,
    };
    entries.set(connection.id, entry);
    return entry;
  };

  const acquire = async (connectionId: string, { credential, settings, stop }: Entry): Promise<Lease> => {
    // A token that may have to be revoked is awaited even when no caller needs it any more.
    const signal = isRevocable(credential.settings) ? AbortSignal.timeout(sourceTimeoutMs) : stop.signal;
    const input = await inputOf(connectionId, credential, settings, signal);
    const obtained = await obtainFrom(input);
    return createLease({ ...obtained, connectionId, hosts: parseTarget(settings).origins, source: input.settings, now: now() });
  };

  const start = (connectionId: string, entry: Entry): Promise<Lease> => {
    const startedAt = now();
    entry.request = acquire(connectionId, entry);
    const flight = untilAborted(entry.request, entry.stop.signal).then(
      (lease) => {
        entry.flight = undefined;
        if (entry.stop.signal.aborted) throw givenUp();
        const life = lease.expiresAt - startedAt;
        entry.lease = lease;
        entry.renewAt = startedAt + life * (renewAfter + renewSpread * random());
        entry.usableUntil = lease.expiresAt - Math.min(maxReserveMs, life * reserve);
        entry.failure = undefined;
        entry.failures = 0;
        return lease;
      },
      (error: unknown) => {
        entry.flight = undefined;
        if (entry.stop.signal.aborted) throw givenUp();
        entry.failure = asAppError(error, entry.credential);
        entry.failures += 1;
        const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** (entry.failures - 1));
        entry.pausedUntil = now() + Math.max(pause * (0.75 + 0.5 * random()), askedPauseMs(entry.failure));
        throw entry.failure;
      },
    );
    entry.flight = flight;
    // A renewal in the background has nobody who waits for it.
    flight.catch(() => undefined);
    return flight;
  };

  const isPaused = (entry: Entry, at: number): boolean => entry.failure !== undefined && at < entry.pausedUntil;

  const peek = (connection: ConnectionSnapshot): Lease | undefined => {
    const entry = find(connection);
    if (entry?.lease === undefined) return undefined;
    const at = now();
    if (at >= entry.usableUntil) return undefined;
    if (at >= entry.renewAt && entry.flight === undefined && !isPaused(entry, at)) void start(connection.id, entry);
    return entry.lease;
  };

  return {
    peek,
    forget,
    async obtain(connection, signal) {
      if (isClosed) throw givenUp();
      const lease = peek(connection);
      if (lease !== undefined) return lease;
      const entry = ensure(connection);
      if (entry.flight === undefined && isPaused(entry, now())) throw entry.failure!;
      const flight = entry.flight ?? start(connection.id, entry);
      return signal === undefined ? flight : untilAborted(flight, signal);
    },
    renew: (connectionId) => void drop(connectionId),
    async close() {
      isClosed = true;
      for (const id of entries.keys()) forget(id);
      await revocations.close(closeTimeoutMs);
    },
  };
}

/** All that a lease depends on. */
function keyOf({ settings }: ConnectionSnapshot, credential: CredentialSnapshot): string {
  return JSON.stringify([
    credential.id,
    credential.revision,
    credential.sealed,
    credential.settings,
    settings.target,
    settings.allowedHosts,
    settings.allowedCidrs,
  ]);
}

const givenUp = (): AppError =>
  new AppError(
    'credential_unavailable',
    'The credential is no longer needed: the connection was revoked or changed, or the relay is shutting down.',
  );

/** Nothing of an unexpected error is shown: it could hold the secret. */
function asAppError(error: unknown, { settings }: CredentialSnapshot): AppError {
  if (error instanceof AppError) return error;
  const kind = error instanceof Error ? error.name : typeof error;
  return new AppError('credential_unavailable', 'The credential could not be obtained because of a fault in the relay.', {
    cause: new Error(`unexpected ${kind} from ${describeSource(settings)}`),
  });
}

function askedPauseMs(failure: AppError): number {
  const seconds = Number(failure.headers['retry-after'] ?? 0);
  return Math.min(seconds * 1000, longestPauseMs);
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new AppError('credential_unavailable', 'Waiting for the credential was abandoned.'));
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    const done = (): void => signal.removeEventListener('abort', onAbort);
    promise.then(resolve, reject).finally(done);
  });
}
