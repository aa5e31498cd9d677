export { checkIntegrity, integrityStart, isIntegrityPosition } from './check-integrity.ts';
export { readIntegrityState, writeIntegrityState } from './state.ts';
