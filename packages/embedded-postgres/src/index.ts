export { EmbeddedPostgresError } from './error.ts';
export { startPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from './start.ts';
