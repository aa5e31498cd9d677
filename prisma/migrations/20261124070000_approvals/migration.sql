-- AlterTable
ALTER TABLE "calls" ADD COLUMN     "approval_id" TEXT;

-- CreateTable
CREATE TABLE "approvals" (
    "id" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'pending',
    "digest" TEXT NOT NULL,
    "identity_id" TEXT NOT NULL,
    "identity_name" TEXT NOT NULL,
    "identity_owner" TEXT NOT NULL,
    "connection_id" TEXT NOT NULL,
    "connection_name" TEXT NOT NULL,
    "policy_id" TEXT NOT NULL,
    "policy_revision" INTEGER NOT NULL,
    "credential_source_id" TEXT,
    "credential_revision" INTEGER,
    "requirements" JSONB NOT NULL,
    "rules" TEXT[],
    "reviewers" TEXT[],
    "context" JSONB,
    "claims" JSONB,
    "method" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "path" TEXT NOT NULL,
    "body_bytes" INTEGER NOT NULL,
    "call_id" TEXT NOT NULL,
    "session_id" TEXT NOT NULL,
    "shown_key" TEXT NOT NULL,
    "shown" BYTEA NOT NULL,
    "requested_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "validity" TEXT,
    "usable_until" TIMESTAMPTZ(3),
    "consumed_by" TEXT,
    "decided_at" TIMESTAMPTZ(3),
    "reason" TEXT,
    "version" INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT "approvals_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "approval_reviews" (
    "approval_id" TEXT NOT NULL,
    "user_name" TEXT NOT NULL,
    "groups" TEXT[],
    "decision" TEXT NOT NULL,
    "comment" TEXT,
    "validity" TEXT,
    "via" TEXT NOT NULL,
    "token_id" TEXT,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "approval_reviews_pkey" PRIMARY KEY ("approval_id","user_name")
);

-- CreateTable
CREATE TABLE "break_glass_reviews" (
    "approval_id" TEXT NOT NULL,
    "user_name" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "opened_at" TIMESTAMPTZ(3) NOT NULL,
    "closed_at" TIMESTAMPTZ(3),
    "closed_by" TEXT,
    "comment" TEXT,

    CONSTRAINT "break_glass_reviews_pkey" PRIMARY KEY ("approval_id")
);

-- CreateTable
CREATE TABLE "deferred_calls" (
    "call_id" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "identity_id" TEXT NOT NULL,
    "connection_id" TEXT NOT NULL,
    "approval_id" TEXT,
    "request_key" TEXT NOT NULL,
    "request" BYTEA NOT NULL,
    "idempotency_key" TEXT,
    "may_retry" BOOLEAN NOT NULL DEFAULT false,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "claimed_by" TEXT,
    "claimed_at" TIMESTAMPTZ(3),
    "status" INTEGER,
    "error" TEXT,
    "error_detail" TEXT,
    "response_key" TEXT,
    "response" BYTEA,
    "webhook_channel" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "finished_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "deferred_calls_pkey" PRIMARY KEY ("call_id")
);

-- CreateTable
CREATE TABLE "notification_channels" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "allowed_cidrs" TEXT[],
    "events" TEXT[],
    "reviewers" TEXT[],
    "sealed" TEXT NOT NULL,
    "settings" JSONB NOT NULL,
    "disabled" BOOLEAN NOT NULL DEFAULT false,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "notification_channels_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "notification_deliveries" (
    "id" TEXT NOT NULL,
    "channel_id" TEXT NOT NULL,
    "event" TEXT NOT NULL,
    "subject_id" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'pending',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "last_status" INTEGER,
    "last_error" TEXT,
    "next_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "delivered_at" TIMESTAMPTZ(3),

    CONSTRAINT "notification_deliveries_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "outbox" (
    "id" BIGSERIAL NOT NULL,
    "topic" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "outbox_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "slack_users" (
    "slack_user_id" TEXT NOT NULL,
    "user_name" TEXT NOT NULL,
    "groups" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "slack_users_pkey" PRIMARY KEY ("slack_user_id")
);

-- CreateTable
CREATE TABLE "slack_requests" (
    "signature" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "slack_requests_pkey" PRIMARY KEY ("signature")
);

-- CreateIndex
CREATE INDEX "approvals_state_id_idx" ON "approvals"("state", "id");

-- CreateIndex
CREATE INDEX "approvals_identity_id_digest_id_idx" ON "approvals"("identity_id", "digest", "id");

-- CreateIndex
CREATE INDEX "approvals_connection_id_id_idx" ON "approvals"("connection_id", "id");

-- CreateIndex
CREATE INDEX "approvals_consumed_by_idx" ON "approvals"("consumed_by");

-- CreateIndex
CREATE INDEX "deferred_calls_state_claimed_at_idx" ON "deferred_calls"("state", "claimed_at");

