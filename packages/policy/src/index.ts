export * from './compile-policy.ts';
export * from './decide.ts';
export * from './explain.ts';
export * from './facts.ts';
export * from './identity-conditions.ts';
export * from './inspected-body.ts';
export * from './lint.ts';
export * from './parse-policy.ts';
