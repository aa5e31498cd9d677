/** The groups of operations, and a sentence about each, in the order in which `openapi.json` lists them. */
export const tags = {
  'Identity providers': 'Issuers whose tokens Hoop accepts.',
  Identities: 'Machine principals: a provider, and a condition on the claims of its tokens.',
  Connections: 'Targets that identities may call, with their limits and recording settings.',
  'Credential sources': 'How the relay obtains the credential of a target. Secrets are sealed when they arrive and are never returned.',
  Policies: 'Rules that allow, deny or restrict the calls of a connection, and tools to try them.',
  Masking: 'What is hidden in responses and records, and suggestions for it.',
  Approvals: 'Requests that wait for a person, each bound to the digest of one call.',
  Notifications: 'Channels that tell reviewers about approvals, and what was delivered to them.',
  Sessions: 'The calls of one invocation of a function, in order.',
  Calls: 'Single requests through the relay, and their outcomes.',
  Log: 'The tamper-evident log, its proofs and its public keys.',
  Retention: 'How long recorded content is kept, and holds that keep it longer.',
  'Event sinks': 'Receivers of the log’s events, as CloudEvents.',
  'Admin tokens': 'Tokens for this API, each with one role.',
  'Audit events': 'Who changed or decided what.',
  'Security events': 'Refused authentications and token exchanges.',
  OAuth: 'Exchange of a platform’s token for a grant (RFC 8693), and its revocation (RFC 7009).',
  System: 'Health, readiness and this document.',
  Relay: 'Configuration of relays and their reports. Relays alone call these operations.',
  'Relay approvals': 'Approvals as relays open, await and consume them. Relays alone call these operations.',
} as const;

export type Tag = keyof typeof tags;
