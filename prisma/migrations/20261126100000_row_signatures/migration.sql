-- AlterTable
ALTER TABLE "identity_providers" ADD COLUMN "signature" TEXT;
ALTER TABLE "identities" ADD COLUMN "signature" TEXT;
ALTER TABLE "connections" ADD COLUMN "signature" TEXT;
ALTER TABLE "credential_sources" ADD COLUMN "signature" TEXT;
ALTER TABLE "policy_revisions" ADD COLUMN "signature" TEXT;
ALTER TABLE "grants" ADD COLUMN "signature" TEXT;
ALTER TABLE "revoked_grants" ADD COLUMN "signature" TEXT;
ALTER TABLE "admin_tokens" ADD COLUMN "signature" TEXT;
ALTER TABLE "audit_events" ADD COLUMN "signature" TEXT,
ADD COLUMN "rows" JSONB NOT NULL DEFAULT '[]';
ALTER TABLE "approvals" ADD COLUMN "signature" TEXT;
ALTER TABLE "approval_reviews" ADD COLUMN "signature" TEXT;
ALTER TABLE "break_glass_reviews" ADD COLUMN "signature" TEXT;
ALTER TABLE "deferred_calls" ADD COLUMN "signature" TEXT;
ALTER TABLE "notification_channels" ADD COLUMN "signature" TEXT;
ALTER TABLE "slack_users" ADD COLUMN "signature" TEXT;
ALTER TABLE "legal_holds" ADD COLUMN "signature" TEXT;
ALTER TABLE "retention_settings" ADD COLUMN "signature" TEXT;
ALTER TABLE "event_sinks" ADD COLUMN "signature" TEXT;
ALTER TABLE "idempotency_keys" ADD COLUMN "signature" TEXT;
ALTER TABLE "record_check_state" ADD COLUMN "integrity_after" TEXT NOT NULL DEFAULT '',
ADD COLUMN "integrity_ended" TIMESTAMPTZ(3);


-- Written by hand from here on.

-- Rows of before this migration have no signature, and are not used until somebody who has the control plane's key signs
-- them (`hoop rows sign`).

-- What a row last was, according to the audit trail.
CREATE INDEX "audit_events_rows_idx" ON "audit_events" USING GIN ("rows" jsonb_path_ops);

-- A signature says who wrote a row; to sign one anew changes nothing of what it says.
CREATE OR REPLACE FUNCTION "refuse_change"() RETURNS TRIGGER
LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - 'signature' = to_jsonb(NEW) - 'signature' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'rows of % are immutable', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE OR REPLACE FUNCTION "refuse_unholding"() RETURNS TRIGGER
LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD."signature" IS DISTINCT FROM NEW."signature" AND to_jsonb(OLD) - 'signature' = to_jsonb(NEW) - 'signature' THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' AND OLD."lifted_at" IS NULL AND NEW."lifted_at" IS NOT NULL AND NEW."lifted_by" IS NOT NULL
     AND (NEW."id", NEW."kind", NEW."subject_id", NEW."reason", NEW."placed_by", NEW."placed_at")
       = (OLD."id", OLD."kind", OLD."subject_id", OLD."reason", OLD."placed_by", OLD."placed_at") THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a legal hold can only be lifted' USING ERRCODE = 'restrict_violation';
END $$;