-- CreateIndex
CREATE INDEX "deferred_calls_approval_id_idx" ON "deferred_calls"("approval_id");

-- CreateIndex
CREATE INDEX "deferred_calls_expires_at_idx" ON "deferred_calls"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "notification_channels_name_key" ON "notification_channels"("name");

-- CreateIndex
CREATE INDEX "notification_deliveries_state_id_idx" ON "notification_deliveries"("state", "id");

-- CreateIndex
CREATE UNIQUE INDEX "notification_deliveries_channel_id_event_subject_id_key" ON "notification_deliveries"("channel_id", "event", "subject_id");

-- CreateIndex
CREATE INDEX "notification_deliveries_channel_id_id_idx" ON "notification_deliveries"("channel_id", "id");

-- CreateIndex
CREATE INDEX "slack_requests_at_idx" ON "slack_requests"("at");

-- CreateIndex
CREATE INDEX "calls_approval_id_idx" ON "calls"("approval_id");

-- AddForeignKey
ALTER TABLE "approval_reviews" ADD CONSTRAINT "approval_reviews_approval_id_fkey" FOREIGN KEY ("approval_id") REFERENCES "approvals"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "break_glass_reviews" ADD CONSTRAINT "break_glass_reviews_approval_id_fkey" FOREIGN KEY ("approval_id") REFERENCES "approvals"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notification_deliveries" ADD CONSTRAINT "notification_deliveries_channel_id_fkey" FOREIGN KEY ("channel_id") REFERENCES "notification_channels"("id") ON DELETE CASCADE ON UPDATE CASCADE;



-- Written by hand from here on.

ALTER TABLE "admin_tokens" DROP CONSTRAINT "admin_tokens_role";
ALTER TABLE "admin_tokens" ADD CONSTRAINT "admin_tokens_role" CHECK ("role" IN ('admin', 'operator', 'approver', 'auditor', 'break_glass'));
ALTER TABLE "approvals" ADD CONSTRAINT "approvals_state" CHECK ("state" IN ('pending', 'approved', 'denied', 'expired', 'withdrawn', 'voided', 'consumed'));
ALTER TABLE "approvals" ADD CONSTRAINT "approvals_consumed_by_one_call" CHECK (("state" = 'consumed') = ("consumed_by" IS NOT NULL));
ALTER TABLE "approval_reviews" ADD CONSTRAINT "approval_reviews_decision" CHECK ("decision" IN ('approve', 'deny'));
ALTER TABLE "deferred_calls" ADD CONSTRAINT "deferred_calls_state" CHECK ("state" IN ('waiting', 'ready', 'running', 'done', 'refused', 'unknown', 'expired', 'withdrawn'));
ALTER TABLE "notification_channels" ADD CONSTRAINT "notification_channels_kind" CHECK ("kind" IN ('webhook', 'slack'));
ALTER TABLE "notification_deliveries" ADD CONSTRAINT "notification_deliveries_state" CHECK ("state" IN ('pending', 'delivered', 'dead'));

-- Two functions that ask for the same thing at the same time wait for the same decision.
CREATE UNIQUE INDEX "approvals_one_pending" ON "approvals" ("identity_id", "digest") WHERE "state" = 'pending';
-- What may still be used or voided.
CREATE INDEX "approvals_open_idx" ON "approvals" ("connection_id", "identity_id") WHERE "state" IN ('pending', 'approved');
CREATE INDEX "approvals_expiry_idx" ON "approvals" ("expires_at") WHERE "state" = 'pending';
CREATE INDEX "approvals_unused_idx" ON "approvals" ("usable_until") WHERE "state" = 'approved';
CREATE INDEX "approvals_pending_reviewers_idx" ON "approvals" USING gin ("reviewers") WHERE "state" = 'pending';
CREATE INDEX "break_glass_reviews_open_idx" ON "break_glass_reviews" ("approval_id") WHERE "closed_at" IS NULL;
ALTER TABLE "approvals" ALTER COLUMN "shown" SET STORAGE EXTERNAL;
ALTER TABLE "deferred_calls" ALTER COLUMN "request" SET STORAGE EXTERNAL;
ALTER TABLE "deferred_calls" ALTER COLUMN "response" SET STORAGE EXTERNAL;

CREATE INDEX "notification_deliveries_due_idx" ON "notification_deliveries" ("next_at") WHERE "state" = 'pending';

CREATE TRIGGER "approval_reviews_immutable" BEFORE UPDATE ON "approval_reviews" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();

-- Wakes the worker when the transaction commits.
CREATE FUNCTION "tell_outbox"() RETURNS TRIGGER
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('hoop_outbox', '');
  RETURN NULL;
END $$;
CREATE TRIGGER "outbox_told" AFTER INSERT ON "outbox" FOR EACH STATEMENT EXECUTE FUNCTION "tell_outbox"();
