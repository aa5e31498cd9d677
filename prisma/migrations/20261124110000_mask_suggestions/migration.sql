-- CreateTable
CREATE TABLE "mask_suggestions" (
    "id" TEXT NOT NULL,
    "connection_id" TEXT NOT NULL,
    "path" TEXT NOT NULL,
    "detector" TEXT NOT NULL,
    "count" INTEGER NOT NULL,
    "first_seen" TIMESTAMPTZ(3) NOT NULL,
    "last_seen" TIMESTAMPTZ(3) NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'open',
    "decided_by" TEXT,
    "decided_at" TIMESTAMPTZ(3),

    CONSTRAINT "mask_suggestions_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "mask_suggestions_connection_id_id_idx" ON "mask_suggestions"("connection_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "mask_suggestions_connection_id_path_detector_key" ON "mask_suggestions"("connection_id", "path", "detector");

-- AddForeignKey
ALTER TABLE "mask_suggestions" ADD CONSTRAINT "mask_suggestions_connection_id_fkey" FOREIGN KEY ("connection_id") REFERENCES "connections"("id") ON DELETE CASCADE ON UPDATE CASCADE;


-- Written by hand from here on.

ALTER TABLE "mask_suggestions" ADD CONSTRAINT "mask_suggestions_state" CHECK ("state" IN ('open', 'accepted', 'dismissed'));

-- Few calls, and whoever looks for them is in a hurry.
CREATE INDEX "calls_reflected_idx" ON "calls" ("id") WHERE "credential_reflected";
