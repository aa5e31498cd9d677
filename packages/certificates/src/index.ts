export { generateAuthority, readAuthority } from './authority.ts';
export type { Authority, NewAuthority } from './authority.ts';
export { canBeNamed, createLeafIssuer } from './leaf-issuer.ts';
export type { Leaf, LeafIssuer, LeafIssuerOptions } from './leaf-issuer.ts';
export { followListenerTls, readListenerTls } from './listener-tls.ts';
export type { ListenerTlsFiles } from './listener-tls.ts';
