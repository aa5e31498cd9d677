-- AlterTable
ALTER TABLE "log_pending" ADD COLUMN     "digest" BYTEA,
ADD COLUMN     "leaf_kind" TEXT;

-- By hand: a digest has 32 bytes, and comes with the kind of its leaf.
ALTER TABLE "log_pending" ADD CONSTRAINT "log_pending_digest" CHECK (
  "digest" IS NULL AND "leaf_kind" IS NULL OR octet_length("digest") = 32 AND "leaf_kind" IN ('call', 'call_unknown'));
