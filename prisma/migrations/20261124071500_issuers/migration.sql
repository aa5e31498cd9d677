-- DropIndex
DROP INDEX "identity_providers_issuer_key";

-- CreateIndex
CREATE INDEX "identity_providers_issuer_idx" ON "identity_providers"("issuer");
