-- AlterTable
ALTER TABLE "calls" ADD COLUMN     "previous" TEXT,
ADD COLUMN     "purged_at" TIMESTAMPTZ(3),
ADD COLUMN     "recorded_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN     "repeats" INTEGER;

-- CreateTable
CREATE TABLE "retention_state" (
    "connection_id" TEXT NOT NULL,
    "purged_below" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "retention_state_pkey" PRIMARY KEY ("connection_id")
);

-- Written by hand from here on.

-- A path may be longer than what fits into an index (2704 bytes): one such call would otherwise fail its whole batch.
DROP INDEX "calls_path_id_idx";
CREATE INDEX "calls_path_start_idx" ON "calls" (left("path", 200), "id");

-- Orphans are looked for by when they were written, not by when they began: a backlog in the queue makes none.
CREATE INDEX "calls_pending_idx" ON "calls" ("recorded_at") WHERE "state" = 'pending';
