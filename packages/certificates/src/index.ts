export { generateAuthority, readAuthority } from './authority.ts';
export type { Authority, NewAuthority } from './authority.ts';
export { canBeNamed, createLeafIssuer } from './leaf-issuer.ts';
export type { Leaf, LeafIssuer, LeafIssuerOptions } from './leaf-issuer.ts';
