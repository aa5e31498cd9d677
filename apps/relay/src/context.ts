/** Wires one relay process and takes it apart again. */
import { hkdfSync } from 'node:crypto';

import { newId, AppError } from '@hoop/contract';
import { createLeaseCache } from '@hoop/credentials';
import { openSecrets } from '@hoop/sealing';
import { createProviderVerifier } from '@hoop/tokens';
import { createGuardedFetch, createUpstream } from '@hoop/upstream';
import { pino } from 'pino';
import type { DestinationStream } from 'pino';

import { createControlPlane } from './control-plane/client.ts';
import { Subjects } from './approvals/subjects.ts';
import { CallList } from './call/call.ts';
import { Callers } from './caller/callers.ts';
import { completeLimits } from './caller/limits.ts';
import type { RelayConfig } from './config.ts';
import { whyRevoked } from './data-path/authenticate.ts';
import { fail } from './data-path/conclude.ts';
import { isUsable } from './data-path/resolve.ts';
import { isTunnelRevoked } from './data-path/tunnel.ts';
import { Refusals } from './record/refusals.ts';
import { RefusedBodies } from './record/refused-body.ts';
import { openRecord } from './record/open-record.ts';
import { OpenSockets } from './listener/open-sockets.ts';
import { createMaskDiscovery } from './discovery/mask-discovery.ts';
import type { Relay } from './relay.ts';
import { Sessions } from './caller/sessions.ts';
import { turns } from './caller/turns.ts';
import { startSnapshotClient } from './control-plane/follow-snapshot.ts';
import { Configuration } from './configuration/configuration.ts';

export interface RelayParts {
  readonly now?: () => number;
  readonly logTo?: DestinationStream;
}

export interface OpenedRelay {
  readonly relay: Relay;
  /** Resolves with the first snapshot. */
  ready(): Promise<void>;
  /** Ends what is still under way, sends what is left to record and lets go of everything. */
  close(): Promise<void>;
}

const flushMs = 10_000;

/** The journal's folder cannot be used: rejects with a sentence that names it. */
export async function openRelay(config: RelayConfig, parts: RelayParts = {}): Promise<OpenedRelay> {
  const now = parts.now ?? Date.now;
  const id = newId('relay', now());
  const log = pino({ name: 'hoop-relay', base: { relayId: id } }, parts.logTo ?? pino.destination(1));
  const tls = config.targetCa === undefined ? {} : { tls: { ca: config.targetCa } };

  const record = await openRecord(id, config, log);
  const { recorder } = record;
  const limits = completeLimits(config.limits, config.openFiles);
  const configuration = new Configuration(maskingHashKey(config.sealingKeys));
  let keyGeneration = 0;
  const snapshots = startSnapshotClient({
    url: config.controlPlaneUrl,
    tokenFile: config.relayTokenFile,
    configuration,
    now,
    onApplied: (changed) => {
      if (configuration.keyGeneration !== keyGeneration) {
        keyGeneration = configuration.keyGeneration;
        relay.callers.clear();
        relay.sessions.clear();
        relay.sessions.prepare();
      }
      for (const connectionId of changed) forgetConnection(relay, connectionId);
      cutRevoked(relay);
    },
    onSubjectChanged: (id) => (id === null ? relay.subjects.allMayHaveChanged() : relay.subjects.changed(id)),
    onTrouble: (error) => log.warn({ event: 'control_plane_trouble', error: describe(error) }, 'the control plane cannot be reached'),
  });
  const controlPlane = createControlPlane({ url: config.controlPlaneUrl, tokenFile: config.relayTokenFile });
  const relay: Relay = {
    id,
    now,
    log,
    configuration,
    snapshots,
    snapshotMaxAgeMs: config.snapshotMaxAgeMs,
    callers: new Callers(),
    sessions: new Sessions(() => configuration.recordingKey),
    strangers: newId('session', now()),
    providerTokens: createProviderVerifier({ fetch: createGuardedFetch, now }),
    upstream: createUpstream(tls),
    leases: createLeaseCache({
      openSecrets: (sealed, binding) => openSecrets(config.sealingKeys, sealed, binding),
      fetch: createGuardedFetch,
      now,
      random: Math.random,
      onRevocationFailure: (connectionId) =>
        log.warn({ event: 'revocation_failed', connectionId }, 'a credential could not be revoked: it is valid until it expires'),
    }),
    renewedAt: new Map(),
    recorder,
    journal: record.journal,
    refusals: new Refusals(recorder, limits.maxRefusalsPerSecond),
    refusedBodies: new RefusedBodies(),
    discovery: createMaskDiscovery({
      ...config.discovery,
      now,
      report: (observations) => controlPlane.reportMaskObservations(observations),
      onTrouble: (error) => log.warn({ event: 'mask_observations_lost', error: describe(error) }, 'what discovery saw could not be told'),
    }),
    controlPlane,
    subjects: new Subjects(),
    sealingKeys: config.sealingKeys,
    deferredRuns: new Map(),
    loopbackPort: 0,
    calls: new CallList(),
    sockets: new OpenSockets(limits),
    limits,
    heldBytes: 0,
    isDraining: false,
  };

  return {
    relay,
    ready: () => snapshots.ready(),
    async close() {
      for (const call of relay.calls)
        fail(relay, call, new AppError('relay_draining', 'The relay shut down before the call was complete.'));
      await turns.idle();
      relay.refusals.close();
      await snapshots.close();
      const told = relay.discovery.close();
      const lost = await recorder.close(flushMs);
      if (lost > 0) log.error({ event: 'records_lost', count: lost }, 'the last records could not be made durable in time');
      await record.close();
      await told;
      await relay.controlPlane.close();
      await relay.leases.close();
      await relay.upstream.closeAll();
    },
  };
}

/** From the key that all relays share, so that they hash alike; it changes with that key. */
function maskingHashKey({ keys }: RelayConfig['sealingKeys']): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', JSON.stringify(keys[0]!['d']), '', 'hoop masking hash', 32));
}

function forgetConnection(relay: Relay, connectionId: string): void {
  relay.leases.forget(connectionId);
  relay.renewedAt.delete(connectionId);
  const connection = relay.configuration.connections.get(connectionId);
  if (connection === undefined || connection.snapshot.disabled) {
    relay.upstream.close(connectionId, revoked('The connection was removed or disabled during the call.'));
  }
}

/** Revocations also end calls in flight. */
function cutRevoked(relay: Relay): void {
  for (const call of relay.calls) {
    if (call.stage === 'concluded' || call.caller === null) continue;
    const why = whyRevoked(relay, call.caller);
    if (why !== null) {
      fail(relay, call, revoked(why.detail));
      continue;
    }
    if (isTunnelRevoked(relay, call)) fail(relay, call, revoked('The identity may no longer have this tunnel.'));
    if (call.connection === null) continue;
    const current = relay.configuration.connections.get(call.connection.snapshot.id);
    if (current === undefined || !isUsable(current, call.caller)) {
      fail(relay, call, revoked('The connection was removed, disabled or taken from this identity during the call.'));
    }
  }
}

const revoked = (detail: string): AppError => new AppError('call_revoked', detail);

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
