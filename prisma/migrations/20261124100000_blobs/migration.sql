-- AlterTable
ALTER TABLE "call_bodies" ALTER COLUMN "sealed" DROP NOT NULL,
ADD COLUMN     "blob" TEXT COLLATE "C",
ADD COLUMN     "hash" BYTEA;

-- CreateTable
CREATE TABLE "blob_deletions" (
    "key" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "blob_deletions_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "blob_check_state" (
    "id" INTEGER NOT NULL,
    "after_key" TEXT,

    CONSTRAINT "blob_check_state_pkey" PRIMARY KEY ("id")
);

-- Written by hand from here on.

-- A body lies in its row, or in the blob store under this key and with this SHA-256.
ALTER TABLE "call_bodies" ADD CONSTRAINT "call_bodies_place" CHECK (
  ("sealed" IS NOT NULL) <> ("blob" IS NOT NULL) AND ("blob" IS NULL) = ("hash" IS NULL)
);

-- Whatever deletes a row: its blob goes after the commit.
CREATE FUNCTION "note_blob_deletion"() RETURNS TRIGGER
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "blob_deletions" ("key") VALUES (OLD."blob") ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

CREATE TRIGGER "call_bodies_blob" AFTER DELETE ON "call_bodies" FOR EACH ROW WHEN (OLD."blob" IS NOT NULL)
EXECUTE FUNCTION "note_blob_deletion"();
