/** Generated from openapi.json by scripts/openapi.ts: change the contract, not this file. */
export interface paths {
    "/v1/identity-providers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List identity providers
         * @description Roles: admin, operator, approver, auditor.
         */
        get: operations["listIdentityProviders"];
        put?: never;
        /**
         * Register an issuer whose tokens are accepted
         * @description Roles: admin, operator.
         */
        post: operations["createIdentityProvider"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/identity-providers/{provider}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an identity provider
         * @description Roles: admin, operator, approver, auditor.
         */
        get: operations["getIdentityProvider"];
        put?: never;
        post?: never;
        /**
         * Delete an identity provider that no identity uses
         * @description Roles: admin, operator.
         */
        delete: operations["deleteIdentityProvider"];
        options?: never;
        head?: never;
        /**
         * Change an identity provider
         * @description Roles: admin, operator.
         */
        patch: operations["updateIdentityProvider"];
        trace?: never;
    };
    "/v1/identities": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List identities
         * @description Roles: admin, operator, approver, auditor.
         */
        get: operations["listIdentities"];
        put?: never;
        /**
         * Register a machine identity
         * @description Roles: admin, operator.
         */
        post: operations["createIdentity"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/identities/{identity}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an identity
         * @description Roles: admin, operator, approver, auditor.
         */
        get: operations["getIdentity"];
        put?: never;
        post?: never;
        /**
         * Delete an identity that no connection lists
         * @description Roles: admin, operator.
         */
        delete: operations["deleteIdentity"];
        options?: never;
        head?: never;
        /**
         * Change an identity
         * @description Roles: admin, operator.
         */
        patch: operations["updateIdentity"];
        trace?: never;
    };
    "/v1/identities/{identity}/disable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Disable an identity at once: its grants stop working and its calls in flight are cut
         * @description Roles: admin, operator.
         */
        post: operations["disableIdentity"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/identities/{identity}/enable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Enable an identity again
         * @description Roles: admin, operator.
         */
        post: operations["enableIdentity"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/identities/{identity}/revoke-grants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Revoke every grant that the identity holds now; it may get new ones
         * @description Roles: admin, operator.
         */
        post: operations["revokeIdentityGrants"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/connections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List connections
         * @description Roles: admin, operator, approver, auditor.
         */
        get: operations["listConnections"];
        put?: never;
        /**
         * Register a target
         * @description Without a policy every call is denied; without a credential source nothing is injected.
         *
         *     Roles: admin, operator.
         */
        post: operations["createConnection"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/connections/{connection}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a connection
         * @description Roles: admin, operator, approver, auditor.
         */
        get: operations["getConnection"];
        put?: never;
        post?: never;
        /**
         * Delete a connection that lists no identity; its credential goes with it, its policy revisions stay for the record
         * @description Roles: admin, operator.
         */
        delete: operations["deleteConnection"];
        options?: never;
        head?: never;
        /**
         * Change a connection
         * @description While a credential is sealed to its hosts, the hosts and the scheme cannot change: delete the credential, change, and set it again.
         *
         *     Roles: admin, operator.
         */
        patch: operations["updateConnection"];
        trace?: never;
    };
    "/v1/connections/{connection}/credential": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the credential source of a connection, without its secrets
         * @description Roles: admin, operator, approver, auditor.
         */
        get: operations["getCredentialSource"];
        /**
         * Set how the credential of a connection is obtained
         * @description Secrets are write-only: sealed at once to the relay, never returned. Every change needs them again, so that nobody can redirect a secret that they do not know. `If-None-Match: *` for the first, `If-Match` after.
         *
         *     Roles: admin, operator.
         */
        put: operations["putCredentialSource"];
        post?: never;
        /**
         * Delete the credential source of a connection
         * @description Roles: admin, operator.
         */
        delete: operations["deleteCredentialSource"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/connections/{connection}/disable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Disable a connection at once; its calls in flight are cut
         * @description Roles: admin, operator.
         */
        post: operations["disableConnection"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/connections/{connection}/enable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Enable a connection again
         * @description Roles: admin, operator.
         */
        post: operations["enableConnection"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/connections/{connection}/policy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the policy in force
         * @description Roles: admin, operator, approver, auditor.
         */
        get: operations["getPolicy"];
        /**
         * Write the next revision of the policy of a connection
         * @description Conditions are type-checked. `If-None-Match: *` for the first, `If-Match` with the current revision after.
         *
         *     Roles: admin, operator.
         */
        put: operations["putPolicy"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/connections/{connection}/policy/revisions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the revisions of a policy, newest first
         * @description Roles: admin, operator, approver, auditor.
         */
        get: operations["listPolicyRevisions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/connections/{connection}/policy/revisions/{revision}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get one revision of a policy
         * @description Roles: admin, operator, approver, auditor.
         */
        get: operations["getPolicyRevision"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/policies/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Explain a decision: by which rule, why, and what would allow the request
         * @description For a described request, or for a recorded call (`{"call": "call_…"}`), which is explained by the policy revision that decided it.
         *
         *     Roles: admin, operator, approver, auditor.
         */
        post: operations["explainDecision"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/policies/lint": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Find probable mistakes: allow-all, unreachable rules, writes without an approval
         * @description Roles: admin, operator, approver, auditor.
         */
        post: operations["lintPolicy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/policies/validate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Check a policy without saving it
         * @description Roles: admin, operator, approver, auditor.
         */
        post: operations["validatePolicy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/policies/backtest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Backtest a candidate policy on the recorded calls of a connection; each backtest is an audit event
         * @description Recorded bodies are opened only for admins and auditors; for operators a condition that reads a body is unknown. Masking rules of the candidate are accepted and change nothing.
         *
         *     Roles: admin, operator, auditor.
         */
        post: operations["backtestPolicy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/policies/propose": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Propose a least-privilege policy from the recorded calls of a connection; a draft
         * @description Roles: admin, operator, auditor.
         */
        post: operations["proposePolicy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/relay/mask-observations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Report the findings of a relay since its last report; later samples make up for a lost report
         * @description For relays.
         */
        post: operations["reportMaskObservations"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/connections/{connection}/mask-suggestions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Sensitive fields that a connection answers with and no rule covers, newest first
         * @description From a sample of the responses. An accepted or dismissed one goes on being counted and is not suggested again.
         *
         *     Roles: admin, operator, approver, auditor.
         */
        get: operations["listMaskSuggestions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/connections/{connection}/mask-suggestions/{suggestionId}/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Mask the field from now on: writes the next revision of the policy, with a rule for its path
         * @description `If-Match` is about the policy. Pending and unused approvals are voided, as by every change of the policy.
         *
         *     Roles: admin, operator.
         */
        post: operations["acceptMaskSuggestion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/connections/{connection}/mask-suggestions/{suggestionId}/dismiss": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say that a suggested field need not be masked; it is not suggested again
         * @description Roles: admin, operator.
         */
        post: operations["dismissMaskSuggestion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/masking/try": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Try masking rules on a sample: before and after
         * @description The sample is neither stored nor logged.
         *
         *     Roles: admin, operator, approver, auditor.
         */
        post: operations["tryMasking"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/approvals/{approvalId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A page for people who follow the link in a message: the id, the state and the commands to use
         * @description Nothing of the request is on it. An id that does not exist gives the same page, with the state `unknown`.
         *
         *     No token is needed.
         */
        get: operations["showApprovalPage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List approvals, newest first
         * @description Roles: admin, operator, approver, auditor, break_glass.
         */
        get: operations["listApprovals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Every pending approval at once, and every change as it happens (server-sent events)
         * @description Each event is `event: approval` with the approval as `data`; `event: ping` every 15 seconds.
         *
         *     Roles: admin, operator, approver, auditor, break_glass.
         */
        get: operations["followApprovals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/{approvalId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the request that will be sent, its sender, and the rules that need a decision; each reading is an audit event
         * @description Roles: admin, approver, auditor, break_glass.
         */
        get: operations["getApproval"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/{approvalId}/break-glass": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Break the glass: let the request proceed without a decision by the people whom the rule names
         * @description Needs a reason, is announced to every channel, and opens a review that somebody else has to close.
         *
         *     Roles: break_glass.
         */
        post: operations["breakGlass"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/{approvalId}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The state of one approval at once and at every change, until it ends (server-sent events)
         * @description Roles: admin, operator, approver, auditor, break_glass.
         */
        get: operations["followApproval"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/{approvalId}/reviews": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Approve or deny
         * @description The token must carry a user, and the rule must name that user or one of their groups.
         *
         *     Roles: admin, approver.
         */
        post: operations["reviewApproval"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/{approvalId}/withdraw": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Withdraw a request in the name of its function
         * @description Roles: admin, operator.
         */
        post: operations["withdrawApproval"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/break-glass-reviews": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List break-glass approvals, newest first
         * @description Roles: admin, operator, approver, auditor.
         */
        get: operations["listBreakGlassReviews"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/break-glass-reviews/{approvalId}/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Close the review of a break-glass approval; the person who broke the glass cannot close it
         * @description Roles: admin, auditor.
         */
        post: operations["closeBreakGlassReview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/notification-channels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List notification channels
         * @description Roles: admin, operator, auditor.
         */
        get: operations["listNotificationChannels"];
        put?: never;
        /**
         * Register a notification channel
         * @description Roles: admin, operator.
         */
        post: operations["createNotificationChannel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/notification-channels/{channelId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a notification channel
         * @description Roles: admin, operator, auditor.
         */
        get: operations["getNotificationChannel"];
        put?: never;
        post?: never;
        /**
         * Delete a notification channel and its deliveries
         * @description Roles: admin, operator.
         */
        delete: operations["deleteNotificationChannel"];
        options?: never;
        head?: never;
        /**
         * Change a notification channel
         * @description Roles: admin, operator.
         */
        patch: operations["updateNotificationChannel"];
        trace?: never;
    };
    "/v1/notification-deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List deliveries, newest first; `state=dead` is the dead-letter list
         * @description Roles: admin, operator, auditor.
         */
        get: operations["listNotificationDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/notification-deliveries/{deliveryId}/resend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a dead delivery again
         * @description Roles: admin, operator.
         */
        post: operations["resendNotificationDelivery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/slack-users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the Slack users mapped to approvers
         * @description Roles: admin, operator, auditor.
         */
        get: operations["listSlackUsers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/slack-users/{slackUserId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Map a Slack user to an approver
         * @description Roles: admin.
         */
        put: operations["putSlackUser"];
        post?: never;
        /**
         * Remove the mapping of a Slack user
         * @description Roles: admin.
         */
        delete: operations["deleteSlackUser"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/slack/interactions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Receive interactions from Slack; verified by its signature, each accepted once
         * @description No token is needed.
         */
        post: operations["receiveSlackInteraction"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/calls": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List calls, newest first
         * @description Roles: admin, operator, approver, auditor.
         */
        get: operations["listCalls"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/calls/{callId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a call, without the content of its bodies
         * @description Roles: admin, operator, approver, auditor.
         */
        get: operations["getCall"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/calls/{callId}/bodies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the masked bodies of a call; each reading is an audit event
         * @description Roles: admin, auditor.
         */
        get: operations["getCallBodies"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List sessions, newest first: by beginning and identity, and with at least one call that the other filters all match
         * @description Roles: admin, operator, approver, auditor.
         */
        get: operations["listSessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{sessionId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a session
         * @description Roles: admin, operator, approver, auditor.
         */
        get: operations["getSession"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{sessionId}/har": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export a session as HAR 1.2, masked bodies included; each export is an audit event
         * @description Roles: admin, auditor.
         */
        get: operations["exportSessionHar"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/calls/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow the calls that match, as they are recorded (server-sent events)
         * @description The stream has an event `call` with the summary of a call when its intent is recorded, and again when it is concluded; each at least once. Reconnect with `Last-Event-ID` to get the events since. An event `gap` says that there were too many to send: list the calls.
         *
         *     Roles: admin, operator, approver, auditor.
         */
        get: operations["followCalls"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/calls/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Search the masked bodies of a selection of calls for a text, newest first; each search is an audit event
         * @description Bodies are stored encrypted and have no index, so they are opened and read: choose the selection first. Streams a line for each body with a match, progress in between, and how it ended. Ends when its client goes away. What is searched for is not in the audit event.
         *
         *     Roles: admin, auditor.
         */
        post: operations["searchCalls"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{sessionId}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow a session: its calls so far, then as they are recorded (server-sent events)
         * @description The stream has an event `call` with the summary of a call when its intent is recorded, and again when it is concluded; each at least once. Reconnect with `Last-Event-ID` to get the events since. An event `gap` says that there were too many to send: list the calls.
         *
         *     Roles: admin, operator, approver, auditor.
         */
        get: operations["followSession"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{sessionId}/ndjson": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export a session as NDJSON: the session, then each call in order with its masked bodies; each export is an audit event
         * @description Roles: admin, auditor.
         */
        get: operations["exportSessionCalls"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the state of the log: its size, the records that wait, and the progress of witnesses
         * @description Roles: admin, operator, auditor.
         */
        get: operations["getLogStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/log/checkpoint": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the newest checkpoint as a signed note (C2SP tlog-checkpoint)
         * @description Roles: admin, operator, auditor.
         */
        get: operations["getLogCheckpoint"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/log/consistency": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Prove that the log of one size extends the log of an earlier one
         * @description Roles: admin, operator, auditor.
         */
        get: operations["getConsistencyProof"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/log/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export the whole log with its records, for `hoop audit verify`; each export is an audit event
         * @description NDJSON of one moment: a header with the checkpoint, then each leaf with its record. What retention removed is stated as such.
         *
         *     Roles: admin, auditor.
         */
        get: operations["exportLog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/log/inclusion/{recordId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Prove that a call or an audit event is in the log
         * @description Of the newest leaf of the record, or of that at `index`. `size` must be one that was signed. A record is sequenced within a second of its end; until then it is not found.
         *
         *     Roles: admin, operator, auditor.
         */
        get: operations["getInclusionProof"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/log/key": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the verifier keys of the log (C2SP signed-note), one a line, the one that signs now first
         * @description Keep the key somewhere else: a key fetched together with the log that it verifies proves little.
         *
         *     No token is needed.
         */
        get: operations["getLogKey"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/legal-holds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List legal holds, lifted ones too
         * @description Roles: admin, operator, auditor.
         */
        get: operations["listLegalHolds"];
        put?: never;
        /**
         * Keep the content of a session, a connection or an identity until further notice
         * @description A hold overrides retention, including later settings. Records purged before the hold cannot be restored.
         *
         *     Roles: admin, auditor.
         */
        post: operations["placeLegalHold"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/legal-holds/{holdId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a legal hold
         * @description Roles: admin, operator, auditor.
         */
        get: operations["getLegalHold"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/legal-holds/{holdId}/lift": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Lift a legal hold; retention then takes its course
         * @description Roles: admin.
         */
        post: operations["liftLegalHold"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/records/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Check that calls, bodies, data keys, sessions and the log agree, a part at a time; the worker does so continuously
         * @description Roles: admin.
         */
        post: operations["checkRecords"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/retention": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the retention settings for all connections
         * @description Roles: admin, operator, auditor.
         */
        get: operations["getRetention"];
        /**
         * Set the retention settings for all connections
         * @description Records over the new limit are purged within minutes and cannot be restored.
         *
         *     Roles: admin.
         */
        put: operations["putRetention"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/event-sinks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List event sinks, with how far each is behind
         * @description Roles: admin, operator, auditor.
         */
        get: operations["listEventSinks"];
        put?: never;
        /**
         * Send the events of the log somewhere
         * @description CloudEvents 1.0 in JSON. A webhook gets them signed as Standard Webhooks says; any status but 2xx is retried with growing pauses, without end. `id` is the index in the log; use it to recognise repeats.
         *
         *     Roles: admin.
         */
        post: operations["createEventSink"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/event-sinks/{sinkId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an event sink, with how far it is behind and its last error
         * @description Roles: admin, operator, auditor.
         */
        get: operations["getEventSink"];
        put?: never;
        post?: never;
        /**
         * Delete an event sink; events already sent are not recalled
         * @description Roles: admin.
         */
        delete: operations["deleteEventSink"];
        options?: never;
        head?: never;
        /**
         * Change an event sink; events that wait after a failure are retried immediately
         * @description Roles: admin.
         */
        patch: operations["updateEventSink"];
        trace?: never;
    };
    "/v1/event-sinks/{sinkId}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pause an event sink; it keeps its place
         * @description Roles: admin.
         */
        post: operations["pauseEventSink"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/event-sinks/{sinkId}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resume a paused event sink
         * @description Roles: admin.
         */
        post: operations["resumeEventSink"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin-tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List tokens, without the tokens themselves
         * @description Roles: admin.
         */
        get: operations["listAdminTokens"];
        put?: never;
        /**
         * Make a token for a person or a program
         * @description Roles: admin.
         */
        post: operations["createAdminToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin-tokens/current": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the caller of this request
         * @description Roles: admin, operator, approver, auditor.
         */
        get: operations["getCurrentAdminToken"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin-tokens/{tokenId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a token, without the token itself
         * @description Roles: admin.
         */
        get: operations["getAdminToken"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin-tokens/{tokenId}/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Revoke a token; the last that can administer cannot be revoked
         * @description Roles: admin.
         */
        post: operations["revokeAdminToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit-events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List audit events, newest first
         * @description Roles: admin, operator, auditor.
         */
        get: operations["listAuditEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit-events/{eventId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an audit event
         * @description Roles: admin, operator, auditor.
         */
        get: operations["getAuditEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/security-events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Refused authentications and token exchanges
         * @description Roles: admin, operator, auditor.
         */
        get: operations["listSecurityEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/security-events/{eventId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a security event, with the nearest identity and the claim that differs
         * @description Roles: admin, operator, auditor.
         */
        get: operations["getSecurityEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The public keys that verify grants (RFC 7517)
         * @description No token is needed.
         */
        get: operations["getJwks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/.well-known/oauth-authorization-server": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Authorization server metadata (RFC 8414)
         * @description No token is needed.
         */
        get: operations["getAuthorizationServerMetadata"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Revoke a grant (RFC 7009)
         * @description Answers 200 for a token that is not a grant or is over already, as RFC 7009 §2.2 asks.
         *
         *     No token is needed.
         */
        post: operations["revokeToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Exchange a token of an identity provider for a grant (RFC 8693)
         * @description Refusals carry `error` and `error_description` (RFC 6749 §5.2) beside the members of a problem document; `code` names what failed. Their status is 400, or 503 where a dependency is down.
         *
         *     No token is needed.
         */
        post: operations["exchangeToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/grants/{grantId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a grant by its id (`jti`), as calls show it, with all claims of the token that was exchanged for it
         * @description Roles: admin, operator, approver, auditor.
         */
        get: operations["getGrant"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/grants/{grantId}/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Revoke a grant by its id (`jti`), as calls show it
         * @description Roles: admin, operator.
         */
        post: operations["revokeGrant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The process runs
         * @description No token is needed.
         */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/relay/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The newest revision at once, on every change, and every 5 seconds (server-sent events)
         * @description Each event is `event: revision` with `data: {"revision":N}`. There is no heartbeat while the database does not answer. Between these, `event: approval` and `event: deferred_call` with `data: {"id","state"}` announce changes.
         *
         *     For relays.
         */
        get: operations["followChanges"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/relay/snapshot": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the configuration of a relay
         * @description Whole, or the changes since a revision. `ETag` is the revision.
         *
         *     For relays.
         */
        get: operations["getSnapshot"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * This description
         * @description No token is needed.
         */
        get: operations["getOpenApi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The process can work: its database answers
         * @description No token is needed.
         */
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/relay/approvals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Claim an approval for a call: finds, creates or uses up the approval
         * @description For relays.
         */
        post: operations["claimRelayApproval"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/relay/approvals/{approvalId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The state of an approval of this identity; waits for a change while it is pending
         * @description For relays.
         */
        get: operations["readRelayApproval"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/relay/approvals/{approvalId}/withdraw": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Report that the function gave up waiting
         * @description For relays.
         */
        post: operations["withdrawRelayApproval"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/relay/deferred-calls": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Keep a sealed request until it may be sent
         * @description For relays.
         */
        post: operations["createRelayDeferredCall"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/relay/deferred-calls/{callId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A deferred call of this identity; waits for a change while it is not finished
         * @description For relays.
         */
        get: operations["readRelayDeferredCall"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/relay/deferred-calls/{callId}/claim": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take a ready call; only one relay ever gets it
         * @description For relays.
         */
        post: operations["claimRelayDeferredCall"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/relay/deferred-calls/{callId}/result": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Report the outcome of a deferred call; the first report counts
         * @description For relays.
         */
        post: operations["finishRelayDeferredCall"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/relay/deferred-calls/{callId}/withdraw": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Withdraw a deferred call that has not been sent
         * @description For relays.
         */
        post: operations["withdrawRelayDeferredCall"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AdminToken: {
            id: string;
            name: string;
            role: components["schemas"]["Role"];
            user: string | null;
            groups: string[];
            createdBy: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            createdAt: string;
            /** @description Null: the bootstrap token, which does not expire. */
            expiresAt: string | null;
            revokedAt: string | null;
            lastUsedAt: string | null;
        };
        AdminTokenInput: {
            name: string;
            role: components["schemas"]["Role"];
            /** @description The person behind it, as in `user:NAME` of approval rules. */
            user?: string;
            /**
             * @description As in `group:NAME` of approval rules.
             * @default []
             */
            groups?: string[];
            /**
             * @description Seconds from now. The default is 90 days.
             * @default 7776000
             */
            expiresInSeconds?: number;
        };
        AppliedMask: {
            /** @description The policy rule that it belongs to; null: the policy itself. */
            rule: string | null;
            mask: components["schemas"]["MaskRule"];
            /** @description In words. */
            explanation: string;
            /** @description False: the identity is exempt by its `unless`. */
            applies: boolean;
        };
        ApprovalAnswer: {
            approvalId: string;
            /** @description `approved`: the call may go on. */
            state: components["schemas"]["ApprovalState"];
            isConsumed: boolean;
            /** @description Unix milliseconds. */
            expiresAt: number;
            validity: components["schemas"]["ApprovalValidity"] | null;
            reason: string | null;
        };
        ApprovalClaimInput: {
            /** @description The approval that the call has been waiting for; null at first. */
            approvalId: string | null;
            callId: string;
            sessionId: string;
            digest: string;
            identityId: string;
            connectionId: string;
            policyId: string;
            policyRevision: number;
            credential: {
                id: string;
                revision: number;
            } | null;
            requirements: components["schemas"]["ApprovalRequirementInput"][];
            context: {
                [key: string]: string;
            } | null;
            /** @description Those that the relay knows: of a grant, the ones that it carries. */
            claims: {
                [key: string]: unknown;
            } | null;
            /** @description The grant under whose id the exchange recorded all claims; null where a provider's own token was presented. */
            grantId?: string | null;
            method: string;
            url: string;
            path: string;
            bodyBytes: number;
            /** @description JSON of `shownRequestSchema`, sealed to the recording key with the call's id and `:approval` as associated data. */
            shown: components["schemas"]["SealedBlobInput"];
        };
        ApprovalDetail: {
            id: string;
            state: components["schemas"]["ApprovalState"];
            digest: components["schemas"]["RequestDigest"];
            identity: {
                id: string;
                name: string;
                owner: string;
            };
            connection: {
                id: string;
                name: string;
            };
            policy: {
                id: string;
                revision: number;
            };
            /** @description The rules that ask for it, with what each asks. */
            requirements: components["schemas"]["ApprovalRequirement"][];
            /** @description The validities that an approver may grant. */
            validities: components["schemas"]["ApprovalValidity"][];
            context: {
                [key: string]: string;
            } | null;
            method: string;
            url: string;
            bodyBytes: number;
            callId: string;
            sessionId: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            requestedAt: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            expiresAt: string;
            validity: components["schemas"]["ApprovalValidity"] | null;
            usableUntil: string | null;
            consumedBy: string | null;
            decidedAt: string | null;
            reason: string | null;
            reviews: components["schemas"]["ApprovalReview"][];
            claims: {
                [key: string]: unknown;
            } | null;
            request: components["schemas"]["ShownRequest"];
            /** @description Decisions on like requests (same identity, connection and rule), newest first, at most 10. */
            earlier: {
                id: string;
                state: components["schemas"]["ApprovalState"];
                method: string;
                url: string;
                decidedAt: string | null;
                reviews: components["schemas"]["ApprovalReview"][];
            }[];
        };
        /** @description One `require_approval` rule that matched; all of an approval's requirements must be met. */
        ApprovalRequirement: {
            rule: string;
            approval: components["schemas"]["ApprovalRule"];
        };
        /** @description One `require_approval` rule that matched; all of an approval's requirements must be met. */
        ApprovalRequirementInput: {
            rule: string;
            approval: components["schemas"]["ApprovalRuleInput"];
        };
        ApprovalReview: {
            user: string;
            decision: components["schemas"]["ReviewDecision"];
            comment: string | null;
            validity: components["schemas"]["ApprovalValidity"] | null;
            /** @enum {string} */
            via: "rest" | "slack" | "break_glass";
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            at: string;
        };
        ApprovalRule: {
            /** @description `group:NAME` or `user:NAME`. */
            reviewers: string[];
            /**
             * @description Distinct reviewers that must approve.
             * @default 1
             */
            quorum: number;
            /**
             * @description How long a request for approval stays open.
             * @default 30m
             */
            ttl: components["schemas"]["Duration"];
            /**
             * @description The validities that an approver may grant: `once`, or a window for like requests.
             * @default [
             *       "once"
             *     ]
             */
            validity: ("once" | components["schemas"]["Duration"])[];
            /**
             * @description The owner of the identity may not review.
             * @default false
             */
            fourEyes: boolean;
            /**
             * @description A review needs a comment.
             * @default false
             */
            requireComment: boolean;
            /** @description Whom to ask as well when nobody has decided after `escalateAfter`. */
            escalateTo?: string[];
            escalateAfter?: components["schemas"]["Duration"];
        };
        ApprovalRuleInput: {
            /** @description `group:NAME` or `user:NAME`. */
            reviewers: string[];
            /**
             * @description Distinct reviewers that must approve.
             * @default 1
             */
            quorum?: number;
            /**
             * @description How long a request for approval stays open.
             * @default 30m
             */
            ttl?: components["schemas"]["Duration"];
            /**
             * @description The validities that an approver may grant: `once`, or a window for like requests.
             * @default [
             *       "once"
             *     ]
             */
            validity?: ("once" | components["schemas"]["Duration"])[];
            /**
             * @description The owner of the identity may not review.
             * @default false
             */
            fourEyes?: boolean;
            /**
             * @description A review needs a comment.
             * @default false
             */
            requireComment?: boolean;
            /** @description Whom to ask as well when nobody has decided after `escalateAfter`. */
            escalateTo?: string[];
            escalateAfter?: components["schemas"]["Duration"];
        };
        /**
         * @description `pending` -> `approved` | `denied` | `expired` | `withdrawn` | `voided`; `approved` -> `consumed` (once, by one call) | `expired` (not used in time) | `voided`.
         * @enum {string}
         */
        ApprovalState: "pending" | "approved" | "denied" | "expired" | "withdrawn" | "voided" | "consumed";
        ApprovalSummary: {
            id: string;
            state: components["schemas"]["ApprovalState"];
            digest: components["schemas"]["RequestDigest"];
            identity: {
                id: string;
                name: string;
                owner: string;
            };
            connection: {
                id: string;
                name: string;
            };
            policy: {
                id: string;
                revision: number;
            };
            /** @description The rules that ask for it, with what each asks. */
            requirements: components["schemas"]["ApprovalRequirement"][];
            /** @description The validities that an approver may grant. */
            validities: components["schemas"]["ApprovalValidity"][];
            context: {
                [key: string]: string;
            } | null;
            method: string;
            url: string;
            bodyBytes: number;
            callId: string;
            sessionId: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            requestedAt: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            expiresAt: string;
            validity: components["schemas"]["ApprovalValidity"] | null;
            usableUntil: string | null;
            consumedBy: string | null;
            decidedAt: string | null;
            reason: string | null;
            reviews: components["schemas"]["ApprovalReview"][];
        };
        /** @description `once`, or a window for any request of the same identity and connection under the same rules. */
        ApprovalValidity: "once" | components["schemas"]["Duration"];
        AuditEvent: {
            id: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            at: string;
            actor: {
                id: string;
                name: string;
                role: string;
            };
            /** @description `connection.update` */
            action: string;
            target: {
                type: string;
                id: string;
                name: string | null;
            };
            /** @description Only the members that differ; secrets never. */
            change: {
                before?: {
                    [key: string]: unknown;
                };
                after?: {
                    [key: string]: unknown;
                };
            };
            /** @description Signed rows of the database that were written with it, by the SHA-256 (hex) of what they say; null: removed. */
            rows: {
                kind: string;
                id: string;
                digest: string | null;
            }[];
            requestId: string;
            remote: string;
        };
        /** @description RFC 8414 §2. */
        AuthorizationServerMetadata: {
            /** Format: uri */
            issuer: string;
            /** Format: uri */
            token_endpoint: string;
            /** Format: uri */
            revocation_endpoint: string;
            /** Format: uri */
            jwks_uri: string;
            grant_types_supported: [
                "urn:ietf:params:oauth:grant-type:token-exchange"
            ];
            response_types_supported: string[];
            token_endpoint_auth_methods_supported: string[];
            revocation_endpoint_auth_methods_supported: string[];
            /** Format: uri */
            service_documentation: string;
            /** Format: uri */
            hoop_relay_url: string;
            /**
             * Format: uri
             * @description Of the forward proxy, where it is told.
             */
            hoop_proxy_url?: string;
        };
        Backtest: {
            connection: {
                id: string;
                name: string;
            };
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            since: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            until: string;
            /** @description Calls of the period that were looked at, newest first. */
            scanned: number;
            /** @description False: a limit ended it, and older calls of the period were not looked at. */
            isComplete: boolean;
            /** @description The beginning of the oldest call that was looked at. */
            reached: string | null;
            /** @description Sentences: what could not be known. */
            caveats: string[];
            /** @description Calls that the candidate decided about. */
            total: number;
            unchanged: number;
            changes: {
                newlyDenied: {
                    count: number;
                    examples: components["schemas"]["ChangedCall"][];
                };
                newlyAllowed: {
                    count: number;
                    examples: components["schemas"]["ChangedCall"][];
                };
                newlyNeedingApproval: {
                    count: number;
                    examples: components["schemas"]["ChangedCall"][];
                };
                newlyNeedingContext: {
                    count: number;
                    examples: components["schemas"]["ChangedCall"][];
                };
                /** @description Calls whose verdict depends on a value that was masked or not kept. */
                unknown: {
                    count: number;
                    examples: components["schemas"]["ChangedCall"][];
                };
            };
            skipped: {
                /** @description Retention has removed what a policy is asked about. */
                purged: number;
                /** @description Refused before any policy was asked. */
                undecided: number;
            };
        };
        BodyContent: {
            /** @description Bytes that passed, before any cap; of one that was refused for its length as many as were announced, or came. */
            bytes: number;
            /** @description Keyed digest (HMAC-SHA-256, hex) of the bytes that passed on the wire; null where none passed, or not the whole was read. */
            digest: string | null;
            /** @description Bytes of the plain text in `sealed`. */
            keptBytes: number;
            truncated: boolean;
            contentType: string | null;
            /** @description Of a response that came as a stream (server-sent events, no length known beforehand): for each part as it was passed on, where it begins in the plain text and the milliseconds since the arrival of the request; the first 1000 parts. */
            parts?: [
                number,
                number
            ][] | null;
            /** @description Of a request: it came with a content-encoding, which was undone to mask it, so what is kept has none. */
            decoded?: boolean;
            /** @description Of a request: the masking rules could not be applied to it, or from somewhere on, and only what is masked is kept. */
            withheld?: boolean;
            /** @description Of a request: it was refused before its body was read, so that nothing is known of it; `bytes` is 0. */
            unread?: boolean;
            /**
             * @description `utf8` where the bytes are text, else `base64`.
             * @enum {string}
             */
            encoding: "utf8" | "base64";
            /** @description Masked, as far as it was kept. */
            content: string;
        };
        BreakGlassReview: {
            approvalId: string;
            user: string;
            reason: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            openedAt: string;
            closedAt: string | null;
            closedBy: string | null;
            comment: string | null;
        };
        Call: {
            id: string;
            sessionId: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            at: string;
            state: components["schemas"]["CallState"];
            identity: {
                id: string;
                name: string | null;
            } | null;
            connection: {
                id: string;
                name: string | null;
            } | null;
            method: string | null;
            url: string | null;
            path: string | null;
            decision: components["schemas"]["Decision"] | null;
            status: number | null;
            targetStatus: number | null;
            error: string | null;
            durationMs: number | null;
            concludedAt: string | null;
            relayId: string | null;
            remoteAddress: string | null;
            issuer: string | null;
            subject: string | null;
            grantId: string | null;
            claims: {
                [key: string]: unknown;
            } | null;
            context: {
                [key: string]: string;
            } | null;
            snapshotRevision: number | null;
            requestHeaders: components["schemas"]["HeaderList"] | null;
            responseHeaders: components["schemas"]["HeaderList"] | null;
            requestBody: components["schemas"]["CallBody"] | null;
            responseBody: components["schemas"]["CallBody"] | null;
            errorDetail: string | null;
            leaseFingerprint: string | null;
            targetAddress: string | null;
            targetTls?: components["schemas"]["TargetTls"] | null;
            maskedCount: number | null;
            credentialReflected: boolean | null;
            timings: components["schemas"]["Timings"] | null;
            traceId: string | null;
            /** @description The approval that the call went on under. */
            approvalId: string | null;
            /** @description Further refusals like this one that were counted, not kept one by one. */
            repeats: number | null;
            /** @description When retention removed headers, bodies, URL, claims and context; null while they are there. */
            purgedAt: string | null;
        };
        /** @description A body without its content. */
        CallBody: {
            /** @description Bytes that passed, before any cap; of one that was refused for its length as many as were announced, or came. */
            bytes: number;
            /** @description Keyed digest (HMAC-SHA-256, hex) of the bytes that passed on the wire; null where none passed, or not the whole was read. */
            digest: string | null;
            /** @description Bytes of the plain text in `sealed`. */
            keptBytes: number;
            truncated: boolean;
            contentType: string | null;
            /** @description Of a response that came as a stream (server-sent events, no length known beforehand): for each part as it was passed on, where it begins in the plain text and the milliseconds since the arrival of the request; the first 1000 parts. */
            parts?: [
                number,
                number
            ][] | null;
            /** @description Of a request: it came with a content-encoding, which was undone to mask it, so what is kept has none. */
            decoded?: boolean;
            /** @description Of a request: the masking rules could not be applied to it, or from somewhere on, and only what is masked is kept. */
            withheld?: boolean;
            /** @description Of a request: it was refused before its body was read, so that nothing is known of it; `bytes` is 0. */
            unread?: boolean;
        };
        /**
         * @description `pending`: its outcome has not been recorded yet.
         * @enum {string}
         */
        CallState: "pending" | "completed" | "failed" | "aborted" | "refused" | "unknown";
        CallSummary: {
            id: string;
            sessionId: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            at: string;
            state: components["schemas"]["CallState"];
            identity: {
                id: string;
                name: string | null;
            } | null;
            connection: {
                id: string;
                name: string | null;
            } | null;
            method: string | null;
            url: string | null;
            path: string | null;
            decision: components["schemas"]["Decision"] | null;
            status: number | null;
            targetStatus: number | null;
            error: string | null;
            durationMs: number | null;
        };
        ChangedCall: {
            callId: string;
            method: string;
            path: string;
            before: components["schemas"]["DecisionEffect"];
            /** @description Every effect that it could have: one, unless what was masked decides. */
            after: components["schemas"]["DecisionEffect"][];
            rule: string | null;
            reason: string;
        };
        ConditionPart: {
            /** @description As it is written in the condition. */
            expression: string;
            /** @enum {string} */
            outcome: "true" | "false" | "error";
            /** @description The value of each side that is not a literal; for bodies, headers and queries only the type. */
            seen: {
                expression: string;
                value: string;
            }[];
            error?: string;
        };
        Connection: {
            id: string;
            name: string;
            disabled: boolean;
            /** @description Base URL of the target: scheme, host, optional port and path prefix. No user info, query or fragment. */
            target: string;
            /**
             * @description Further hosts (`host` or `host:port`) that the credential may be sent to. The target's own is always one.
             * @default []
             */
            allowedHosts: string[];
            /**
             * @description Private, loopback or link-local ranges in which the target may be.
             * @default []
             */
            allowedCidrs: string[];
            /**
             * @description Response media types that may pass although masking rules exist and they cannot be masked.
             * @default []
             */
            unmaskedContentTypes: string[];
            /**
             * @description URLs in a response (`Location`, `Content-Location`, `Link`, `Refresh`) that are not under the target. `withhold`: callers other than the SDK, which brings every redirect to Hoop, do not get them. `pass`: they do, and a client that follows one may send its grant there.
             * @default withhold
             * @enum {string}
             */
            foreignLocations: "withhold" | "pass";
            /**
             * @default {
             *       "caseSensitive": false,
             *       "trailingSlash": "ignored",
             *       "pathParameters": "ignored",
             *       "trailingDots": "ignored",
             *       "formatSuffix": "ignored",
             *       "encodedSlash": "refused"
             *     }
             */
            paths: components["schemas"]["PathSettings"];
            /**
             * @description Headers that targets trust from a proxy before them (`x-forwarded-for`, `cf-connecting-ip`, `remote-user` and their like), and that pass from a function all the same; lower case. All others of them are dropped.
             * @default []
             */
            proxyHeaders: string[];
            /**
             * @default {
             *       "capture": "full",
             *       "retention": "90d",
             *       "durability": "strict",
             *       "maxBodyBytes": 1048576
             *     }
             */
            recording: components["schemas"]["RecordingSettings"];
            /**
             * @default {
             *       "maxRequestBytes": 1140850688,
             *       "maxInspectedBytes": 1048576,
             *       "maxResponseBytes": 0,
             *       "connectTimeoutMs": 10000,
             *       "headTimeoutMs": 60000,
             *       "idleTimeoutMs": 60000,
             *       "inspectTimeoutMs": 60000,
             *       "maxCalls": 0,
             *       "maxSockets": 2048,
             *       "socketWaitMs": 10000,
             *       "approvalWaitSeconds": 60
             *     }
             */
            limits: components["schemas"]["ConnectionLimits"];
            identities: {
                id: string;
                name: string;
            }[];
            /** @description Whether it has them; each has a resource of its own. */
            credential: {
                id: string;
                type: string;
            } | null;
            policy: {
                id: string;
                revision: number;
            } | null;
            version: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            updatedAt: string;
        };
        ConnectionInput: {
            /** @description Base URL of the target: scheme, host, optional port and path prefix. No user info, query or fragment. */
            target: string;
            /**
             * @description Further hosts (`host` or `host:port`) that the credential may be sent to. The target's own is always one.
             * @default []
             */
            allowedHosts?: string[];
            /**
             * @description Private, loopback or link-local ranges in which the target may be.
             * @default []
             */
            allowedCidrs?: string[];
            /**
             * @description Response media types that may pass although masking rules exist and they cannot be masked.
             * @default []
             */
            unmaskedContentTypes?: string[];
            /**
             * @description URLs in a response (`Location`, `Content-Location`, `Link`, `Refresh`) that are not under the target. `withhold`: callers other than the SDK, which brings every redirect to Hoop, do not get them. `pass`: they do, and a client that follows one may send its grant there.
             * @default withhold
             * @enum {string}
             */
            foreignLocations?: "withhold" | "pass";
            /**
             * @default {
             *       "caseSensitive": false,
             *       "trailingSlash": "ignored",
             *       "pathParameters": "ignored",
             *       "trailingDots": "ignored",
             *       "formatSuffix": "ignored",
             *       "encodedSlash": "refused"
             *     }
             */
            paths?: components["schemas"]["PathSettingsInput"];
            /**
             * @description Headers that targets trust from a proxy before them (`x-forwarded-for`, `cf-connecting-ip`, `remote-user` and their like), and that pass from a function all the same; lower case. All others of them are dropped.
             * @default []
             */
            proxyHeaders?: string[];
            /**
             * @default {
             *       "capture": "full",
             *       "retention": "90d",
             *       "durability": "strict",
             *       "maxBodyBytes": 1048576
             *     }
             */
            recording?: components["schemas"]["RecordingSettingsInput"];
            /**
             * @default {
             *       "maxRequestBytes": 1140850688,
             *       "maxInspectedBytes": 1048576,
             *       "maxResponseBytes": 0,
             *       "connectTimeoutMs": 10000,
             *       "headTimeoutMs": 60000,
             *       "idleTimeoutMs": 60000,
             *       "inspectTimeoutMs": 60000,
             *       "maxCalls": 0,
             *       "maxSockets": 2048,
             *       "socketWaitMs": 10000,
             *       "approvalWaitSeconds": 60
             *     }
             */
            limits?: components["schemas"]["ConnectionLimitsInput"];
            /** @description Names of things people register: lower case, digits, `-` and `_`; they appear in relay URLs. */
            name: string;
            /**
             * @description Ids or names of the identities that may use it.
             * @default []
             */
            identities?: (string)[];
            /** @default false */
            disabled?: boolean;
        };
        ConnectionLimits: {
            /**
             * @description The largest request body, bytes. The default is 1 GiB + 64 MiB, so that a 1 GiB upload passes.
             * @default 1140850688
             */
            maxRequestBytes: number;
            /**
             * @description The largest body that a condition or an approver can be shown, bytes. The default is 1 MiB.
             * @default 1048576
             */
            maxInspectedBytes: number;
            /**
             * @description The largest response body, bytes; 0: no limit.
             * @default 0
             */
            maxResponseBytes: number;
            /**
             * @description DNS, TCP and TLS.
             * @default 10000
             */
            connectTimeoutMs: number;
            /**
             * @description From the last request byte to the response head.
             * @default 60000
             */
            headTimeoutMs: number;
            /**
             * @description Between two chunks of a body.
             * @default 60000
             */
            idleTimeoutMs: number;
            /**
             * @description The whole of a body that a condition or an approver is shown, from the end of its head.
             * @default 60000
             */
            inspectTimeoutMs: number;
            /**
             * @description Calls in flight on this connection in each relay process; 0: half of what is free there.
             * @default 0
             */
            maxCalls: number;
            /**
             * @description Sockets to the target of each relay process; one identity gets half of those that are free.
             * @default 2048
             */
            maxSockets: number;
            /**
             * @description How long a call waits for one of them.
             * @default 10000
             */
            socketWaitMs: number;
            /**
             * @description How long a request is held for an approval, before the caller has to retry; seconds.
             * @default 60
             */
            approvalWaitSeconds: number;
        };
        ConnectionLimitsInput: {
            /**
             * @description The largest request body, bytes. The default is 1 GiB + 64 MiB, so that a 1 GiB upload passes.
             * @default 1140850688
             */
            maxRequestBytes?: number;
            /**
             * @description The largest body that a condition or an approver can be shown, bytes. The default is 1 MiB.
             * @default 1048576
             */
            maxInspectedBytes?: number;
            /**
             * @description The largest response body, bytes; 0: no limit.
             * @default 0
             */
            maxResponseBytes?: number;
            /**
             * @description DNS, TCP and TLS.
             * @default 10000
             */
            connectTimeoutMs?: number;
            /**
             * @description From the last request byte to the response head.
             * @default 60000
             */
            headTimeoutMs?: number;
            /**
             * @description Between two chunks of a body.
             * @default 60000
             */
            idleTimeoutMs?: number;
            /**
             * @description The whole of a body that a condition or an approver is shown, from the end of its head.
             * @default 60000
             */
            inspectTimeoutMs?: number;
            /**
             * @description Calls in flight on this connection in each relay process; 0: half of what is free there.
             * @default 0
             */
            maxCalls?: number;
            /**
             * @description Sockets to the target of each relay process; one identity gets half of those that are free.
             * @default 2048
             */
            maxSockets?: number;
            /**
             * @description How long a call waits for one of them.
             * @default 10000
             */
            socketWaitMs?: number;
            /**
             * @description How long a request is held for an approval, before the caller has to retry; seconds.
             * @default 60
             */
            approvalWaitSeconds?: number;
        };
        ConnectionPatch: {
            /** @description Base URL of the target: scheme, host, optional port and path prefix. No user info, query or fragment. */
            target?: string;
            allowedHosts?: string[] | null;
            allowedCidrs?: string[] | null;
            unmaskedContentTypes?: string[] | null;
            foreignLocations?: ("withhold" | "pass") | null;
            paths?: {
                caseSensitive?: boolean | null;
                trailingSlash?: ("ignored" | "significant") | null;
                pathParameters?: ("ignored" | "significant") | null;
                trailingDots?: ("ignored" | "significant") | null;
                formatSuffix?: ("ignored" | "significant") | null;
                encodedSlash?: ("refused" | "data") | null;
            } | null;
            proxyHeaders?: string[] | null;
            recording?: {
                capture?: ("full" | "heads" | "none") | null;
                retention?: components["schemas"]["Duration"] | null;
                durability?: ("strict" | "relaxed") | null;
                maxBodyBytes?: number | null;
            } | null;
            limits?: {
                maxRequestBytes?: number | null;
                maxInspectedBytes?: number | null;
                maxResponseBytes?: number | null;
                connectTimeoutMs?: number | null;
                headTimeoutMs?: number | null;
                idleTimeoutMs?: number | null;
                inspectTimeoutMs?: number | null;
                maxCalls?: number | null;
                maxSockets?: number | null;
                socketWaitMs?: number | null;
                approvalWaitSeconds?: number | null;
            } | null;
            /** @description Names of things people register: lower case, digits, `-` and `_`; they appear in relay URLs. */
            name?: string;
            identities?: (string)[] | null;
            disabled?: boolean | null;
        };
        ConnectionSettings: {
            /** @description Base URL of the target: scheme, host, optional port and path prefix. No user info, query or fragment. */
            target: string;
            /**
             * @description Further hosts (`host` or `host:port`) that the credential may be sent to. The target's own is always one.
             * @default []
             */
            allowedHosts: string[];
            /**
             * @description Private, loopback or link-local ranges in which the target may be.
             * @default []
             */
            allowedCidrs: string[];
            /**
             * @description Response media types that may pass although masking rules exist and they cannot be masked.
             * @default []
             */
            unmaskedContentTypes: string[];
            /**
             * @description URLs in a response (`Location`, `Content-Location`, `Link`, `Refresh`) that are not under the target. `withhold`: callers other than the SDK, which brings every redirect to Hoop, do not get them. `pass`: they do, and a client that follows one may send its grant there.
             * @default withhold
             * @enum {string}
             */
            foreignLocations: "withhold" | "pass";
            /**
             * @default {
             *       "caseSensitive": false,
             *       "trailingSlash": "ignored",
             *       "pathParameters": "ignored",
             *       "trailingDots": "ignored",
             *       "formatSuffix": "ignored",
             *       "encodedSlash": "refused"
             *     }
             */
            paths: components["schemas"]["PathSettings"];
            /**
             * @description Headers that targets trust from a proxy before them (`x-forwarded-for`, `cf-connecting-ip`, `remote-user` and their like), and that pass from a function all the same; lower case. All others of them are dropped.
             * @default []
             */
            proxyHeaders: string[];
            /**
             * @default {
             *       "capture": "full",
             *       "retention": "90d",
             *       "durability": "strict",
             *       "maxBodyBytes": 1048576
             *     }
             */
            recording: components["schemas"]["RecordingSettings"];
            /**
             * @default {
             *       "maxRequestBytes": 1140850688,
             *       "maxInspectedBytes": 1048576,
             *       "maxResponseBytes": 0,
             *       "connectTimeoutMs": 10000,
             *       "headTimeoutMs": 60000,
             *       "idleTimeoutMs": 60000,
             *       "inspectTimeoutMs": 60000,
             *       "maxCalls": 0,
             *       "maxSockets": 2048,
             *       "socketWaitMs": 10000,
             *       "approvalWaitSeconds": 60
             *     }
             */
            limits: components["schemas"]["ConnectionLimits"];
        };
        ConnectionSnapshot: {
            id: string;
            name: string;
            disabled: boolean;
            settings: components["schemas"]["ConnectionSettings"];
            /** @description Ids of the identities that may use it. */
            identityIds: string[];
            credential: components["schemas"]["CredentialSnapshot"] | null;
            policy: {
                id: string;
                revision: number;
                rules: components["schemas"]["Rules"];
                mask: components["schemas"]["MaskRules"];
            } | null;
        };
        ConsistencyProof: {
            from: number;
            to: number;
            /** @description RFC 9162 §2.1.4. */
            proof: string[];
            /** @description The signed note of `to`. */
            checkpoint: string;
        };
        CreatedAdminToken: {
            id: string;
            name: string;
            role: components["schemas"]["Role"];
            user: string | null;
            groups: string[];
            createdBy: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            createdAt: string;
            /** @description Null: the bootstrap token, which does not expire. */
            expiresAt: string | null;
            revokedAt: string | null;
            lastUsedAt: string | null;
            /** @description Shown this once; null where the answer is repeated for the same `Idempotency-Key`. */
            token: string | null;
        };
        CreatedEventSink: {
            id: string;
            name: string;
            /** @enum {string} */
            kind: "webhook" | "file";
            url: string | null;
            allowedCidrs: string[];
            file: string | null;
            types: components["schemas"]["LogEventType"][];
            maxBatch: number;
            paused: boolean;
            /** @description Index of the next leaf of the log that it has not taken. */
            cursor: number;
            /** @description Leaves that it is behind. */
            lag: number;
            /** @description Failures since the last success: the order is kept, so the first event that is not taken holds up the rest. */
            failures: number;
            lastError: string | null;
            lastAttemptAt: string | null;
            lastDeliveredAt: string | null;
            nextAttemptAt: string | null;
            version: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            updatedAt: string;
            /** @description The signing secret where Hoop made it: shown this once. */
            secret: string | null;
        };
        CreatedNotificationChannel: {
            id: string;
            /** @description Names of things people register: lower case, digits, `-` and `_`; they appear in relay URLs. */
            name: string;
            /** @enum {string} */
            kind: "webhook" | "slack";
            /**
             * Format: uri
             * @description Slack: an incoming-webhook URL or `https://slack.com/api/chat.postMessage`.
             */
            url: string;
            /**
             * @description Private address ranges in which the URL may be.
             * @default []
             */
            allowedCidrs: string[];
            /**
             * @description The default is every event.
             * @default [
             *       "approval.requested",
             *       "approval.reminder",
             *       "approval.escalated",
             *       "approval.approved",
             *       "approval.denied",
             *       "approval.expired",
             *       "approval.withdrawn",
             *       "approval.voided",
             *       "approval.break_glass",
             *       "deferred.finished",
             *       "credential.reflected"
             *     ]
             */
            events: components["schemas"]["NotificationEvent"][];
            /**
             * @description Only for approvals that one of these may review (`user:NAME`, `group:NAME`); empty: all.
             * @default []
             */
            reviewers: string[];
            /** @description Slack's channel id for chat.postMessage. */
            slackChannel?: string;
            /** @default false */
            disabled: boolean;
            version: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            updatedAt: string;
            /** @description The signing secret where Hoop made it: shown this once. */
            secret: string | null;
        };
        /** @description Write-only. Which member is needed follows from the settings. */
        CredentialSecrets: {
            /** @description `static`. */
            secret?: string;
            /** @description `client_secret_*`. */
            clientSecret?: string;
            /** @description `private_key_jwt`: a private JWK (RFC 7517) with `alg`. */
            privateKey?: {
                [key: string]: unknown;
            };
        };
        CredentialSnapshot: {
            id: string;
            revision: number;
            settings: components["schemas"]["CredentialSourceSettings"];
            /** @description Compact JWE of the secrets, with connection id and hosts bound in (see @hoop/sealing). */
            sealed: string;
        };
        CredentialSource: {
            id: string;
            connection: {
                id: string;
                name: string;
            };
            settings: components["schemas"]["CredentialSourceSettings"];
            /** @description The hosts that the secrets are sealed to. */
            hosts: string[];
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            sealedAt: string;
            version: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            updatedAt: string;
        };
        CredentialSourceInput: {
            settings: components["schemas"]["CredentialSourceSettingsInput"];
            secrets: components["schemas"]["CredentialSecrets"];
        };
        CredentialSourceSettings: {
            /** @constant */
            type: "static";
            injection: components["schemas"]["Injection"];
        } | {
            /** @constant */
            type: "oauth2_client_credentials";
            /** Format: uri */
            tokenUrl: string;
            /**
             * Format: uri
             * @description Where access tokens are revoked once the relay needs them no more (RFC 7009). Absent: they live to their end.
             */
            revocationUrl?: string;
            clientId: string;
            /**
             * @description How the client authenticates: RFC 6749 §2.3.1 or RFC 7523 §2.2.
             * @default client_secret_basic
             * @enum {string}
             */
            clientAuthentication: "client_secret_basic" | "client_secret_post" | "private_key_jwt";
            scope?: string;
            audience?: string;
            /** @description RFC 8707. */
            resource?: string;
            /** @description `private_key_jwt`: the `aud` of the assertion. Default: the token URL. */
            assertionAudience?: string;
            /**
             * @default {
             *       "into": "header",
             *       "name": "authorization",
             *       "template": "Bearer {secret}"
             *     }
             */
            injection: components["schemas"]["Injection"];
        };
        CredentialSourceSettingsInput: {
            /** @constant */
            type: "static";
            injection: components["schemas"]["InjectionInput"];
        } | {
            /** @constant */
            type: "oauth2_client_credentials";
            /** Format: uri */
            tokenUrl: string;
            /**
             * Format: uri
             * @description Where access tokens are revoked once the relay needs them no more (RFC 7009). Absent: they live to their end.
             */
            revocationUrl?: string;
            clientId: string;
            /**
             * @description How the client authenticates: RFC 6749 §2.3.1 or RFC 7523 §2.2.
             * @default client_secret_basic
             * @enum {string}
             */
            clientAuthentication?: "client_secret_basic" | "client_secret_post" | "private_key_jwt";
            scope?: string;
            audience?: string;
            /** @description RFC 8707. */
            resource?: string;
            /** @description `private_key_jwt`: the `aud` of the assertion. Default: the token URL. */
            assertionAudience?: string;
            /**
             * @default {
             *       "into": "header",
             *       "name": "authorization",
             *       "template": "Bearer {secret}"
             *     }
             */
            injection?: components["schemas"]["InjectionInput"];
        };
        Decision: {
            effect: components["schemas"]["DecisionEffect"];
            /** @description The name of the rule that decided; null where no rule matched. */
            rule: string | null;
            reason: string;
            policyId: string | null;
            policyRevision: number | null;
        };
        /**
         * @description The four outcomes of the decide step.
         * @enum {string}
         */
        DecisionEffect: "allow" | "deny" | "require_context" | "require_approval";
        /** @description A deferred call as its sender may see it. */
        DeferredCall: {
            callId: string;
            state: components["schemas"]["DeferredState"];
            approvalId: string | null;
            status: number | null;
            error: string | null;
            errorDetail: string | null;
            /** @description Sealed to the relay's own key; only where the state is `done`. */
            response: components["schemas"]["SealedBlob"] | null;
            createdAt: number;
            finishedAt: number | null;
            expiresAt: number;
        };
        /** @enum {string} */
        DeferredState: "waiting" | "ready" | "running" | "done" | "refused" | "unknown" | "expired" | "withdrawn";
        DescribedRequest: {
            connection: string;
            /** @description A registered identity; absent: nobody in particular, with the claims that are given. */
            identity?: string;
            /**
             * @description Claims, issuer and subject as the token would carry them.
             * @default {}
             */
            claims?: {
                [key: string]: unknown;
            };
            /** @default  */
            issuer?: string;
            /** @default  */
            subject?: string;
            request: {
                method: string;
                path: string;
                /** @default {} */
                query?: {
                    [key: string]: string[];
                };
                /** @default {} */
                headers?: {
                    [key: string]: string;
                };
                /** @description JSON; absent: no body. */
                body?: unknown;
            };
            /** @default {} */
            context?: {
                [key: string]: string;
            };
            /**
             * Format: date-time
             * @description Default: now.
             */
            at?: string;
            /** @description A policy to try instead of the one in force. */
            rules?: components["schemas"]["RulesInput"];
            /** @description The masking of a policy that is tried; goes with `rules`. Default: []. */
            mask?: components["schemas"]["MaskRulesInput"];
        };
        /** @description `30s`, `10m`, `12h`, `90d`. */
        Duration: string;
        /** @enum {string} */
        Effect: "allow" | "deny" | "require_context" | "require_approval";
        EventSink: {
            id: string;
            name: string;
            /** @enum {string} */
            kind: "webhook" | "file";
            url: string | null;
            allowedCidrs: string[];
            file: string | null;
            types: components["schemas"]["LogEventType"][];
            maxBatch: number;
            paused: boolean;
            /** @description Index of the next leaf of the log that it has not taken. */
            cursor: number;
            /** @description Leaves that it is behind. */
            lag: number;
            /** @description Failures since the last success: the order is kept, so the first event that is not taken holds up the rest. */
            failures: number;
            lastError: string | null;
            lastAttemptAt: string | null;
            lastDeliveredAt: string | null;
            nextAttemptAt: string | null;
            version: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            updatedAt: string;
        };
        EventSinkInput: {
            /** @description Names of things people register: lower case, digits, `-` and `_`; they appear in relay URLs. */
            name: string;
            /**
             * Format: uri
             * @description Webhook: where events are sent.
             */
            url?: string;
            /**
             * @description Webhook: private address ranges in which the URL may be.
             * @default []
             */
            allowedCidrs?: string[];
            /** @description File: its name in the folder that the worker is configured with. */
            file?: string;
            /**
             * @description Types that are sent; empty: all.
             * @default []
             */
            types?: components["schemas"]["LogEventType"][];
            /**
             * @description Events of one message. 1: one CloudEvent (structured JSON); more: the JSON batch format.
             * @default 1
             */
            maxBatch?: number;
            /** @description Webhook, write-only: `whsec_` and base64 of 24 to 64 bytes; made and shown once where absent. */
            secret?: string;
            /** @enum {string} */
            kind: "webhook" | "file";
            /**
             * @description `now`: what is sequenced from now on; `beginning`: the whole log.
             * @default now
             * @enum {string}
             */
            start?: "now" | "beginning";
            /** @default false */
            paused?: boolean;
        };
        ExplainedRule: {
            rule: string;
            effect: components["schemas"]["DecisionEffect"];
            /** @enum {string} */
            outcome: "matched" | "method_differs" | "path_differs" | "condition_false" | "condition_failed";
            /** @description A sentence. */
            because: string;
            /** @description Of the path pattern that matched. */
            params: {
                [key: string]: string;
            };
            condition: components["schemas"]["ConditionPart"][];
            context: {
                key: string;
                pattern: string;
                met: boolean;
            }[];
        };
        Explanation: {
            effect: components["schemas"]["DecisionEffect"];
            rule: string | null;
            reason: string;
            /** @description A sentence: what would allow it. */
            allowedBy: string;
            policyId: string | null;
            policyRevision: number | null;
            matchedRules: string[];
            missingContext: {
                key: string;
                pattern: string;
            }[];
            approvals: {
                rule: string;
                approval: components["schemas"]["ApprovalRule"];
            }[];
            /** @description Why it is refused although no rule says so. */
            error: string | null;
            rules: components["schemas"]["ExplainedRule"][];
            /** @description The masking of the response, if the call were sent: by the policy, and by the rules that match the call. */
            masking: components["schemas"]["AppliedMask"][];
            /** @description Values that are not known, e.g. a recorded body that was masked. */
            caveats: string[];
        };
        Finding: {
            code: string;
            /**
             * @description `warning`: probably a mistake or a risk; `notice`: worth a look.
             * @enum {string}
             */
            severity: "warning" | "notice";
            /** @description The rules that it is about, by name; empty where it is about the whole. */
            rules: string[];
            /** @description e.g. `rules[2]`, or `rules`. */
            path: string;
            /** @description A sentence that says what to do. */
            message: string;
        };
        /** @description A finding of discovery on a connection: where, by which detector and how often, never the value. */
        FoundMaskSuggestion: {
            id: string;
            connection: {
                id: string;
                name: string;
            };
            /** @description JSONPath; `[*]` for every element, and for keys that are ids. */
            path: string;
            detector: string;
            /** @description In the sample that was looked at: a share of what there is. */
            count: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            firstSeen: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            lastSeen: string;
            state: components["schemas"]["MaskSuggestionState"];
            decidedBy: string | null;
            decidedAt: string | null;
        };
        /** @description [name, value] pairs in wire order, lower-case names; secrets masked. */
        HeaderList: [
            string,
            string
        ][];
        Identity: {
            id: string;
            name: string;
            provider: {
                id: string;
                name: string;
            };
            match: string;
            owner: string;
            labels: {
                [key: string]: string;
            };
            disabled: boolean;
            /** @description Unix seconds: grants issued before are refused. */
            grantsNotBefore: number;
            unmanaged: {
                /**
                 * @default deny
                 * @enum {string}
                 */
                mode: "deny" | "tunnel";
                /**
                 * @description With `tunnel`: where they may go; none: nowhere.
                 * @default []
                 */
                hosts: string[];
                /**
                 * @description Private ranges that tunnels may reach, e.g. `10.1.0.0/16`; all other private addresses are refused.
                 * @default []
                 */
                allowedCidrs: string[];
            };
            version: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            updatedAt: string;
        };
        IdentityInput: {
            /** @description Names of things people register: lower case, digits, `-` and `_`; they appear in relay URLs. */
            name: string;
            /** @description Id or name of an identity provider. */
            provider: string;
            /** @description A CEL condition of type bool over `claims`, `issuer` and `subject`. */
            match: string;
            /** @description Who answers for it; as in `user:NAME` of approval rules. */
            owner: string;
            /** @default {} */
            labels?: {
                [key: string]: string;
            };
            /** @default false */
            disabled?: boolean;
            /**
             * @description What the forward proxy does with hosts that no connection of the identity is for.
             * @default {
             *       "mode": "deny",
             *       "hosts": [],
             *       "allowedCidrs": []
             *     }
             */
            unmanaged?: {
                /**
                 * @default deny
                 * @enum {string}
                 */
                mode?: "deny" | "tunnel";
                /**
                 * @description With `tunnel`: where they may go; none: nowhere.
                 * @default []
                 */
                hosts?: string[];
                /**
                 * @description Private ranges that tunnels may reach, e.g. `10.1.0.0/16`; all other private addresses are refused.
                 * @default []
                 */
                allowedCidrs?: string[];
            };
        };
        IdentityPatch: {
            /** @description Names of things people register: lower case, digits, `-` and `_`; they appear in relay URLs. */
            name?: string;
            /** @description Id or name of an identity provider. */
            provider?: string;
            /** @description A CEL condition of type bool over `claims`, `issuer` and `subject`. */
            match?: string;
            /** @description Who answers for it; as in `user:NAME` of approval rules. */
            owner?: string;
            labels?: {
                [key: string]: string | null;
            } | null;
            disabled?: boolean | null;
            unmanaged?: {
                mode?: ("deny" | "tunnel") | null;
                hosts?: string[] | null;
                allowedCidrs?: string[] | null;
            } | null;
        };
        IdentityProvider: {
            id: string;
            name: string;
            disabled: boolean;
            /**
             * @default oidc
             * @constant
             */
            kind: "oidc";
            /**
             * Format: uri
             * @description The exact `iss` of its tokens.
             */
            issuer: string;
            /**
             * Format: uri
             * @description Where its keys are; absent: found by discovery at `issuer/.well-known/openid-configuration`.
             */
            jwksUri?: string;
            /** @description `aud` must contain one of these. */
            audiences: string[];
            /**
             * @default [
             *       "RS256",
             *       "ES256"
             *     ]
             */
            algorithms: ("RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" | "ES256" | "ES384" | "ES512" | "EdDSA" | "Ed25519")[];
            /**
             * @description A token issued longer ago is refused, even before its `exp`.
             * @default 3600
             */
            maxAgeSeconds: number;
            /**
             * @description Clock difference that is tolerated.
             * @default 30
             */
            clockToleranceSeconds: number;
            /**
             * @description Private address ranges in which its endpoints may be.
             * @default []
             */
            allowedCidrs: string[];
            version: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            updatedAt: string;
        };
        IdentityProviderInput: {
            /**
             * @default oidc
             * @constant
             */
            kind?: "oidc";
            /**
             * Format: uri
             * @description The exact `iss` of its tokens.
             */
            issuer: string;
            /**
             * Format: uri
             * @description Where its keys are; absent: found by discovery at `issuer/.well-known/openid-configuration`.
             */
            jwksUri?: string;
            /** @description `aud` must contain one of these. */
            audiences: string[];
            /**
             * @default [
             *       "RS256",
             *       "ES256"
             *     ]
             */
            algorithms?: ("RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" | "ES256" | "ES384" | "ES512" | "EdDSA" | "Ed25519")[];
            /**
             * @description A token issued longer ago is refused, even before its `exp`.
             * @default 3600
             */
            maxAgeSeconds?: number;
            /**
             * @description Clock difference that is tolerated.
             * @default 30
             */
            clockToleranceSeconds?: number;
            /**
             * @description Private address ranges in which its endpoints may be.
             * @default []
             */
            allowedCidrs?: string[];
            /** @description Names of things people register: lower case, digits, `-` and `_`; they appear in relay URLs. */
            name: string;
            /** @default false */
            disabled?: boolean;
        };
        IdentityProviderPatch: {
            kind?: "oidc" | null;
            /**
             * Format: uri
             * @description The exact `iss` of its tokens.
             */
            issuer?: string;
            jwksUri?: string | null;
            /** @description `aud` must contain one of these. */
            audiences?: string[];
            algorithms?: ("RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" | "ES256" | "ES384" | "ES512" | "EdDSA" | "Ed25519")[] | null;
            maxAgeSeconds?: number | null;
            clockToleranceSeconds?: number | null;
            allowedCidrs?: string[] | null;
            /** @description Names of things people register: lower case, digits, `-` and `_`; they appear in relay URLs. */
            name?: string;
            disabled?: boolean | null;
        };
        IdentityProviderSettings: {
            /**
             * @default oidc
             * @constant
             */
            kind: "oidc";
            /**
             * Format: uri
             * @description The exact `iss` of its tokens.
             */
            issuer: string;
            /**
             * Format: uri
             * @description Where its keys are; absent: found by discovery at `issuer/.well-known/openid-configuration`.
             */
            jwksUri?: string;
            /** @description `aud` must contain one of these. */
            audiences: string[];
            /**
             * @default [
             *       "RS256",
             *       "ES256"
             *     ]
             */
            algorithms: ("RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" | "ES256" | "ES384" | "ES512" | "EdDSA" | "Ed25519")[];
            /**
             * @description A token issued longer ago is refused, even before its `exp`.
             * @default 3600
             */
            maxAgeSeconds: number;
            /**
             * @description Clock difference that is tolerated.
             * @default 30
             */
            clockToleranceSeconds: number;
            /**
             * @description Private address ranges in which its endpoints may be.
             * @default []
             */
            allowedCidrs: string[];
        };
        IdentitySnapshot: {
            id: string;
            name: string;
            providerId: string;
            /** @description A CEL condition over `claims`. */
            match: string;
            owner: string;
            labels: {
                [key: string]: string;
            };
            disabled: boolean;
            /** @description Grants issued before this instant (seconds) are refused: set when grants of the identity are revoked. */
            grantsNotBefore: number;
            /**
             * @default {
             *       "mode": "deny",
             *       "hosts": [],
             *       "allowedCidrs": []
             *     }
             */
            unmanaged: {
                /**
                 * @default deny
                 * @enum {string}
                 */
                mode: "deny" | "tunnel";
                /**
                 * @description With `tunnel`: where they may go; none: nowhere.
                 * @default []
                 */
                hosts: string[];
                /**
                 * @description Private ranges that tunnels may reach, e.g. `10.1.0.0/16`; all other private addresses are refused.
                 * @default []
                 */
                allowedCidrs: string[];
            };
        };
        InclusionProof: {
            leaf: components["schemas"]["LogLeaf"];
            size: number;
            /** @description RFC 9162 §2.1.3: from the leaf upwards. */
            proof: string[];
            /** @description The signed note of this size. */
            checkpoint: string;
        };
        /** @description Where a secret goes. `{secret}` in a template stands for it. */
        Injection: {
            /** @constant */
            into: "header";
            /** @default authorization */
            name: string;
            /** @default Bearer {secret} */
            template: string & (unknown & unknown);
        } | {
            /** @constant */
            into: "query";
            name: string;
            /** @default {secret} */
            template: string;
        } | {
            /** @constant */
            into: "basic";
            username: string;
        };
        /** @description Where a secret goes. `{secret}` in a template stands for it. */
        InjectionInput: {
            /** @constant */
            into: "header";
            /** @default authorization */
            name?: string;
            /** @default Bearer {secret} */
            template?: string & (unknown & unknown);
        } | {
            /** @constant */
            into: "query";
            name: string;
            /** @default {secret} */
            template?: string;
        } | {
            /** @constant */
            into: "basic";
            username: string;
        };
        /** @description A grant as it was issued. */
        IssuedGrant: {
            id: string;
            identityId: string;
            issuer: string;
            subject: string;
            /** @description All claims of the token that was exchanged; the grant itself carries those that policies read. */
            claims: {
                [key: string]: unknown;
            };
            connectionIds: string[];
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            issuedAt: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            expiresAt: string;
        };
        /** @description Connections that the identity may use, for clients that have to choose among them. */
        KnownConnections: {
            /** @description By name; the first 1000. */
            connections: {
                name: string;
                target: string;
            }[];
            /** @description False: there are more than are listed. */
            isComplete: boolean;
        };
        LegalHold: {
            id: string;
            /** @enum {string} */
            kind: "session" | "connection" | "identity";
            subjectId: string;
            reason: string;
            placedBy: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            placedAt: string;
            liftedBy: string | null;
            liftedAt: string | null;
        };
        LegalHoldInput: {
            /** @enum {string} */
            kind: "session" | "connection" | "identity";
            /** @description Id of the session, or id or name of the connection or identity. A connection or identity that is gone: its id. */
            subject: string;
            reason: string;
        };
        /** @enum {string} */
        LogEventType: "hoop.call.concluded" | "hoop.call.purged" | "hoop.audit_event.recorded";
        LogLeaf: {
            index: number;
            /**
             * @description `call_unknown`: closed without an outcome. `call_purge`: what stays once retention has removed the content.
             * @enum {string}
             */
            kind: "audit_event" | "call" | "call_unknown" | "call_purge";
            id: string;
            /** @description SHA-256 of the record's canonical form, hex. */
            digest: string;
            /** @description SHA-256, base64 */
            leafHash: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            sequencedAt: string;
        };
        LogStatus: {
            size: number;
            /** @description Base64. */
            root: string;
            /** @description Records that wait to be sequenced. */
            pending: number;
            checkpointAt: string | null;
            witnesses: {
                name: string;
                size: number;
                at: string | null;
                error: string | null;
            }[];
        };
        /** @enum {string} */
        MaskAction: "redact" | "remove" | "partial" | "hash" | "null";
        /** @description Exactly one selector of `path`, `key`, `detect`, `pattern`, `words`. */
        MaskRule: {
            /** @description JSONPath (RFC 9535), the part that can be decided in one pass: child, wildcard, index ≥ 0, slice, descendant. */
            path?: string;
            /** @description A key name; case, `snake_case`, `camelCase` and separators are folded. */
            key?: string;
            /** @description A detector's name, e.g. `payment_card`. */
            detect?: string;
            /** @description An RE2 pattern; every match inside a string is masked. */
            pattern?: string;
            /** @description Literal words; every occurrence inside a string is masked. */
            words?: string[];
            /** @default redact */
            action: components["schemas"]["MaskAction"];
            /** @description A CEL condition over `identity`; where it is true the rule does not apply. */
            unless?: string;
        };
        /** @description Exactly one selector of `path`, `key`, `detect`, `pattern`, `words`. */
        MaskRuleInput: {
            /** @description JSONPath (RFC 9535), the part that can be decided in one pass: child, wildcard, index ≥ 0, slice, descendant. */
            path?: string;
            /** @description A key name; case, `snake_case`, `camelCase` and separators are folded. */
            key?: string;
            /** @description A detector's name, e.g. `payment_card`. */
            detect?: string;
            /** @description An RE2 pattern; every match inside a string is masked. */
            pattern?: string;
            /** @description Literal words; every occurrence inside a string is masked. */
            words?: string[];
            /** @default redact */
            action?: components["schemas"]["MaskAction"];
            /** @description A CEL condition over `identity`; where it is true the rule does not apply. */
            unless?: string;
        };
        MaskRules: components["schemas"]["MaskRule"][];
        MaskRulesInput: components["schemas"]["MaskRuleInput"][];
        /** @enum {string} */
        MaskSuggestionState: "open" | "accepted" | "dismissed";
        NotificationChannel: {
            id: string;
            /** @description Names of things people register: lower case, digits, `-` and `_`; they appear in relay URLs. */
            name: string;
            /** @enum {string} */
            kind: "webhook" | "slack";
            /**
             * Format: uri
             * @description Slack: an incoming-webhook URL or `https://slack.com/api/chat.postMessage`.
             */
            url: string;
            /**
             * @description Private address ranges in which the URL may be.
             * @default []
             */
            allowedCidrs: string[];
            /**
             * @description The default is every event.
             * @default [
             *       "approval.requested",
             *       "approval.reminder",
             *       "approval.escalated",
             *       "approval.approved",
             *       "approval.denied",
             *       "approval.expired",
             *       "approval.withdrawn",
             *       "approval.voided",
             *       "approval.break_glass",
             *       "deferred.finished",
             *       "credential.reflected"
             *     ]
             */
            events: components["schemas"]["NotificationEvent"][];
            /**
             * @description Only for approvals that one of these may review (`user:NAME`, `group:NAME`); empty: all.
             * @default []
             */
            reviewers: string[];
            /** @description Slack's channel id for chat.postMessage. */
            slackChannel?: string;
            /** @default false */
            disabled: boolean;
            version: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            updatedAt: string;
        };
        NotificationChannelInput: {
            /** @description Names of things people register: lower case, digits, `-` and `_`; they appear in relay URLs. */
            name: string;
            /** @enum {string} */
            kind: "webhook" | "slack";
            /**
             * Format: uri
             * @description Slack: an incoming-webhook URL or `https://slack.com/api/chat.postMessage`.
             */
            url: string;
            /**
             * @description Private address ranges in which the URL may be.
             * @default []
             */
            allowedCidrs?: string[];
            /**
             * @description The default is every event.
             * @default [
             *       "approval.requested",
             *       "approval.reminder",
             *       "approval.escalated",
             *       "approval.approved",
             *       "approval.denied",
             *       "approval.expired",
             *       "approval.withdrawn",
             *       "approval.voided",
             *       "approval.break_glass",
             *       "deferred.finished",
             *       "credential.reflected"
             *     ]
             */
            events?: components["schemas"]["NotificationEvent"][];
            /**
             * @description Only for approvals that one of these may review (`user:NAME`, `group:NAME`); empty: all.
             * @default []
             */
            reviewers?: string[];
            /** @description Write-only. Webhook: `whsec_` and base64 of 24 to 64 bytes; made and shown once where absent. Slack: the bot token, if one is needed. */
            secret?: string;
            /** @description Slack's channel id for chat.postMessage. */
            slackChannel?: string;
            /** @default false */
            disabled?: boolean;
        };
        NotificationDelivery: {
            id: string;
            channelId: string;
            event: components["schemas"]["NotificationEvent"];
            subjectId: string;
            /**
             * @description `dead`: given up after all attempts; it can be resent.
             * @enum {string}
             */
            state: "pending" | "delivered" | "dead";
            attempts: number;
            lastStatus: number | null;
            lastError: string | null;
            payload: {
                [key: string]: unknown;
            };
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            createdAt: string;
            deliveredAt: string | null;
        };
        /** @enum {string} */
        NotificationEvent: "approval.requested" | "approval.reminder" | "approval.escalated" | "approval.approved" | "approval.denied" | "approval.expired" | "approval.withdrawn" | "approval.voided" | "approval.break_glass" | "deferred.finished" | "credential.reflected";
        /** @description How the target reads paths. A rule that restricts (deny, require_context, require_approval, and the masking of any rule) covers every path that the target could read as one that it names; an allow covers what it names and nothing else. `significant` narrows the former: only for a target that is known to tell such paths apart. */
        PathSettings: {
            /**
             * @description The target tells `/Refunds` from `/refunds`.
             * @default false
             */
            caseSensitive: boolean;
            /**
             * @description A slash at the end.
             * @default ignored
             * @enum {string}
             */
            trailingSlash: "ignored" | "significant";
            /**
             * @description The rest of a segment from an (encoded) `;` on.
             * @default ignored
             * @enum {string}
             */
            pathParameters: "ignored" | "significant";
            /**
             * @description Dots and spaces at the end of a segment.
             * @default ignored
             * @enum {string}
             */
            trailingDots: "ignored" | "significant";
            /**
             * @description A format at the end of the last segment, such as `.json`.
             * @default ignored
             * @enum {string}
             */
            formatSuffix: "ignored" | "significant";
            /**
             * @description `refused`: a path with `%2F` is refused; `data`: it is part of its segment.
             * @default refused
             * @enum {string}
             */
            encodedSlash: "refused" | "data";
        };
        /** @description How the target reads paths. A rule that restricts (deny, require_context, require_approval, and the masking of any rule) covers every path that the target could read as one that it names; an allow covers what it names and nothing else. `significant` narrows the former: only for a target that is known to tell such paths apart. */
        PathSettingsInput: {
            /**
             * @description The target tells `/Refunds` from `/refunds`.
             * @default false
             */
            caseSensitive?: boolean;
            /**
             * @description A slash at the end.
             * @default ignored
             * @enum {string}
             */
            trailingSlash?: "ignored" | "significant";
            /**
             * @description The rest of a segment from an (encoded) `;` on.
             * @default ignored
             * @enum {string}
             */
            pathParameters?: "ignored" | "significant";
            /**
             * @description Dots and spaces at the end of a segment.
             * @default ignored
             * @enum {string}
             */
            trailingDots?: "ignored" | "significant";
            /**
             * @description A format at the end of the last segment, such as `.json`.
             * @default ignored
             * @enum {string}
             */
            formatSuffix?: "ignored" | "significant";
            /**
             * @description `refused`: a path with `%2F` is refused; `data`: it is part of its segment.
             * @default refused
             * @enum {string}
             */
            encodedSlash?: "refused" | "data";
        };
        Policy: {
            id: string;
            connection: {
                id: string;
                name: string;
            };
            /** @description The ETag. */
            revision: number;
            rules: components["schemas"]["Rules"];
            mask: components["schemas"]["MaskRules"];
            comment: string | null;
            createdBy: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            createdAt: string;
        };
        PolicyError: {
            path: string;
            message: string;
        };
        PolicyInput: {
            rules: components["schemas"]["RulesInput"];
            /** @default [] */
            mask?: components["schemas"]["MaskRulesInput"];
            /** @description Why it changes; kept with the revision. */
            comment?: string;
        };
        Proposal: {
            connection: {
                id: string;
                name: string;
            };
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            since: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            until: string;
            /** @description Calls of the period that were looked at, newest first. */
            scanned: number;
            /** @description False: a limit ended it, and older calls of the period were not looked at. */
            isComplete: boolean;
            /** @description The beginning of the oldest call that was looked at. */
            reached: string | null;
            /** @description Sentences: what could not be known. */
            caveats: string[];
            /** @description Calls that the proposal is made from: allowed by a rule, and answered by the target. */
            total: number;
            skipped: {
                purged: number;
                /** @description Denied, or refused otherwise. */
                refused: number;
                /** @description Went on under an approval: whether that should stay so is not for a proposal to say. */
                approved: number;
                /** @description Sent, but not answered. */
                unanswered: number;
            };
            /** @description A policy as it can be written; a draft. */
            rules: components["schemas"]["Rule"][];
            /** @description Each rule's calls, and up to three of their paths. */
            evidence: {
                rule: string;
                calls: number;
                examples: string[];
            }[];
        };
        ProviderSnapshot: {
            id: string;
            name: string;
            disabled: boolean;
            settings: components["schemas"]["IdentityProviderSettings"];
        };
        RecordCheck: {
            /** @description Calls, and after them signed rows, audit events and leaves of the log, that were looked at. */
            checked: number;
            findings: components["schemas"]["RecordFinding"][];
            /** @description `after` for the next part; null: that was the last. */
            next: string | null;
        };
        RecordFinding: {
            /**
             * @description `body_without_call`, `body_of_purged_call`, `key_without_call`, `session_counters`, `retention_passed`, `not_logged`: can be repaired. `body_missing`, `key_missing`, `digest_mismatch`, `session_missing`: cannot; something is lost or was changed. `row_not_authentic`, `row_set_back`, `row_missing`, `row_not_in_trail`, `event_not_logged`, `record_missing`, `log_changed`: a row, an audit event or the log was changed outside of Hoop.
             * @enum {string}
             */
            kind: "body_without_call" | "body_of_purged_call" | "key_without_call" | "session_counters" | "session_missing" | "retention_passed" | "not_logged" | "body_missing" | "key_missing" | "digest_mismatch" | "row_not_authentic" | "row_set_back" | "row_missing" | "row_not_in_trail" | "event_not_logged" | "record_missing" | "log_changed";
            id: string;
            detail: string;
            repaired: boolean;
        };
        RecordingSettings: {
            /**
             * @description Which parts of a request and its response are kept: everything, heads only, or no body.
             * @default full
             * @enum {string}
             */
            capture: "full" | "heads" | "none";
            /**
             * @description How long content is kept.
             * @default 90d
             */
            retention: components["schemas"]["Duration"];
            /**
             * @description `strict`: the outcome is durable before the last byte is released; `relaxed`: after.
             * @default strict
             * @enum {string}
             */
            durability: "strict" | "relaxed";
            /**
             * @description Bytes of each body that are kept at most.
             * @default 1048576
             */
            maxBodyBytes: number;
        };
        RecordingSettingsInput: {
            /**
             * @description Which parts of a request and its response are kept: everything, heads only, or no body.
             * @default full
             * @enum {string}
             */
            capture?: "full" | "heads" | "none";
            /**
             * @description How long content is kept.
             * @default 90d
             */
            retention?: components["schemas"]["Duration"];
            /**
             * @description `strict`: the outcome is durable before the last byte is released; `relaxed`: after.
             * @default strict
             * @enum {string}
             */
            durability?: "strict" | "relaxed";
            /**
             * @description Bytes of each body that are kept at most.
             * @default 1048576
             */
            maxBodyBytes?: number;
        };
        RequestDigest: string;
        Retention: {
            /** @description For calls of no connection, and of connections that are gone. */
            unattributed: components["schemas"]["Duration"];
            /** @description No content is kept longer than this, even where its connection allows more; null: as long as the connection says. */
            maximum: components["schemas"]["Duration"] | null;
            version: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            updatedAt: string;
        };
        RetentionInput: {
            /** @description For calls of no connection, and of connections that are gone. */
            unattributed: components["schemas"]["Duration"];
            /** @description No content is kept longer than this, even where its connection allows more; null: as long as the connection says. */
            maximum: components["schemas"]["Duration"] | null;
        };
        /** @enum {string} */
        ReviewDecision: "approve" | "deny";
        /** @enum {string} */
        Role: "admin" | "operator" | "approver" | "auditor" | "break_glass";
        Rule: {
            name: string;
            effect: components["schemas"]["Effect"];
            match?: components["schemas"]["RuleMatch"];
            /** @description A CEL condition of type bool over `request`, `identity`, `connection`, `context`, `now`. */
            when?: string;
            /** @description `require_context`: key -> RE2 pattern that the whole value must match. */
            context?: {
                [key: string]: string;
            };
            approval?: components["schemas"]["ApprovalRule"];
            /** @description A deferred call with an `Idempotency-Key` may be sent once more where its outcome is unknown. Default: false. */
            retryUnknown?: boolean;
            /** @description Shown to the function when the rule denies or requires. */
            reason?: string;
            /** @description Masking of the calls that this rule covers: beside the policy's own, and that of every other rule that matches. */
            mask?: components["schemas"]["MaskRules"];
        };
        RuleInput: {
            name: string;
            effect: components["schemas"]["Effect"];
            match?: components["schemas"]["RuleMatch"];
            /** @description A CEL condition of type bool over `request`, `identity`, `connection`, `context`, `now`. */
            when?: string;
            /** @description `require_context`: key -> RE2 pattern that the whole value must match. */
            context?: {
                [key: string]: string;
            };
            approval?: components["schemas"]["ApprovalRuleInput"];
            /** @description A deferred call with an `Idempotency-Key` may be sent once more where its outcome is unknown. Default: false. */
            retryUnknown?: boolean;
            /** @description Shown to the function when the rule denies or requires. */
            reason?: string;
            /** @description Masking of the calls that this rule covers: beside the policy's own, and that of every other rule that matches. */
            mask?: components["schemas"]["MaskRulesInput"];
        };
        RuleMatch: {
            /** @description Upper-case HTTP methods; absent: every method. */
            methods?: string[];
            /** @description Path patterns in URLPattern syntax (WHATWG), of the path below the connection's base URL; absent: every path. */
            paths?: string[];
        };
        Rules: components["schemas"]["Rule"][];
        RulesInput: components["schemas"]["RuleInput"][];
        /** @description AES-256-GCM (base64 of nonce ‖ ciphertext ‖ tag) under a data key that is wrapped as a compact JWE. */
        SealedBlob: {
            wrappedKey: string;
            /** Format: base64 */
            sealed: string;
        };
        /** @description AES-256-GCM (base64 of nonce ‖ ciphertext ‖ tag) under a data key that is wrapped as a compact JWE. */
        SealedBlobInput: {
            wrappedKey: string;
            /** Format: base64 */
            sealed: string;
        };
        SecurityEvent: {
            id: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            at: string;
            kind: components["schemas"]["SecurityEventKind"];
            code: string;
            detail: string;
            /** @description Whether the token's signature was good; if not, issuer, subject and claims are what it said of itself. */
            verified: boolean;
            issuer: string | null;
            subject: string | null;
            claims: {
                [key: string]: unknown;
            } | null;
            /** @description The identity that came nearest, and the comparisons of its `match` that do not hold. */
            nearest: {
                identity: {
                    id: string;
                    name: string;
                };
                /** @description E.g. `claims.ref == "refs/heads/main" (claims.ref is "refs/heads/dev")`. */
                differences: string[];
            } | null;
            /** @description Events of the same kind, code and origin that this one stands for. */
            count: number;
            remote: string;
            requestId: string;
        };
        /** @enum {string} */
        SecurityEventKind: "token_exchange" | "grant_revocation" | "admin_authentication" | "relay_authentication" | "log_integrity";
        Session: {
            id: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            startedAt: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            lastCallAt: string;
            identity: {
                id: string;
                name: string | null;
            } | null;
            issuer: string | null;
            subject: string | null;
            claims: {
                [key: string]: unknown;
            } | null;
            callCount: number;
            refusedCount: number;
            failedCount: number;
        };
        ShownRequest: {
            method: string;
            url: string;
            /** @description As they will be sent, before the credential is injected; secrets masked. */
            headers: components["schemas"]["HeaderList"];
            /**
             * @description `utf8` where the bytes are text, else `base64`.
             * @enum {string}
             */
            encoding: "utf8" | "base64";
            /** @description The whole body, never a part of it. */
            body: string;
        };
        SlackUser: {
            slackUserId: string;
            user: string;
            groups: string[];
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             */
            createdAt: string;
        };
        Snapshot: {
            /** @description Rises by at least one with every change. */
            revision: number;
            /** @description True: everything, replace what you have. False: changes since the revision that was asked for. */
            full: boolean;
            /** @description `iss` of grants, and the keys that verify them. */
            grantIssuer: string;
            grantAudience: string;
            grantKeys: {
                keys: {
                    [key: string]: unknown;
                }[];
            };
            /** @description Public JWK to which recorded bodies' data keys are wrapped. */
            recordingKey: {
                [key: string]: unknown;
            };
            providers: components["schemas"]["ProviderSnapshot"][];
            identities: components["schemas"]["IdentitySnapshot"][];
            connections: components["schemas"]["ConnectionSnapshot"][];
            /** @description Ids that are gone, of any of the three kinds. */
            removed: string[];
            /** @description Grants revoked before their end. */
            revokedGrants: {
                jti: string;
                exp: number;
            }[];
        };
        /** @description The target's TLS connection. */
        TargetTls: {
            /** @description e.g. `TLSv1.3`. */
            protocol: string | null;
            cipher: string;
            /** @description Of the certificate: colon-separated SHA-256, subject, issuer, and the end of its validity as it says it. */
            fingerprint: string;
            subject: string;
            issuer: string;
            validTo: string;
        };
        /** @description Milliseconds from the arrival of the head to the end of the phase; absent where it was not reached. */
        Timings: {
            [key: string]: number;
        };
        /** @description RFC 8693 §2.1. Other parameters are ignored, as RFC 6749 §3.2 asks. */
        TokenRequest: {
            /** @description `urn:ietf:params:oauth:grant-type:token-exchange` */
            grant_type: string;
            /** @description The token that the platform or the identity provider gave the function. */
            subject_token?: string;
            /** @description `…:jwt`, `…:id_token` or `…:access_token` (a JWT). */
            subject_token_type?: string;
            requested_token_type?: string;
            /** @description Names of connections, separated by spaces: narrows the grant. */
            scope?: string;
            /** @description URLs under a target, or above some (an origin: all targets at it), or connections' names: narrows the grant (RFC 8707). */
            resource?: string | string[];
            /** @description The relay's audience, where it is given. */
            audience?: string | string[];
            actor_token?: string;
        };
        /** @description RFC 8693 §2.2.1, and what the SDK needs to find its way. */
        TokenResponse: {
            access_token: string;
            /** @constant */
            issued_token_type: "urn:ietf:params:oauth:token-type:jwt";
            /** @constant */
            token_type: "Bearer";
            expires_in: number;
            /** @description Names of the connections that the grant is good for, separated by spaces. */
            scope: string;
            hoop_connections: {
                name: string;
                target: string;
            }[];
            /** @description All that the identity may use. Where `resource` narrowed the grant; refusals of a choice carry it too. */
            hoop_known_connections?: components["schemas"]["KnownConnections"];
            /**
             * Format: uri
             * @description Where the relay is.
             */
            hoop_relay_url: string;
        };
        /** @description RFC 9457 */
        Problem: {
            /** @description `urn:hoop:error:<code>` */
            type: string;
            code: string;
            title: string;
            status: number;
            detail?: string;
            requestId: string;
            errors?: {
                path: string;
                message: string;
            }[];
        } & {
            [key: string]: unknown;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: {
        /** @description Id of the request, as logs and audit events have it. */
        "Request-Id": string;
        /**
         * @description Version of the resource, for `If-Match` (RFC 9110 §8.8.3).
         * @example "3"
         */
        ETag: string;
        /** @description Path of the new resource (RFC 9110 §10.2.2). */
        Location: string;
        /** @description `true` where this is the kept response of an earlier request with the same `Idempotency-Key`. */
        "Idempotency-Replayed": "true";
        /** @description Seconds after which the request may succeed (RFC 9110 §10.2.3). */
        "Retry-After": number;
        /**
         * @description The scheme that is needed (RFC 9110 §11.6.1), and in `error` why the token was not accepted (RFC 6750 §3).
         * @example Bearer realm="hoop", error="invalid_token"
         */
        "WWW-Authenticate": string;
        /** @description A name for the file (RFC 6266). */
        "Content-Disposition": string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listIdentityProviders: {
        parameters: {
            query?: {
                /** @description Items at most. */
                limit?: number;
                /** @description `next` of the page before; opaque. */
                cursor?: string;
                disabled?: "true" | "false";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List identity providers */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["IdentityProvider"][];
                        next: string | null;
                    };
                };
            };
        };
    };
    createIdentityProvider: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key gets the same answer for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IdentityProviderInput"];
            };
        };
        responses: {
            /** @description Register an issuer whose tokens are accepted */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IdentityProvider"];
                };
            };
        };
    };
    getIdentityProvider: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                provider: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get an identity provider */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IdentityProvider"];
                };
            };
        };
    };
    deleteIdentityProvider: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                provider: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Delete an identity provider that no identity uses */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    updateIdentityProvider: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag that was read (RFC 9110 §13.1.1). */
                "If-Match": string;
            };
            path: {
                provider: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IdentityProviderPatch"];
            };
        };
        responses: {
            /** @description Change an identity provider */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IdentityProvider"];
                };
            };
        };
    };
    listIdentities: {
        parameters: {
            query?: {
                /** @description Items at most. */
                limit?: number;
                /** @description `next` of the page before; opaque. */
                cursor?: string;
                provider?: string;
                owner?: string;
                disabled?: "true" | "false";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List identities */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["Identity"][];
                        next: string | null;
                    };
                };
            };
        };
    };
    createIdentity: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key gets the same answer for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IdentityInput"];
            };
        };
        responses: {
            /** @description Register a machine identity */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Identity"];
                };
            };
        };
    };
    getIdentity: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                identity: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get an identity */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Identity"];
                };
            };
        };
    };
    deleteIdentity: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                identity: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Delete an identity that no connection lists */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    updateIdentity: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag that was read (RFC 9110 §13.1.1). */
                "If-Match": string;
            };
            path: {
                identity: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IdentityPatch"];
            };
        };
        responses: {
            /** @description Change an identity */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Identity"];
                };
            };
        };
    };
    disableIdentity: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                identity: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Disable an identity at once: its grants stop working and its calls in flight are cut */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Identity"];
                };
            };
        };
    };
    enableIdentity: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                identity: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Enable an identity again */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Identity"];
                };
            };
        };
    };
    revokeIdentityGrants: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                identity: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoke every grant that the identity holds now; it may get new ones */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Identity"];
                };
            };
        };
    };
    listConnections: {
        parameters: {
            query?: {
                /** @description Items at most. */
                limit?: number;
                /** @description `next` of the page before; opaque. */
                cursor?: string;
                identity?: string;
                disabled?: "true" | "false";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List connections */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["Connection"][];
                        next: string | null;
                    };
                };
            };
        };
    };
    createConnection: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key gets the same answer for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConnectionInput"];
            };
        };
        responses: {
            /** @description Register a target */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Connection"];
                };
            };
        };
    };
    getConnection: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get a connection */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Connection"];
                };
            };
        };
    };
    deleteConnection: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Delete a connection that lists no identity; its credential goes with it, its policy revisions stay for the record */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    updateConnection: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag that was read (RFC 9110 §13.1.1). */
                "If-Match": string;
            };
            path: {
                connection: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConnectionPatch"];
            };
        };
        responses: {
            /** @description Change a connection */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Connection"];
                };
            };
        };
    };
    getCredentialSource: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get the credential source of a connection, without its secrets */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CredentialSource"];
                };
            };
        };
    };
    putCredentialSource: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag that was read (RFC 9110 §13.1.1). */
                "If-Match"?: string;
                /** @description `*` for the first one. */
                "If-None-Match"?: string;
            };
            path: {
                connection: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CredentialSourceInput"];
            };
        };
        responses: {
            /** @description Set how the credential of a connection is obtained */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CredentialSource"];
                };
            };
        };
    };
    deleteCredentialSource: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Delete the credential source of a connection */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    disableConnection: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Disable a connection at once; its calls in flight are cut */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Connection"];
                };
            };
        };
    };
    enableConnection: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Enable a connection again */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Connection"];
                };
            };
        };
    };
    getPolicy: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get the policy in force */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Policy"];
                };
            };
        };
    };
    putPolicy: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag that was read (RFC 9110 §13.1.1). */
                "If-Match"?: string;
                /** @description `*` for the first one. */
                "If-None-Match"?: string;
            };
            path: {
                connection: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PolicyInput"];
            };
        };
        responses: {
            /** @description Write the next revision of the policy of a connection */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Policy"];
                };
            };
        };
    };
    listPolicyRevisions: {
        parameters: {
            query?: {
                /** @description Items at most. */
                limit?: number;
                /** @description `next` of the page before; opaque. */
                cursor?: string;
            };
            header?: never;
            path: {
                connection: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List the revisions of a policy, newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["Policy"][];
                        next: string | null;
                    };
                };
            };
        };
    };
    getPolicyRevision: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection: string;
                revision: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get one revision of a policy */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Policy"];
                };
            };
        };
    };
    explainDecision: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    call: string;
                } | components["schemas"]["DescribedRequest"];
            };
        };
        responses: {
            /** @description Explain a decision: by which rule, why, and what would allow the request */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Explanation"];
                };
            };
        };
    };
    lintPolicy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    connection: string;
                } | {
                    rules: components["schemas"]["RulesInput"];
                    /** @default [] */
                    mask?: components["schemas"]["MaskRulesInput"];
                };
            };
        };
        responses: {
            /** @description Find probable mistakes: allow-all, unreachable rules, writes without an approval */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        findings: components["schemas"]["Finding"][];
                    };
                };
            };
        };
    };
    validatePolicy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    rules: components["schemas"]["RulesInput"];
                    /** @default [] */
                    mask?: components["schemas"]["MaskRulesInput"];
                };
            };
        };
        responses: {
            /** @description Check a policy without saving it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        valid: boolean;
                        errors: components["schemas"]["PolicyError"][];
                    };
                };
            };
        };
    };
    backtestPolicy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    connection: string;
                    /** @description Default: all that may use the connection. */
                    identity?: string;
                    /**
                     * Format: date-time
                     * @description Calls from then on. Default: 30 days ago.
                     */
                    since?: string;
                    /**
                     * Format: date-time
                     * @description Before then. Default: now.
                     */
                    until?: string;
                    rules: components["schemas"]["RulesInput"];
                    mask?: components["schemas"]["MaskRulesInput"];
                    /** @default 100000 */
                    maxCalls?: number;
                    /** @default 60 */
                    maxSeconds?: number;
                    /**
                     * @description Of each kind of change.
                     * @default 10
                     */
                    maxExamples?: number;
                };
            };
        };
        responses: {
            /** @description Backtest a candidate policy on the recorded calls of a connection; each backtest is an audit event */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Backtest"];
                };
            };
        };
    };
    proposePolicy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    connection: string;
                    /** @description Default: all that may use the connection. */
                    identity?: string;
                    /**
                     * Format: date-time
                     * @description Calls from then on. Default: 30 days ago.
                     */
                    since?: string;
                    /**
                     * Format: date-time
                     * @description Before then. Default: now.
                     */
                    until?: string;
                    /** @default 200 */
                    maxRules?: number;
                    /** @default 100000 */
                    maxCalls?: number;
                    /** @default 60 */
                    maxSeconds?: number;
                };
            };
        };
        responses: {
            /** @description Propose a least-privilege policy from the recorded calls of a connection; a draft */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Proposal"];
                };
            };
        };
    };
    reportMaskObservations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    observations: {
                        connectionId: string;
                        suggestions: {
                            /** @description JSONPath, `[*]` for every element or for keys that are ids. A rule with this path covers it. */
                            path: string;
                            /** @description The detector that found it. */
                            detector: string;
                            /** @description Values that were seen. */
                            count: number;
                            /** @description Unix milliseconds. */
                            firstSeen: number;
                            lastSeen: number;
                        }[];
                    }[];
                };
            };
        };
        responses: {
            /** @description Report the findings of a relay since its last report; later samples make up for a lost report */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        taken: number;
                    };
                };
            };
        };
    };
    listMaskSuggestions: {
        parameters: {
            query?: {
                /** @description Items at most. */
                limit?: number;
                /** @description `next` of the page before; opaque. */
                cursor?: string;
                state?: "open" | "accepted" | "dismissed";
            };
            header?: never;
            path: {
                connection: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Sensitive fields that a connection answers with and no rule covers, newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["FoundMaskSuggestion"][];
                        next: string | null;
                    };
                };
            };
        };
    };
    acceptMaskSuggestion: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag that was read (RFC 9110 §13.1.1). */
                "If-Match": string;
                /** @description The same key gets the same answer for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                connection: string;
                suggestionId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @default redact */
                    action?: components["schemas"]["MaskAction"];
                    comment?: string;
                };
            };
        };
        responses: {
            /** @description Mask the field from now on: writes the next revision of the policy, with a rule for its path */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Policy"];
                };
            };
        };
    };
    dismissMaskSuggestion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection: string;
                suggestionId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Say that a suggested field need not be masked; it is not suggested again */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FoundMaskSuggestion"];
                };
            };
        };
    };
    tryMasking: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    rules: components["schemas"]["MaskRulesInput"];
                    /** @default application/json */
                    contentType?: string;
                    sample: string;
                    /** @description For rules with `unless`. */
                    identity?: string;
                };
            };
        };
        responses: {
            /** @description Try masking rules on a sample: before and after */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        before: string;
                        /** @description Null where the response would be blocked. */
                        after: string | null;
                        /** @description The error code with which it would be blocked. */
                        blocked: {
                            code: string;
                            detail: string;
                        } | null;
                        maskedCount: number;
                        /** @description Values that were hidden whole because to look into them would have cost too much. */
                        hiddenValues: number;
                        /** @description Each rule in words, in their order. */
                        rules: {
                            index: number;
                            explanation: string;
                        }[];
                    };
                };
            };
        };
    };
    showApprovalPage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                approvalId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page for people who follow the link in a message: the id, the state and the commands to use */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html; charset=utf-8": string;
                };
            };
        };
    };
    listApprovals: {
        parameters: {
            query?: {
                /** @description Items at most. */
                limit?: number;
                /** @description `next` of the page before; opaque. */
                cursor?: string;
                /** @description `pending` -> `approved` | `denied` | `expired` | `withdrawn` | `voided`; `approved` -> `consumed` (once, by one call) | `expired` (not used in time) | `voided`. */
                state?: "pending" | "approved" | "denied" | "expired" | "withdrawn" | "voided" | "consumed";
                identity?: string;
                connection?: string;
                /** @description Only those that name the caller or a group of theirs. */
                mine?: "true" | "false";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List approvals, newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["ApprovalSummary"][];
                        next: string | null;
                    };
                };
            };
        };
    };
    followApprovals: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every pending approval at once, and every change as it happens (server-sent events) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
        };
    };
    getApproval: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                approvalId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get the request that will be sent, its sender, and the rules that need a decision; each reading is an audit event */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovalDetail"];
                };
            };
        };
    };
    breakGlass: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                approvalId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    digest: components["schemas"]["RequestDigest"];
                    reason: string;
                };
            };
        };
        responses: {
            /** @description Break the glass: let the request proceed without a decision by the people whom the rule names */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovalSummary"];
                };
            };
        };
    };
    followApproval: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                approvalId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The state of one approval at once and at every change, until it ends (server-sent events) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
        };
    };
    reviewApproval: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                approvalId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    decision: components["schemas"]["ReviewDecision"];
                    /** @description The digest that you were shown: a decision is about these bytes. */
                    digest: components["schemas"]["RequestDigest"];
                    comment?: string;
                    /** @description Default: "once". */
                    validity?: components["schemas"]["ApprovalValidity"];
                };
            };
        };
        responses: {
            /** @description Approve or deny */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovalSummary"];
                };
            };
        };
    };
    withdrawApproval: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                approvalId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    reason: string;
                };
            };
        };
        responses: {
            /** @description Withdraw a request in the name of its function */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovalSummary"];
                };
            };
        };
    };
    listBreakGlassReviews: {
        parameters: {
            query?: {
                /** @description Items at most. */
                limit?: number;
                /** @description `next` of the page before; opaque. */
                cursor?: string;
                open?: "true" | "false";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List break-glass approvals, newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["BreakGlassReview"][];
                        next: string | null;
                    };
                };
            };
        };
    };
    closeBreakGlassReview: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                approvalId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    comment: string;
                };
            };
        };
        responses: {
            /** @description Close the review of a break-glass approval; the person who broke the glass cannot close it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BreakGlassReview"];
                };
            };
        };
    };
    listNotificationChannels: {
        parameters: {
            query?: {
                /** @description Items at most. */
                limit?: number;
                /** @description `next` of the page before; opaque. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List notification channels */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["NotificationChannel"][];
                        next: string | null;
                    };
                };
            };
        };
    };
    createNotificationChannel: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key gets the same answer for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NotificationChannelInput"];
            };
        };
        responses: {
            /** @description Register a notification channel */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedNotificationChannel"];
                };
            };
        };
    };
    getNotificationChannel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                channelId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get a notification channel */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotificationChannel"];
                };
            };
        };
    };
    deleteNotificationChannel: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag that was read (RFC 9110 §13.1.1). */
                "If-Match": string;
            };
            path: {
                channelId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Delete a notification channel and its deliveries */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    updateNotificationChannel: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag that was read (RFC 9110 §13.1.1). */
                "If-Match": string;
            };
            path: {
                channelId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Names of things people register: lower case, digits, `-` and `_`; they appear in relay URLs. */
                    name?: string;
                    /**
                     * Format: uri
                     * @description Slack: an incoming-webhook URL or `https://slack.com/api/chat.postMessage`.
                     */
                    url?: string;
                    allowedCidrs?: string[] | null;
                    events?: components["schemas"]["NotificationEvent"][] | null;
                    reviewers?: string[] | null;
                    secret?: string | null;
                    slackChannel?: string | null;
                    disabled?: boolean | null;
                };
            };
        };
        responses: {
            /** @description Change a notification channel */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotificationChannel"];
                };
            };
        };
    };
    listNotificationDeliveries: {
        parameters: {
            query?: {
                /** @description Items at most. */
                limit?: number;
                /** @description `next` of the page before; opaque. */
                cursor?: string;
                state?: "pending" | "delivered" | "dead";
                channel?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List deliveries, newest first; `state=dead` is the dead-letter list */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["NotificationDelivery"][];
                        next: string | null;
                    };
                };
            };
        };
    };
    resendNotificationDelivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                deliveryId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Send a dead delivery again */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotificationDelivery"];
                };
            };
        };
    };
    listSlackUsers: {
        parameters: {
            query?: {
                /** @description Items at most. */
                limit?: number;
                /** @description `next` of the page before; opaque. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List the Slack users mapped to approvers */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["SlackUser"][];
                        next: string | null;
                    };
                };
            };
        };
    };
    putSlackUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                slackUserId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    user: string;
                    /** @default [] */
                    groups?: string[];
                };
            };
        };
        responses: {
            /** @description Map a Slack user to an approver */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SlackUser"];
                };
            };
        };
    };
    deleteSlackUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                slackUserId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Remove the mapping of a Slack user */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    receiveSlackInteraction: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": {
                    payload: string;
                } & {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            /** @description Receive interactions from Slack; verified by its signature, each accepted once */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        text: string;
                    };
                };
            };
        };
    };
    listCalls: {
        parameters: {
            query?: {
                /** @description Items at most. */
                limit?: number;
                /** @description `next` of the page before; opaque. */
                cursor?: string;
                /** @description An instant in a query: RFC 3339 with any offset. */
                since?: string;
                /** @description An instant in a query: RFC 3339 with any offset. */
                until?: string;
                identity?: string;
                connection?: string;
                /** @description The four outcomes of the decide step. */
                decision?: "allow" | "deny" | "require_context" | "require_approval";
                rule?: string;
                /** @description `pending`: its outcome has not been recorded yet. */
                state?: "pending" | "completed" | "failed" | "aborted" | "refused" | "unknown";
                status?: number;
                /** @description The code of an error, as a filter. */
                error?: string;
                method?: string;
                /** @description The whole path; with `*` at its end, every path that starts so. */
                path?: string;
                trace?: string;
                /** @description `true`: the target answered with the injected credential in its response, which was scrubbed. */
                credentialReflected?: "true" | "false";
                session?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List calls, newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["CallSummary"][];
                        next: string | null;
                    };
                };
            };
        };
    };
    getCall: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                callId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get a call, without the content of its bodies */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Call"];
                };
            };
        };
    };
    getCallBodies: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                callId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get the masked bodies of a call; each reading is an audit event */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        request: components["schemas"]["BodyContent"] | null;
                        response: components["schemas"]["BodyContent"] | null;
                    };
                };
            };
        };
    };
    listSessions: {
        parameters: {
            query?: {
                /** @description Items at most. */
                limit?: number;
                /** @description `next` of the page before; opaque. */
                cursor?: string;
                /** @description An instant in a query: RFC 3339 with any offset. */
                since?: string;
                /** @description An instant in a query: RFC 3339 with any offset. */
                until?: string;
                identity?: string;
                connection?: string;
                /** @description The four outcomes of the decide step. */
                decision?: "allow" | "deny" | "require_context" | "require_approval";
                rule?: string;
                /** @description `pending`: its outcome has not been recorded yet. */
                state?: "pending" | "completed" | "failed" | "aborted" | "refused" | "unknown";
                status?: number;
                /** @description The code of an error, as a filter. */
                error?: string;
                method?: string;
                /** @description The whole path; with `*` at its end, every path that starts so. */
                path?: string;
                trace?: string;
                /** @description `true`: the target answered with the injected credential in its response, which was scrubbed. */
                credentialReflected?: "true" | "false";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List sessions, newest first: by beginning and identity, and with at least one call that the other filters all match */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["Session"][];
                        next: string | null;
                    };
                };
            };
        };
    };
    getSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sessionId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get a session */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
        };
    };
    exportSessionHar: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sessionId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Export a session as HAR 1.2, masked bodies included; each export is an audit event */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        log: {
                            /** @constant */
                            version: "1.2";
                        } & {
                            [key: string]: unknown;
                        };
                    } & {
                        [key: string]: unknown;
                    };
                };
            };
        };
    };
    followCalls: {
        parameters: {
            query?: {
                /** @description An instant in a query: RFC 3339 with any offset. */
                since?: string;
                /** @description An instant in a query: RFC 3339 with any offset. */
                until?: string;
                identity?: string;
                connection?: string;
                /** @description The four outcomes of the decide step. */
                decision?: "allow" | "deny" | "require_context" | "require_approval";
                rule?: string;
                /** @description `pending`: its outcome has not been recorded yet. */
                state?: "pending" | "completed" | "failed" | "aborted" | "refused" | "unknown";
                status?: number;
                /** @description The code of an error, as a filter. */
                error?: string;
                method?: string;
                /** @description The whole path; with `*` at its end, every path that starts so. */
                path?: string;
                trace?: string;
                /** @description `true`: the target answered with the injected credential in its response, which was scrubbed. */
                credentialReflected?: "true" | "false";
                session?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Follow the calls that match, as they are recorded (server-sent events) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
        };
    };
    searchCalls: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    filter?: {
                        /**
                         * Format: date-time
                         * @description An instant in a query: RFC 3339 with any offset.
                         */
                        since?: string;
                        /**
                         * Format: date-time
                         * @description An instant in a query: RFC 3339 with any offset.
                         */
                        until?: string;
                        identity?: string;
                        connection?: string;
                        decision?: components["schemas"]["DecisionEffect"];
                        rule?: string;
                        state?: components["schemas"]["CallState"];
                        status?: number;
                        /** @description The code of an error, as a filter. */
                        error?: string;
                        method?: string;
                        /** @description The whole path; with `*` at its end, every path that starts so. */
                        path?: string;
                        trace?: string;
                        /**
                         * @description `true`: the target answered with the injected credential in its response, which was scrubbed.
                         * @enum {string}
                         */
                        credentialReflected?: "true" | "false";
                        session?: string;
                    };
                    /** @description Exactly one of `text` and `pattern`. A text is found as it stands. */
                    text?: string;
                    /** @description RE2; matched within windows of a megabyte. */
                    pattern?: string;
                    /** @default true */
                    ignoreCase?: boolean;
                    /**
                     * @description Default: both.
                     * @enum {string}
                     */
                    side?: "request" | "response";
                    /**
                     * @description Calls to look at at most.
                     * @default 10000
                     */
                    maxCalls?: number;
                    /** @default 30 */
                    maxSeconds?: number;
                    /**
                     * @description Calls with a match after which it ends.
                     * @default 100
                     */
                    maxMatches?: number;
                    /** @description `next` of a search that ended early. */
                    cursor?: string;
                };
            };
        };
        responses: {
            /** @description Search the masked bodies of a selection of calls for a text, newest first; each search is an audit event */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
        };
    };
    followSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sessionId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Follow a session: its calls so far, then as they are recorded (server-sent events) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
        };
    };
    exportSessionCalls: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sessionId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Export a session as NDJSON: the session, then each call in order with its masked bodies; each export is an audit event */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
        };
    };
    getLogStatus: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get the state of the log: its size, the records that wait, and the progress of witnesses */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogStatus"];
                };
            };
        };
    };
    getLogCheckpoint: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get the newest checkpoint as a signed note (C2SP tlog-checkpoint) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain; charset=utf-8": string;
                };
            };
        };
    };
    getConsistencyProof: {
        parameters: {
            query: {
                from: number;
                to?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Prove that the log of one size extends the log of an earlier one */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConsistencyProof"];
                };
            };
        };
    };
    exportLog: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Export the whole log with its records, for `hoop audit verify`; each export is an audit event */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
        };
    };
    getInclusionProof: {
        parameters: {
            query?: {
                size?: number;
                index?: number;
            };
            header?: never;
            path: {
                recordId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Prove that a call or an audit event is in the log */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InclusionProof"];
                };
            };
        };
    };
    getLogKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get the verifier keys of the log (C2SP signed-note), one a line, the one that signs now first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain; charset=utf-8": string;
                };
            };
        };
    };
    listLegalHolds: {
        parameters: {
            query?: {
                /** @description Items at most. */
                limit?: number;
                /** @description `next` of the page before; opaque. */
                cursor?: string;
                kind?: "session" | "connection" | "identity";
                subject?: string;
                active?: "true" | "false";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List legal holds, lifted ones too */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["LegalHold"][];
                        next: string | null;
                    };
                };
            };
        };
    };
    placeLegalHold: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key gets the same answer for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LegalHoldInput"];
            };
        };
        responses: {
            /** @description Keep the content of a session, a connection or an identity until further notice */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LegalHold"];
                };
            };
        };
    };
    getLegalHold: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                holdId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get a legal hold */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LegalHold"];
                };
            };
        };
    };
    liftLegalHold: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                holdId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Lift a legal hold; retention then takes its course */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LegalHold"];
                };
            };
        };
    };
    checkRecords: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description `next` of the part before. The default is "": from the beginning.
                     * @default
                     */
                    after?: string | "";
                    /**
                     * @description Calls in this part.
                     * @default 2000
                     */
                    limit?: number;
                    /**
                     * @description Repair what can be.
                     * @default false
                     */
                    repair?: boolean;
                };
            };
        };
        responses: {
            /** @description Check that calls, bodies, data keys, sessions and the log agree, a part at a time; the worker does so continuously */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecordCheck"];
                };
            };
        };
    };
    getRetention: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get the retention settings for all connections */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Retention"];
                };
            };
        };
    };
    putRetention: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag that was read (RFC 9110 §13.1.1). */
                "If-Match"?: string;
                /** @description `*` for the first one. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RetentionInput"];
            };
        };
        responses: {
            /** @description Set the retention settings for all connections */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Retention"];
                };
            };
        };
    };
    listEventSinks: {
        parameters: {
            query?: {
                /** @description Items at most. */
                limit?: number;
                /** @description `next` of the page before; opaque. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List event sinks, with how far each is behind */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["EventSink"][];
                        next: string | null;
                    };
                };
            };
        };
    };
    createEventSink: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key gets the same answer for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EventSinkInput"];
            };
        };
        responses: {
            /** @description Send the events of the log somewhere */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedEventSink"];
                };
            };
        };
    };
    getEventSink: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sinkId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get an event sink, with how far it is behind and its last error */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventSink"];
                };
            };
        };
    };
    deleteEventSink: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sinkId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Delete an event sink; events already sent are not recalled */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    updateEventSink: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag that was read (RFC 9110 §13.1.1). */
                "If-Match": string;
            };
            path: {
                sinkId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Names of things people register: lower case, digits, `-` and `_`; they appear in relay URLs. */
                    name?: string;
                    url?: string | null;
                    allowedCidrs?: string[] | null;
                    file?: string | null;
                    types?: components["schemas"]["LogEventType"][] | null;
                    maxBatch?: number | null;
                    secret?: string | null;
                };
            };
        };
        responses: {
            /** @description Change an event sink; events that wait after a failure are retried immediately */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventSink"];
                };
            };
        };
    };
    pauseEventSink: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sinkId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Pause an event sink; it keeps its place */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventSink"];
                };
            };
        };
    };
    resumeEventSink: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sinkId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Resume a paused event sink */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventSink"];
                };
            };
        };
    };
    listAdminTokens: {
        parameters: {
            query?: {
                /** @description Items at most. */
                limit?: number;
                /** @description `next` of the page before; opaque. */
                cursor?: string;
                role?: "admin" | "operator" | "approver" | "auditor" | "break_glass";
                revoked?: "true" | "false";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List tokens, without the tokens themselves */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["AdminToken"][];
                        next: string | null;
                    };
                };
            };
        };
    };
    createAdminToken: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key gets the same answer for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AdminTokenInput"];
            };
        };
        responses: {
            /** @description Make a token for a person or a program */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedAdminToken"];
                };
            };
        };
    };
    getCurrentAdminToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get the caller of this request */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminToken"];
                };
            };
        };
    };
    getAdminToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                tokenId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get a token, without the token itself */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminToken"];
                };
            };
        };
    };
    revokeAdminToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                tokenId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoke a token; the last that can administer cannot be revoked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminToken"];
                };
            };
        };
    };
    listAuditEvents: {
        parameters: {
            query?: {
                /** @description Items at most. */
                limit?: number;
                /** @description `next` of the page before; opaque. */
                cursor?: string;
                /** @description An instant in a query: RFC 3339 with any offset. */
                since?: string;
                /** @description An instant in a query: RFC 3339 with any offset. */
                until?: string;
                actor?: string;
                action?: string;
                target?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List audit events, newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["AuditEvent"][];
                        next: string | null;
                    };
                };
            };
        };
    };
    getAuditEvent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                eventId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get an audit event */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditEvent"];
                };
            };
        };
    };
    listSecurityEvents: {
        parameters: {
            query?: {
                /** @description Items at most. */
                limit?: number;
                /** @description `next` of the page before; opaque. */
                cursor?: string;
                /** @description An instant in a query: RFC 3339 with any offset. */
                since?: string;
                /** @description An instant in a query: RFC 3339 with any offset. */
                until?: string;
                kind?: "token_exchange" | "grant_revocation" | "admin_authentication" | "relay_authentication" | "log_integrity";
                /** @description The code of an error, as a filter. */
                code?: string;
                issuer?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Refused authentications and token exchanges */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["SecurityEvent"][];
                        next: string | null;
                    };
                };
            };
        };
    };
    getSecurityEvent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                eventId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get a security event, with the nearest identity and the claim that differs */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecurityEvent"];
                };
            };
        };
    };
    getJwks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The public keys that verify grants (RFC 7517) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/jwk-set+json": {
                        keys: {
                            [key: string]: unknown;
                        }[];
                    };
                };
            };
        };
    };
    getAuthorizationServerMetadata: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Authorization server metadata (RFC 8414) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuthorizationServerMetadata"];
                };
            };
        };
    };
    revokeToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": {
                    token: string;
                    token_type_hint?: string;
                };
            };
        };
        responses: {
            /** @description Revoke a grant (RFC 7009) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    exchangeToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": components["schemas"]["TokenRequest"];
            };
        };
        responses: {
            /** @description Exchange a token of an identity provider for a grant (RFC 8693) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenResponse"];
                };
            };
        };
    };
    getGrant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                grantId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get a grant by its id (`jti`), as calls show it, with all claims of the token that was exchanged for it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssuedGrant"];
                };
            };
        };
    };
    revokeGrant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                grantId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoke a grant by its id (`jti`), as calls show it */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The process runs */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        status: "ok";
                    };
                };
            };
        };
    };
    followChanges: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The newest revision at once, on every change, and every 5 seconds (server-sent events) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
        };
    };
    getSnapshot: {
        parameters: {
            query?: {
                since?: number;
            };
            header?: {
                /** @description The ETag of the response that the client has (RFC 9110 §13.1.2). */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get the configuration of a relay */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Snapshot"];
                };
            };
        };
    };
    getOpenApi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description This description */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        openapi: string;
                    } & {
                        [key: string]: unknown;
                    };
                };
            };
        };
    };
    getReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The process can work: its database answers */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        status: "ok";
                    };
                };
            };
        };
    };
    claimRelayApproval: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApprovalClaimInput"];
            };
        };
        responses: {
            /** @description Claim an approval for a call: finds, creates or uses up the approval */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovalAnswer"];
                };
            };
        };
    };
    readRelayApproval: {
        parameters: {
            query: {
                identity: string;
                wait?: number;
            };
            header?: never;
            path: {
                approvalId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The state of an approval of this identity; waits for a change while it is pending */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovalAnswer"];
                };
            };
        };
    };
    withdrawRelayApproval: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                approvalId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    identityId: string;
                    reason: string;
                };
            };
        };
        responses: {
            /** @description Report that the function gave up waiting */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovalAnswer"];
                };
            };
        };
    };
    createRelayDeferredCall: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    callId: string;
                    identityId: string;
                    connectionId: string;
                    approvalId: string | null;
                    /** @description Sealed to the relay's own key: nobody else can open it. */
                    request: components["schemas"]["SealedBlobInput"];
                    idempotencyKey: string | null;
                    mayRetry: boolean;
                    /** @description Name of the notification channel for the call's end: functions do not choose where Hoop connects to. */
                    webhookChannel: string | null;
                };
            };
        };
        responses: {
            /** @description Keep a sealed request until it may be sent */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeferredCall"];
                };
            };
        };
    };
    readRelayDeferredCall: {
        parameters: {
            query: {
                identity: string;
                wait?: number;
            };
            header?: never;
            path: {
                callId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A deferred call of this identity; waits for a change while it is not finished */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeferredCall"];
                };
            };
        };
    };
    claimRelayDeferredCall: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                callId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    relayId: string;
                };
            };
        };
        responses: {
            /** @description Take a ready call; only one relay ever gets it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        request: components["schemas"]["SealedBlob"] | null;
                        approvalId: string | null;
                        identityId: string | null;
                    };
                };
            };
        };
    };
    finishRelayDeferredCall: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                callId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    relayId: string;
                    /** @enum {string} */
                    state: "done" | "refused" | "unknown";
                    status: number | null;
                    error: string | null;
                    errorDetail: string | null;
                    response: components["schemas"]["SealedBlobInput"] | null;
                };
            };
        };
        responses: {
            /** @description Report the outcome of a deferred call; the first report counts */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        isAccepted: boolean;
                    };
                };
            };
        };
    };
    withdrawRelayDeferredCall: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                callId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    identityId: string;
                };
            };
        };
        responses: {
            /** @description Withdraw a deferred call that has not been sent */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeferredCall"];
                };
            };
        };
    };
}
