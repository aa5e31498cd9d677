-- DropIndex
DROP INDEX "sessions_identity_id_id_idx";

-- CreateIndex
CREATE INDEX "sessions_started_at_id_idx" ON "sessions"("started_at", "id");

-- CreateIndex
CREATE INDEX "sessions_identity_id_started_at_id_idx" ON "sessions"("identity_id", "started_at", "id");
