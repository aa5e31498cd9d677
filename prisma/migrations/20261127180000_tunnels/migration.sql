-- AlterTable
ALTER TABLE "identities" ADD COLUMN     "unmanaged" JSONB;
