-- CreateTable
CREATE TABLE "snapshot_state" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "revision" INTEGER NOT NULL DEFAULT 0,
    "keys_digest" TEXT,

    CONSTRAINT "snapshot_state_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "tombstones" (
    "id" TEXT NOT NULL,
    "revision" INTEGER NOT NULL,
    "removed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tombstones_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "identity_providers" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "issuer" TEXT NOT NULL,
    "disabled" BOOLEAN NOT NULL DEFAULT false,
    "settings" JSONB NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "revision" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "identity_providers_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "identities" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "provider_id" TEXT NOT NULL,
    "match" TEXT NOT NULL,
    "owner" TEXT NOT NULL,
    "labels" JSONB NOT NULL,
    "disabled" BOOLEAN NOT NULL DEFAULT false,
    "grants_not_before" INTEGER NOT NULL DEFAULT 0,
    "version" INTEGER NOT NULL DEFAULT 1,
    "revision" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "identities_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "connections" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "disabled" BOOLEAN NOT NULL DEFAULT false,
    "settings" JSONB NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "revision" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "connections_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "connection_identities" (
    "connection_id" TEXT NOT NULL,
    "identity_id" TEXT NOT NULL,

    CONSTRAINT "connection_identities_pkey" PRIMARY KEY ("connection_id","identity_id")
);

-- CreateTable
CREATE TABLE "credential_sources" (
    "id" TEXT NOT NULL,
    "connection_id" TEXT NOT NULL,
    "settings" JSONB NOT NULL,
    "sealed" TEXT NOT NULL,
    "sealed_hosts" TEXT[],
    "sealed_at" TIMESTAMPTZ(3) NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "credential_sources_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "policies" (
    "id" TEXT NOT NULL,
    "connection_id" TEXT,
    "connection_name" TEXT NOT NULL,
    "current_revision" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "policies_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "policy_revisions" (
    "policy_id" TEXT NOT NULL,
    "revision" INTEGER NOT NULL,
    "rules" JSONB NOT NULL,
    "mask" JSONB NOT NULL,
    "comment" TEXT,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "policy_revisions_pkey" PRIMARY KEY ("policy_id","revision")
);

-- CreateTable
CREATE TABLE "admin_tokens" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "user_name" TEXT,
    "groups" TEXT[],
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "admin_tokens_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_events" (
    "id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "actor_id" TEXT NOT NULL,
    "actor_name" TEXT NOT NULL,
    "actor_role" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "target_type" TEXT NOT NULL,
    "target_id" TEXT NOT NULL,
    "target_name" TEXT,
    "change" JSONB NOT NULL,
    "request_id" TEXT NOT NULL,
    "remote" TEXT NOT NULL,

    CONSTRAINT "audit_events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "security_events" (
    "id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "kind" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "detail" TEXT NOT NULL,
    "issuer" TEXT,
    "subject" TEXT,
    "claims" JSONB,
    "verified" BOOLEAN NOT NULL,
    "nearest" JSONB,
    "count" INTEGER NOT NULL DEFAULT 1,
    "remote" TEXT NOT NULL,
    "request_id" TEXT NOT NULL,

    CONSTRAINT "security_events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "idempotency_keys" (
    "actor_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "operation" TEXT NOT NULL,
    "request_digest" TEXT NOT NULL,
    "status" INTEGER NOT NULL,
    "headers" JSONB NOT NULL,
    "body" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("actor_id","key")
);

-- CreateTable
CREATE TABLE "revoked_grants" (
    "jti" TEXT NOT NULL,
    "identity_id" TEXT,
    "exp" INTEGER NOT NULL,
    "revision" INTEGER NOT NULL,
    "revoked_by" TEXT NOT NULL,
    "revoked_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "revoked_grants_pkey" PRIMARY KEY ("jti")
);

