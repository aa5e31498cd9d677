export { EmbeddedPostgresError } from './error.ts';
export { findPort, tryPort } from './ports.ts';
export { startPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from './start.ts';
