/**
 * Which rows carry a signature of the control plane, and over which of their columns. A model of schema.prisma that is
 * neither here nor in `unsignedModels` fails a test, so that adding one needs a decision.
 */

export interface RowKindDefinition {
  /** Name of Prisma's delegate and, with a capital, of the model. */
  readonly model: string;
  /** Columns that make up the row's id. */
  readonly key: readonly string[];
  readonly signed: readonly string[];
  /** Of the signed columns, those that came later: null in them is signed as it was before there was such a column. */
  readonly later?: readonly string[];
  /** Columns that are not signed, and why a change of each gives nobody anything. */
  readonly unsigned: Readonly<Record<string, string>>;
  /** The parts of other tables' rows that are signed with this one, as `include` reads them. */
  readonly parts?: (row: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
  readonly include?: object;
  /** True where retention or expiry removes rows without an audit event that names them. */
  readonly mayExpire?: true;
}

const stamps = ['version', 'createdAt', 'updatedAt'] as const;
const configuration = ['revision', ...stamps] as const;

/** A connection's row with what belongs to it; more columns of those rows do no harm. */
export interface ConnectionParts {
  readonly identities: readonly { readonly identityId: string }[];
  readonly credential: { readonly id: string; readonly version: number } | null;
  readonly policy: { readonly id: string; readonly currentRevision: number } | null;
}

/** The relations that Prisma reads with a connection so that its signature can be checked. */
export const connectionParts = {
  identities: { select: { identityId: true } },
  credential: { select: { id: true, version: true } },
  policy: { select: { id: true, currentRevision: true } },
} as const;

function partsOfConnection(row: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { identities, credential, policy } = row as unknown as ConnectionParts;
  return {
    identityIds: identities.map((one) => one.identityId).toSorted(),
    credential: credential === null ? null : { id: credential.id, version: credential.version },
    policy: policy === null ? null : { id: policy.id, revision: policy.currentRevision },
  };
}

export const rowKinds = {
  identity_provider: {
    model: 'identityProvider',
    key: ['id'],
    signed: ['id', 'name', 'issuer', 'disabled', 'settings', ...configuration],
    unsigned: {},
  },
  identity: {
    model: 'identity',
    key: ['id'],
    signed: ['id', 'name', 'providerId', 'match', 'owner', 'labels', 'disabled', 'grantsNotBefore', 'unmanaged', ...configuration],
    later: ['unmanaged'],
    unsigned: {},
  },
  // Its members, and which credential and policy are in force, belong to the connection: no row of it can be removed,
  // added, swapped or set back alone.
  connection: {
    model: 'connection',
    key: ['id'],
    signed: ['id', 'name', 'disabled', 'settings', ...configuration],
    unsigned: {},
    include: connectionParts,
    parts: partsOfConnection,
  },
  credential_source: {
    model: 'credentialSource',
    key: ['id'],
    signed: ['id', 'connectionId', 'settings', 'sealed', 'sealedHosts', 'sealedAt', ...stamps],
    unsigned: {},
  },
  policy_revision: {
    model: 'policyRevision',
    key: ['policyId', 'revision'],
    signed: ['policyId', 'revision', 'rules', 'mask', 'comment', 'createdBy', 'createdAt'],
    unsigned: {},
  },
  grant: {
    model: 'grant',
    key: ['id'],
    signed: ['id', 'identityId', 'issuer', 'subject', 'claims', 'connectionIds', 'issuedAt', 'expiresAt'],
    unsigned: {},
    mayExpire: true,
  },
  revoked_grant: {
    model: 'revokedGrant',
    key: ['jti'],
    signed: ['jti', 'identityId', 'exp', 'revision', 'revokedBy', 'revokedAt'],
    unsigned: {},
    mayExpire: true,
  },
  admin_token: {
    model: 'adminToken',
    key: ['id'],
    signed: ['id', 'name', 'role', 'hash', 'userName', 'groups', 'createdBy', 'createdAt', 'expiresAt', 'revokedAt'],
    unsigned: { lastUsedAt: 'only shown' },
  },
  audit_event: {
    model: 'auditEvent',
    key: ['id'],
    signed: [
      'id',
      'at',
      'actorId',
      'actorName',
      'actorRole',
      'action',
      'targetType',
      'targetId',
      'targetName',
      'change',
      'rows',
      'requestId',
      'remote',
    ],
    unsigned: {},
  },
  approval: {
    model: 'approval',
    key: ['id'],
    signed: [
      'id',
      'digest',
      'identityId',
      'identityName',
      'identityOwner',
      'connectionId',
      'connectionName',
      'policyId',
      'policyRevision',
      'credentialSourceId',
      'credentialRevision',
      'requirements',
      'rules',
      'context',
      'claims',
      'method',
      'url',
      'path',
      'bodyBytes',
      'callId',
      'sessionId',
      'shownKey',
      'shown',
      'requestedAt',
      'expiresAt',
    ],
    unsigned: {
      state: 'that an approval was given follows from its signed reviews, and that it was used from the audit trail; the rest refuses',
      validity: 'follows from the reviews',
      usableUntil: 'follows from the reviews',
      decidedAt: 'follows from the reviews',
      reviewers: 'only filters lists; who may review is in the signed requirements',
      consumedBy: 'the audit trail says who used it',
      consumedAt: 'only for the search for calls that were lost',
      isCallRecorded: 'only for the search for calls that were lost',
      reason: 'only shown',
      version: 'only shown',
    },
    mayExpire: true,
  },
  approval_review: {
    model: 'approvalReview',
    key: ['approvalId', 'userName', 'via'],
    signed: ['approvalId', 'userName', 'groups', 'decision', 'comment', 'validity', 'via', 'tokenId', 'at'],
    unsigned: {},
    mayExpire: true,
  },
  break_glass_review: {
    model: 'breakGlassReview',
    key: ['approvalId'],
    signed: ['approvalId', 'userName', 'reason', 'openedAt', 'closedAt', 'closedBy', 'comment'],
    unsigned: {},
    mayExpire: true,
  },
  deferred_call: {
    model: 'deferredCall',
    key: ['callId'],
    signed: [
      'callId',
      'identityId',
      'connectionId',
      'approvalId',
      'requestKey',
      'request',
      'idempotencyKey',
      'mayRetry',
      'webhookChannel',
      'createdAt',
      'expiresAt',
    ],
    unsigned: {
      state: 'what is sent is decided anew by the relay, and what has a concluded record is not sent again',
      attempts: 'as the state',
      claimedBy: 'says which relay may report the end',
      claimedAt: 'only for the search for calls that were lost',
      status: 'only shown',
      error: 'only shown',
      errorDetail: 'only shown',
      responseKey: 'sealed by the relay, to whom it is shown',
      response: 'sealed by the relay, to whom it is shown',
      finishedAt: 'only for clearing up',
    },
    mayExpire: true,
  },
  notification_channel: {
    model: 'notificationChannel',
    key: ['id'],
    signed: ['id', 'name', 'kind', 'url', 'allowedCidrs', 'events', 'reviewers', 'sealed', 'settings', 'disabled', ...stamps],
    unsigned: {},
  },
  slack_user: {
    model: 'slackUser',
    key: ['slackUserId'],
    signed: ['slackUserId', 'userName', 'groups', 'createdAt'],
    unsigned: {},
  },
  legal_hold: {
    model: 'legalHold',
    key: ['id'],
    signed: ['id', 'kind', 'subjectId', 'reason', 'placedBy', 'placedAt', 'liftedBy', 'liftedAt'],
    unsigned: {},
  },
  retention_settings: {
    model: 'retentionSettings',
    key: ['id'],
    signed: ['id', 'unattributed', 'maximum', 'version', 'updatedAt'],
    unsigned: {},
  },
  event_sink: {
    model: 'eventSink',
    key: ['id'],
    signed: ['id', 'name', 'kind', 'url', 'allowedCidrs', 'file', 'types', 'maxBatch', 'sealed', 'paused', ...stamps],
    unsigned: {
      cursor: 'moved by the worker; events that are sent twice or passed over show by their index',
      failures: 'only shown',
      lastError: 'only shown',
      lastAttemptAt: 'only shown',
      lastDeliveredAt: 'only shown',
      nextAttemptAt: 'only delays',
    },
  },
  idempotency_key: {
    model: 'idempotencyKey',
    key: ['actorId', 'key'],
    signed: ['actorId', 'key', 'operation', 'requestDigest', 'status', 'headers', 'body', 'createdAt', 'expiresAt'],
    unsigned: {},
    mayExpire: true,
  },
} as const satisfies Record<string, RowKindDefinition>;

export type RowKind = keyof typeof rowKinds;

export const allRowKinds = Object.keys(rowKinds) as RowKind[];

/** Models that carry no signature, each with what protects it or why nothing has to. */
export const unsignedModels: Readonly<Record<string, string>> = {
  SnapshotState: 'a counter: set back, it only makes relays fetch everything',
  Tombstone: 'tells relays what is gone; a relay that starts fetches everything',
  ConnectionIdentity: 'signed with its connection',
  Policy: 'which revision is in force is signed with the connection, its content with the revision',
  SecurityEvent: 'also in the process log; written by the worker, which cannot sign for the control plane',
  Session: 'counters of calls; the record check compares them',
  Call: 'the log, signed by the worker',
  CallBody: 'the log, signed by the worker',
  DataKey: 'the log, signed by the worker',
  RetentionState: 'how far retention has come; the record check compares it',
  BlobDeletion: 'names blobs to remove; a removed blob shows in the log as missing',
  BlobCheckState: 'a position of a check, which starts over when it is lost',
  NotificationDelivery: 'a message that goes through a signed channel',
  Outbox: 'ids of pending work; the worker that does it reads the signed rows',
  SlackRequest: 'signatures that were used, for five minutes; Slack signs the requests',
  LogPending: 'ids; the sequencer reads the records',
  LogState: 'the log, signed by the worker',
  LogLeaf: 'the log, signed by the worker',
  LogNode: 'the log, signed by the worker',
  LogCheckpoint: 'signed by the worker',
  LogWitness: 'how far a witness was told; the witness knows better',
  RecordCheckState: 'a position of a check, which starts over when it is lost',
  MaskSuggestion: 'advice that a person accepts; what is accepted becomes a policy revision',
};