-- CreateTable
CREATE TABLE "sessions" (
    "id" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "last_call_at" TIMESTAMPTZ(3) NOT NULL,
    "identity_id" TEXT,
    "identity_name" TEXT,
    "issuer" TEXT,
    "subject" TEXT,
    "claims" JSONB,
    "call_count" INTEGER NOT NULL DEFAULT 0,
    "refused_count" INTEGER NOT NULL DEFAULT 0,
    "failed_count" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "calls" (
    "id" TEXT COLLATE "C" NOT NULL,
    "session_id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'pending',
    "has_head" BOOLEAN NOT NULL DEFAULT false,
    "relay_id" TEXT,
    "remote_address" TEXT,
    "identity_id" TEXT,
    "identity_name" TEXT,
    "issuer" TEXT,
    "subject" TEXT,
    "grant_id" TEXT,
    "claims" JSONB,
    "connection_id" TEXT,
    "connection_name" TEXT,
    "snapshot_revision" INTEGER,
    "decision" TEXT,
    "rule" TEXT,
    "reason" TEXT,
    "policy_id" TEXT,
    "policy_revision" INTEGER,
    "context" JSONB,
    "method" TEXT,
    "url" TEXT,
    "path" TEXT COLLATE "C",
    "request_headers" JSONB,
    "trace_id" TEXT,
    "concluded_at" TIMESTAMPTZ(3),
    "status" INTEGER,
    "target_status" INTEGER,
    "error" TEXT,
    "error_detail" TEXT,
    "response_headers" JSONB,
    "lease_fingerprint" TEXT,
    "target_address" TEXT,
    "masked_count" INTEGER,
    "credential_reflected" BOOLEAN,
    "timings" JSONB,
    "data_key_id" TEXT,
    "request_body" JSONB,
    "response_body" JSONB,

    CONSTRAINT "calls_pkey" PRIMARY KEY ("id")
) PARTITION BY RANGE ("id");

-- CreateTable
CREATE TABLE "call_bodies" (
    "call_id" TEXT COLLATE "C" NOT NULL,
    "side" TEXT NOT NULL,
    "sealed" BYTEA NOT NULL,

    CONSTRAINT "call_bodies_pkey" PRIMARY KEY ("call_id","side")
) PARTITION BY RANGE ("call_id");

-- CreateTable
CREATE TABLE "data_keys" (
    "id" TEXT NOT NULL,
    "session_id" TEXT NOT NULL,
    "wrapped" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "data_keys_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "tombstones_revision_idx" ON "tombstones"("revision");

-- CreateIndex
CREATE UNIQUE INDEX "identity_providers_name_key" ON "identity_providers"("name");

-- CreateIndex
CREATE UNIQUE INDEX "identity_providers_issuer_key" ON "identity_providers"("issuer");

-- CreateIndex
CREATE INDEX "identity_providers_revision_idx" ON "identity_providers"("revision");

-- CreateIndex
CREATE UNIQUE INDEX "identities_name_key" ON "identities"("name");

-- CreateIndex
CREATE INDEX "identities_provider_id_idx" ON "identities"("provider_id");

-- CreateIndex
CREATE INDEX "identities_revision_idx" ON "identities"("revision");

-- CreateIndex
CREATE UNIQUE INDEX "connections_name_key" ON "connections"("name");

-- CreateIndex
CREATE INDEX "connections_revision_idx" ON "connections"("revision");

-- CreateIndex
CREATE INDEX "connection_identities_identity_id_idx" ON "connection_identities"("identity_id");

-- CreateIndex
CREATE UNIQUE INDEX "credential_sources_connection_id_key" ON "credential_sources"("connection_id");

-- CreateIndex
CREATE UNIQUE INDEX "policies_connection_id_key" ON "policies"("connection_id");

-- CreateIndex
CREATE UNIQUE INDEX "admin_tokens_hash_key" ON "admin_tokens"("hash");

-- CreateIndex
CREATE INDEX "audit_events_target_id_id_idx" ON "audit_events"("target_id", "id");

-- CreateIndex
CREATE INDEX "audit_events_actor_id_id_idx" ON "audit_events"("actor_id", "id");

-- CreateIndex
CREATE INDEX "audit_events_action_id_idx" ON "audit_events"("action", "id");

-- CreateIndex
CREATE INDEX "audit_events_at_idx" ON "audit_events"("at");

-- CreateIndex
CREATE INDEX "security_events_code_id_idx" ON "security_events"("code", "id");

-- CreateIndex
CREATE INDEX "security_events_issuer_id_idx" ON "security_events"("issuer", "id");

-- CreateIndex
CREATE INDEX "security_events_at_idx" ON "security_events"("at");

-- CreateIndex
CREATE INDEX "idempotency_keys_expires_at_idx" ON "idempotency_keys"("expires_at");

-- CreateIndex
CREATE INDEX "revoked_grants_revision_idx" ON "revoked_grants"("revision");

-- CreateIndex
CREATE INDEX "revoked_grants_exp_idx" ON "revoked_grants"("exp");

-- CreateIndex
CREATE INDEX "sessions_identity_id_id_idx" ON "sessions"("identity_id", "id");

-- CreateIndex
CREATE INDEX "calls_session_id_id_idx" ON "calls"("session_id", "id");

-- CreateIndex
CREATE INDEX "calls_identity_id_id_idx" ON "calls"("identity_id", "id");

-- CreateIndex
CREATE INDEX "calls_connection_id_id_idx" ON "calls"("connection_id", "id");

-- CreateIndex
CREATE INDEX "calls_rule_id_idx" ON "calls"("rule", "id");

-- CreateIndex
CREATE INDEX "calls_path_id_idx" ON "calls"("path", "id");

-- CreateIndex
CREATE INDEX "data_keys_session_id_idx" ON "data_keys"("session_id");

-- AddForeignKey
ALTER TABLE "identities" ADD CONSTRAINT "identities_provider_id_fkey" FOREIGN KEY ("provider_id") REFERENCES "identity_providers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "connection_identities" ADD CONSTRAINT "connection_identities_connection_id_fkey" FOREIGN KEY ("connection_id") REFERENCES "connections"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "connection_identities" ADD CONSTRAINT "connection_identities_identity_id_fkey" FOREIGN KEY ("identity_id") REFERENCES "identities"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "credential_sources" ADD CONSTRAINT "credential_sources_connection_id_fkey" FOREIGN KEY ("connection_id") REFERENCES "connections"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "policies" ADD CONSTRAINT "policies_connection_id_fkey" FOREIGN KEY ("connection_id") REFERENCES "connections"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "policy_revisions" ADD CONSTRAINT "policy_revisions_policy_id_fkey" FOREIGN KEY ("policy_id") REFERENCES "policies"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Written by hand from here on.

INSERT INTO "snapshot_state" ("id", "revision") VALUES (1, 0);
ALTER TABLE "snapshot_state" ADD CONSTRAINT "snapshot_state_one_row" CHECK ("id" = 1);
ALTER TABLE "admin_tokens" ADD CONSTRAINT "admin_tokens_role" CHECK ("role" IN ('admin', 'operator', 'approver', 'auditor'));
ALTER TABLE "calls" ADD CONSTRAINT "calls_state" CHECK ("state" IN ('pending', 'completed', 'failed', 'aborted', 'refused', 'unknown'));
ALTER TABLE "call_bodies" ADD CONSTRAINT "call_bodies_side" CHECK ("side" IN ('request', 'response'));
-- Sealed bodies do not compress.
ALTER TABLE "call_bodies" ALTER COLUMN "sealed" SET STORAGE EXTERNAL;

-- What investigators look for is rare. What is common is found by walking the primary key backwards.
CREATE INDEX "calls_method_rare_idx" ON "calls" ("method", "id") WHERE "method" NOT IN ('GET', 'POST');
CREATE INDEX "calls_decision_rare_idx" ON "calls" ("decision", "id") WHERE "decision" <> 'allow';
CREATE INDEX "calls_status_rare_idx" ON "calls" ("status", "id") WHERE "status" >= 300;
CREATE INDEX "calls_error_idx" ON "calls" ("error", "id") WHERE "error" IS NOT NULL;
CREATE INDEX "calls_state_rare_idx" ON "calls" ("state", "id") WHERE "state" <> 'completed';
CREATE INDEX "calls_trace_idx" ON "calls" ("trace_id", "id") WHERE "trace_id" IS NOT NULL;

-- The smallest id of a noun at an instant: prefix, '_', ten characters of Crockford base32 of the milliseconds.
CREATE FUNCTION "id_floor"(prefix TEXT, instant TIMESTAMPTZ) RETURNS TEXT
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  rest BIGINT := floor(extract(epoch FROM instant) * 1000);
  result TEXT := '';
BEGIN
  FOR i IN 1..10 LOOP
    result := substr('0123456789abcdefghjkmnpqrstvwxyz', (rest % 32)::INT + 1, 1) || result;
    rest := rest / 32;
  END LOOP;
  RETURN prefix || '_' || result;
END $$;

-- Makes the monthly partitions (UTC) of the records from the month of `first_day` on. Safe to call at any time and
-- from several processes. A month of which the default partition already holds rows keeps using it.
CREATE FUNCTION "ensure_record_partitions"(first_day DATE DEFAULT (now() AT TIME ZONE 'UTC')::DATE, months INT DEFAULT 3) RETURNS VOID
LANGUAGE plpgsql AS $$
DECLARE
  parent TEXT;
  part TEXT;
  month_start TIMESTAMP;
BEGIN
  PERFORM pg_advisory_xact_lock(72707370);
  FOR i IN 0..months - 1 LOOP
    month_start := date_trunc('month', first_day::TIMESTAMP) + make_interval(months => i);
    FOREACH parent IN ARRAY ARRAY['calls', 'call_bodies'] LOOP
      part := parent || to_char(month_start, '"_"YYYY_MM');
      IF to_regclass(quote_ident(part)) IS NULL THEN
        BEGIN
          EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', part, parent,
            id_floor('call', month_start AT TIME ZONE 'UTC'),
            id_floor('call', (month_start + INTERVAL '1 month') AT TIME ZONE 'UTC'));
        EXCEPTION WHEN check_violation THEN
          RAISE WARNING 'the default partition of % already holds rows of %', parent, part;
        END;
      END IF;
    END LOOP;
  END LOOP;
END $$;

CREATE TABLE "calls_default" PARTITION OF "calls" DEFAULT;
CREATE TABLE "call_bodies_default" PARTITION OF "call_bodies" DEFAULT;
SELECT "ensure_record_partitions"();

CREATE FUNCTION "refuse_change"() RETURNS TRIGGER
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are immutable', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER "audit_events_immutable" BEFORE UPDATE OR DELETE ON "audit_events" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "audit_events_kept" BEFORE TRUNCATE ON "audit_events" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "policy_revisions_immutable" BEFORE UPDATE OR DELETE ON "policy_revisions" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "policy_revisions_kept" BEFORE TRUNCATE ON "policy_revisions" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
