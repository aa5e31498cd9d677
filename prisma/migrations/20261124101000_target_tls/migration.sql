-- AlterTable
ALTER TABLE "calls" ADD COLUMN     "target_tls" JSONB;
