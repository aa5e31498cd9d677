-- CreateTable
CREATE TABLE "log_pending" (
    "id" BIGSERIAL NOT NULL,
    "kind" TEXT NOT NULL,
    "ref_id" TEXT NOT NULL,

    CONSTRAINT "log_pending_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "log_state" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "size" BIGINT NOT NULL DEFAULT 0,
    "root" BYTEA NOT NULL,

    CONSTRAINT "log_state_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "log_leaves" (
    "index" BIGINT NOT NULL,
    "kind" TEXT NOT NULL,
    "ref_id" TEXT NOT NULL,
    "digest" BYTEA NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "log_leaves_pkey" PRIMARY KEY ("index")
);

-- CreateTable
CREATE TABLE "log_nodes" (
    "level" SMALLINT NOT NULL,
    "index" BIGINT NOT NULL,
    "hash" BYTEA NOT NULL,

    CONSTRAINT "log_nodes_pkey" PRIMARY KEY ("level","index")
);

-- CreateTable
CREATE TABLE "log_checkpoints" (
    "size" BIGINT NOT NULL,
    "note" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "log_checkpoints_pkey" PRIMARY KEY ("size")
);

-- CreateIndex
CREATE INDEX "log_leaves_ref_id_idx" ON "log_leaves"("ref_id");



-- Written by hand from here on.

-- The root of the empty tree: SHA-256("").
INSERT INTO "log_state" ("id", "size", "root") VALUES (1, 0, sha256(''));
ALTER TABLE "log_state" ADD CONSTRAINT "log_state_one_row" CHECK ("id" = 1);
ALTER TABLE "log_pending" ADD CONSTRAINT "log_pending_kind" CHECK ("kind" IN ('audit_event', 'call'));
ALTER TABLE "log_leaves" ADD CONSTRAINT "log_leaves_kind" CHECK ("kind" IN ('audit_event', 'call'));
ALTER TABLE "log_leaves" ADD CONSTRAINT "log_leaves_digest" CHECK (length("digest") = 32);

CREATE TRIGGER "log_leaves_immutable" BEFORE UPDATE OR DELETE ON "log_leaves" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "log_leaves_kept" BEFORE TRUNCATE ON "log_leaves" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "log_nodes_immutable" BEFORE UPDATE OR DELETE ON "log_nodes" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "log_checkpoints_immutable" BEFORE UPDATE OR DELETE ON "log_checkpoints" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();

-- Whoever writes an audit event cannot forget the log.
CREATE FUNCTION "log_audit_event"() RETURNS TRIGGER
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "log_pending" ("kind", "ref_id") VALUES ('audit_event', NEW."id");
  RETURN NULL;
END $$;
CREATE TRIGGER "audit_events_logged" AFTER INSERT ON "audit_events" FOR EACH ROW EXECUTE FUNCTION "log_audit_event"();
INSERT INTO "log_pending" ("kind", "ref_id") SELECT 'audit_event', "id" FROM "audit_events" ORDER BY "id";
