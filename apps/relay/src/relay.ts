/** Everything that the steps of the data path may use; made once, in context.ts. */
import type { LeaseCache } from '@hoop/credentials';
import type { JournalWriter } from '@hoop/journal';
import type { JwkSet } from '@hoop/sealing';
import type { Recorder } from '@hoop/recording';
import type { ProviderVerifier } from '@hoop/tokens';
import type { Upstream } from '@hoop/upstream';
import type { Logger } from 'pino';

import type { ControlPlane } from './control-plane/client.ts';
import type { Subjects } from './approvals/subjects.ts';
import type { CallList } from './call/call.ts';
import type { Callers } from './caller/callers.ts';
import type { RelayLimits } from './caller/limits.ts';
import type { DeferredRun } from './deferred/deferred-run.ts';
import type { OpenSockets } from './listener/open-sockets.ts';
import type { MaskDiscovery } from './discovery/mask-discovery.ts';
import type { Refusals } from './record/refusals.ts';
import type { RefusedBodies } from './record/refused-body.ts';
import type { Sessions } from './caller/sessions.ts';
import type { SnapshotClient } from './control-plane/follow-snapshot.ts';
import type { Configuration } from './configuration/configuration.ts';

export interface Relay {
  readonly id: string;
  readonly now: () => number;
  readonly log: Logger;
  readonly configuration: Configuration;
  readonly snapshots: Pick<SnapshotClient, 'ageMs'>;
  readonly snapshotMaxAgeMs: number;
  readonly callers: Callers;
  readonly sessions: Sessions;
  /** The session that refusals of unknown callers are recorded under. */
  readonly strangers: string;
  readonly providerTokens: ProviderVerifier;
  readonly upstream: Upstream;
  readonly leases: LeaseCache;
  /** When a connection's lease was last given up because the target refused it; Unix milliseconds by connection id. */
  readonly renewedAt: Map<string, number>;
  readonly recorder: Recorder;
  /** Where the record becomes durable; null: in the queue. */
  readonly journal: JournalWriter | null;
  readonly refusals: Refusals;
  readonly refusedBodies: RefusedBodies;
  /** Looks for sensitive fields that no rule covers. */
  readonly discovery: MaskDiscovery;
  /** Keeps approvals and deferred calls. */
  readonly controlPlane: ControlPlane;
  readonly subjects: Subjects;
  /** The relays' private keys: what waits is sealed to their public half. */
  readonly sealingKeys: JwkSet;
  /** By the token that the loopback request carries: 256 random bits that never leave this process. */
  readonly deferredRuns: Map<string, DeferredRun>;
  /** Port of this process's own listener on loopback, for deferred calls. */
  loopbackPort: number;
  /** Calls in flight. */
  readonly calls: CallList;
  readonly sockets: OpenSockets;
  readonly limits: RelayLimits;
  /** Of request bodies that are held whole. */
  heldBytes: number;
  isDraining: boolean;
}
