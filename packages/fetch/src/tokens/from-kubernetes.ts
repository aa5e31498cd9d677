import { tokenFromFile } from './from-file.ts';
import type { TokenSource } from './token-source.ts';

/**
 * Where a projected service account token for Hoop is expected. Not the pod's own token at
 * `/var/run/secrets/kubernetes.io/serviceaccount/token`: that one opens the cluster's API and is nobody else's to see.
 */
export const kubernetesTokenPath = '/var/run/secrets/hoop/token';

/** A Kubernetes projected service account token (`serviceAccountToken` with `audience`). @default path "/var/run/secrets/hoop/token" */
export function tokenFromKubernetes(path: string = kubernetesTokenPath): TokenSource {
  return tokenFromFile(path);
}
