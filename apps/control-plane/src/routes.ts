/** Every route of the control plane: an operation of the contract, and what carries it out. */
import * as createAdminToken from './admin-token/create-admin-token.ts';
import * as readAdminTokens from './admin-token/read-admin-tokens.ts';
import * as revokeAdminToken from './admin-token/revoke-admin-token.ts';
import * as breakGlassReviews from './approval/break-glass-reviews.ts';
import * as decideApproval from './approval/decide-approval.ts';
import * as approvalPage from './approval/show-approval-page.ts';
import * as followApprovals from './approval/follow-approvals.ts';
import * as readApprovals from './approval/read-approvals.ts';
import * as relayApprovals from './approval/relay-approvals.ts';
import * as readAuditEvents from './audit-event/read-audit-events.ts';
import * as getCallBodies from './call/get-call-bodies.ts';
import * as followCalls from './call/follow-calls.ts';
import * as readCalls from './call/read-calls.ts';
import * as createConnection from './connection/create-connection.ts';
import * as deleteConnection from './connection/delete-connection.ts';
import * as readConnections from './connection/read-connections.ts';
import * as searchCalls from './call/search-calls.ts';
import * as updateConnection from './connection/update-connection.ts';
import * as deleteCredentialSource from './credential-source/delete-credential-source.ts';
import * as putCredentialSource from './credential-source/put-credential-source.ts';
import * as readCredentialSource from './credential-source/read-credential-source.ts';
import * as relayDeferredCalls from './deferred-call/relay-deferred-calls.ts';
import * as eventSinks from './event-sink/event-sinks.ts';
import * as readGrant from './grant/read-grant.ts';
import * as revokeGrant from './grant/revoke-grant.ts';
import type { Route } from './http/route.ts';
import * as createIdentityProvider from './identity-provider/create-identity-provider.ts';
import * as deleteIdentityProvider from './identity-provider/delete-identity-provider.ts';
import * as readIdentityProviders from './identity-provider/read-identity-providers.ts';
import * as updateIdentityProvider from './identity-provider/update-identity-provider.ts';
import * as createIdentity from './identity/create-identity.ts';
import * as deleteIdentity from './identity/delete-identity.ts';
import * as readIdentities from './identity/read-identities.ts';
import * as updateIdentity from './identity/update-identity.ts';
import * as maskSuggestions from './masking/mask-suggestions.ts';
import * as tryMasking from './masking/try-masking.ts';
import * as readNotifications from './notification/read-notifications.ts';
import * as writeChannels from './notification/write-channels.ts';
import * as exportLog from './log/export-log.ts';
import * as readLog from './log/read-log.ts';
import * as exchangeToken from './oauth/exchange-token.ts';
import * as metadata from './oauth/metadata.ts';
import * as backtestPolicy from './policy/backtest-policy.ts';
import * as explainDecision from './policy/explain-decision.ts';
import * as proposePolicy from './policy/propose-policy.ts';
import * as putPolicy from './policy/put-policy.ts';
import * as readPolicies from './policy/read-policies.ts';
import * as tryPolicies from './policy/try-policies.ts';
import * as legalHolds from './retention/legal-holds.ts';
import * as retention from './retention/retention.ts';
import * as readSecurityEvents from './security-event/read-security-events.ts';
import * as exportSessionCalls from './session/export-session-calls.ts';
import * as exportSessionHar from './session/export-session-har.ts';
import * as readSessions from './session/read-sessions.ts';
import * as receiveInteraction from './slack/receive-interaction.ts';
import * as slackUsers from './slack/slack-users.ts';
import * as followChanges from './snapshot/follow-changes.ts';
import * as getSnapshot from './snapshot/get-snapshot.ts';
import * as health from './system/health.ts';

const isRoute = (value: unknown): value is Route =>
  typeof value === 'object' && value !== null && 'operation' in value && 'handle' in value;

const files: readonly Record<string, unknown>[] = [
  createIdentityProvider,
  readIdentityProviders,
  updateIdentityProvider,
  deleteIdentityProvider,
  createIdentity,
  readIdentities,
  updateIdentity,
  deleteIdentity,
  createConnection,
  readConnections,
  updateConnection,
  deleteConnection,
  putCredentialSource,
  readCredentialSource,
  deleteCredentialSource,
  putPolicy,
  readPolicies,
  tryPolicies,
  explainDecision,
  backtestPolicy,
  proposePolicy,
  tryMasking,
  maskSuggestions,
  readSessions,
  exportSessionHar,
  exportSessionCalls,
  readCalls,
  searchCalls,
  followCalls,
  getCallBodies,
  readLog,
  exportLog,
  retention,
  legalHolds,
  eventSinks,
  createAdminToken,
  readAdminTokens,
  revokeAdminToken,
  readAuditEvents,
  readSecurityEvents,
  exchangeToken,
  metadata,
  readGrant,
  revokeGrant,
  getSnapshot,
  followChanges,
  health,
  readApprovals,
  decideApproval,
  breakGlassReviews,
  approvalPage,
  followApprovals,
  relayApprovals,
  relayDeferredCalls,
  readNotifications,
  writeChannels,
  slackUsers,
  receiveInteraction,
];

/** Paths without parameters first, so that `/v1/admin-tokens/current` is not taken for an id. */
export const routes: readonly Route[] = files
  .flatMap((file) => Object.values(file).filter(isRoute))
  .toSorted((a, b) => Number(a.operation.path.includes('{')) - Number(b.operation.path.includes('{')));
