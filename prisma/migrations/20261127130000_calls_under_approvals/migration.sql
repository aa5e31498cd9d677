-- Few calls go on under an approval, and the index had an entry for every other one too. By hand: Prisma knows no partial indexes.
DROP INDEX "calls_approval_id_idx";
CREATE INDEX "calls_approval_idx" ON "calls" ("approval_id") WHERE "approval_id" IS NOT NULL;
