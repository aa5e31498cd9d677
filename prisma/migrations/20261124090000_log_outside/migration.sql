-- CreateTable
CREATE TABLE "log_witnesses" (
    "name" TEXT NOT NULL,
    "size" BIGINT NOT NULL DEFAULT 0,
    "at" TIMESTAMPTZ(3),
    "error" TEXT,
    CONSTRAINT "log_witnesses_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "legal_holds" (
    "id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "subject_id" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "placed_by" TEXT NOT NULL,
    "placed_at" TIMESTAMPTZ(3) NOT NULL,
    "lifted_by" TEXT,
    "lifted_at" TIMESTAMPTZ(3),
    CONSTRAINT "legal_holds_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "retention_settings" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "unattributed" TEXT NOT NULL DEFAULT '90d',
    "maximum" TEXT,
    "version" INTEGER NOT NULL DEFAULT 1,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "retention_settings_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "event_sinks" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "url" TEXT,
    "allowed_cidrs" TEXT[],
    "file" TEXT,
    "types" TEXT[],
    "max_batch" INTEGER NOT NULL DEFAULT 1,
    "sealed" TEXT NOT NULL,
    "paused" BOOLEAN NOT NULL DEFAULT false,
    "cursor" BIGINT NOT NULL,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "last_error" TEXT,
    "last_attempt_at" TIMESTAMPTZ(3),
    "last_delivered_at" TIMESTAMPTZ(3),
    "next_attempt_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    CONSTRAINT "event_sinks_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "record_check_state" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "after" TEXT NOT NULL DEFAULT '',
    "ended" TIMESTAMPTZ(3),
    CONSTRAINT "record_check_state_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "legal_holds_kind_subject_id_idx" ON "legal_holds"("kind", "subject_id");

-- CreateIndex
CREATE UNIQUE INDEX "event_sinks_name_key" ON "event_sinks"("name");

-- Written by hand from here on.

-- What a leaf can say of a call besides that it is concluded: that it was closed without an outcome, and that retention
-- removed its content.
ALTER TABLE "log_leaves" DROP CONSTRAINT "log_leaves_kind";
ALTER TABLE "log_leaves" ADD CONSTRAINT "log_leaves_kind" CHECK ("kind" IN ('audit_event', 'call', 'call_unknown', 'call_purge'));
CREATE TRIGGER "log_nodes_kept" BEFORE TRUNCATE ON "log_nodes" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "log_checkpoints_kept" BEFORE TRUNCATE ON "log_checkpoints" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

ALTER TABLE "legal_holds" ADD CONSTRAINT "legal_holds_kind" CHECK ("kind" IN ('session', 'connection', 'identity'));
-- One hold at a time on each thing: lifting it must free it.
CREATE UNIQUE INDEX "legal_holds_one_active" ON "legal_holds" ("kind", "subject_id") WHERE "lifted_at" IS NULL;
-- A hold is never taken out of the books.
CREATE FUNCTION "refuse_unholding"() RETURNS TRIGGER
LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD."lifted_at" IS NULL AND NEW."lifted_at" IS NOT NULL AND NEW."lifted_by" IS NOT NULL
     AND (NEW."id", NEW."kind", NEW."subject_id", NEW."reason", NEW."placed_by", NEW."placed_at")
       = (OLD."id", OLD."kind", OLD."subject_id", OLD."reason", OLD."placed_by", OLD."placed_at") THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a legal hold can only be lifted' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER "legal_holds_kept" BEFORE UPDATE OR DELETE ON "legal_holds" FOR EACH ROW EXECUTE FUNCTION "refuse_unholding"();

INSERT INTO "retention_settings" ("id") VALUES (1);
ALTER TABLE "retention_settings" ADD CONSTRAINT "retention_settings_one_row" CHECK ("id" = 1);
INSERT INTO "record_check_state" ("id") VALUES (1);
ALTER TABLE "record_check_state" ADD CONSTRAINT "record_check_state_one_row" CHECK ("id" = 1);
ALTER TABLE "record_check_state" ALTER COLUMN "after" TYPE TEXT COLLATE "C";

ALTER TABLE "event_sinks" ADD CONSTRAINT "event_sinks_kind" CHECK ("kind" = 'webhook' AND "url" IS NOT NULL OR "kind" = 'file' AND "file" IS NOT NULL);
-- Two sinks writing one file could interleave.
CREATE UNIQUE INDEX "event_sinks_one_a_file" ON "event_sinks" ("file") WHERE "kind" = 'file';
