export { createAddressRules } from './address.ts';
export { dial } from './dial.ts';
export type { DialOptions } from './dial.ts';
export type { AddressRules } from './address.ts';
export type { Resolve, SocketFacts, TlsFacts } from './dialer.ts';
export { FetchRefused, createGuardedFetch } from './guarded-fetch.ts';
export type {
  FetchRefusalKind,
  GuardedFetch,
  GuardedFetchFactory,
  GuardedFetchOptions,
  GuardedRequest,
  GuardedResponse,
} from './guarded-fetch.ts';
export {
  flattenHeaders,
  forwardHeaders,
  headerKind,
  headerValue,
  isFieldValue,
  responseHeaders,
  returnHeaders,
  returnTrailers,
} from './header-rules.ts';
export { relocate } from './location.ts';
export type { WithheldLocation } from './location.ts';
export { encodedSlashRefused, normalisePath, parseQuery } from './path.ts';
export type { NormalisedPath } from './path.ts';
export { readRequest } from './read-request.ts';
export type { NormalisedRequest, RequestHead } from './read-request.ts';
export { toTargetError } from './target-error.ts';
export { checkEndpoint, parseTarget } from './target.ts';
export type { Target } from './target.ts';
export { Peer, createPeer } from './peer.ts';
export type { UpstreamDispatchOptions } from './peer.ts';
export { createUpstream } from './upstream.ts';
export type { Route, Upstream, UpstreamOptions } from './upstream.ts';
