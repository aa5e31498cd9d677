export { boundHosts, normaliseHosts } from './bound-hosts.ts';
export {
  createDataKey,
  createDataKeyUnder,
  createWrappingKey,
  openBody,
  openDataKey,
  sealBody,
  sealBodyBytes,
  sealOverhead,
} from './body.ts';
export type { DataKey, WrappingKey } from './body.ts';
export { generateRecordingKeys, generateSealingKeys, isPrivateJwk, rotateKeys, toPublicJwks } from './keys.ts';
export type { GeneratedKeys, JwkSet } from './keys.ts';
export { openSecrets, resealSecrets, sealSecrets, sealedKeyId } from './seal.ts';
export type { SealBinding } from './seal.ts';
export { Secret } from './secret.ts';
