import process from 'node:process';
import { defineConfig } from 'prisma/config';

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  // Only commands that talk to a database need it; `generate` runs without.
  datasource: { url: process.env['DATABASE_URL'] ?? '' },
});
