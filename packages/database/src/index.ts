export * from './approvals/index.ts';
export * from './database.ts';
export * from './listen.ts';
export * from './migrate.ts';
