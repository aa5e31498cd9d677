export * from './checkpoint.ts';
export * from './proof.ts';
export * from './tree.ts';
