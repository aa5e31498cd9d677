export { createFetch, fetch } from './fetch.ts';
export type { ApprovalProgress, CollectOptions, HoopCallOptions, HoopFetch, HoopOptions, HoopRequestInit } from './options.ts';
export type { Problem } from './problem.ts';

export { HoopConfigurationError } from './hoop-configuration-error.ts';
export { HoopDeniedError } from './hoop-denied-error.ts';
export { HoopExchangeError } from './hoop-exchange-error.ts';
export { HoopRelayError } from './hoop-relay-error.ts';
export { HoopTargetError } from './hoop-target-error.ts';
export { HoopUnreachableError } from './hoop-unreachable-error.ts';
export { HoopTokenError } from './hoop-token-error.ts';

export { detectToken } from './tokens/detect.ts';
export { tokenFromEnvironment } from './tokens/from-environment.ts';
export { tokenFromFile } from './tokens/from-file.ts';
export { tokenFromGitHubActions } from './tokens/from-github-actions.ts';
export { tokenFromKubernetes } from './tokens/from-kubernetes.ts';
export type { TokenRequest, TokenSource } from './tokens/token-source.ts';
