-- When a call used an approval up, and whether that call was found in the record (see lost-consumptions.ts).
ALTER TABLE "approvals" ADD COLUMN "consumed_at" TIMESTAMPTZ(3), ADD COLUMN "is_call_recorded" BOOLEAN NOT NULL DEFAULT false;
UPDATE "approvals" SET "consumed_at" = coalesce("decided_at", "requested_at") WHERE "state" = 'consumed';
CREATE INDEX "approvals_unrecorded_idx" ON "approvals" ("consumed_at") WHERE "state" = 'consumed' AND NOT "is_call_recorded";

-- Whoever has reviewed may still break the glass; otherwise a person reviews once.
ALTER TABLE "approval_reviews" DROP CONSTRAINT "approval_reviews_pkey", ADD CONSTRAINT "approval_reviews_pkey" PRIMARY KEY ("approval_id", "user_name", "via");
CREATE UNIQUE INDEX "approval_reviews_once" ON "approval_reviews" ("approval_id", "user_name") WHERE "via" <> 'break_glass';

-- How many calls of an identity are kept at a time.
CREATE INDEX "deferred_calls_open_idx" ON "deferred_calls" ("identity_id") WHERE "state" IN ('waiting', 'ready', 'running');
CREATE INDEX "deferred_calls_finished_idx" ON "deferred_calls" ("finished_at") WHERE "finished_at" IS NOT NULL;
