export * from './checkpoint.ts';
export * from './compact-range.ts';
export * from './proof.ts';
export * from './tree.ts';
