/** The variables by which clients of many languages find the proxy and trust it. docs/proxy.md says which reads what. */
import type { TrustFiles } from './trust-files.ts';

export interface ClientEnvironmentInput {
  readonly host: string;
  readonly port: number;
  /** The connection that is chosen where several are for a destination; empty: none. */
  readonly connection: string;
  /** Empty: none is needed. */
  readonly password: string;
  /** Hosts that are reached without the proxy. */
  readonly noProxy: readonly string[];
  readonly trust: TrustFiles;
  /** What the program had in JAVA_TOOL_OPTIONS anyway. */
  readonly javaToolOptions?: string | undefined;
}

export function clientEnvironment(input: ClientEnvironmentInput): Record<string, string> {
  const { host, port, connection, password, trust } = input;
  const user = connection === '' ? 'hoop' : connection;
  const proxy = `http://${password === '' ? (connection === '' ? '' : `${connection}@`) : `${user}:${password}@`}${host}:${port}`;
  const noProxy = input.noProxy.join(',');
  return {
    HTTP_PROXY: proxy,
    http_proxy: proxy,
    HTTPS_PROXY: proxy,
    https_proxy: proxy,
    NO_PROXY: noProxy,
    no_proxy: noProxy,
    // Node's own fetch and http (24 and newer).
    NODE_USE_ENV_PROXY: '1',
    NODE_EXTRA_CA_CERTS: trust.authority,
    // OpenSSL, Go, httpx.
    SSL_CERT_FILE: trust.bundle,
    REQUESTS_CA_BUNDLE: trust.bundle,
    CURL_CA_BUNDLE: trust.bundle,
    GIT_SSL_CAINFO: trust.bundle,
    AWS_CA_BUNDLE: trust.bundle,
    PIP_CERT: trust.bundle,
    DENO_CERT: trust.authority,
    CARGO_HTTP_CAINFO: trust.bundle,
    GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: trust.bundle,
    JAVA_TOOL_OPTIONS: [input.javaToolOptions, ...javaOptions(input)].filter(Boolean).join(' '),
  };
}

/** Java reads no variables of proxies. Its list of hosts without one has `|` between them and `*` for a beginning. */
function javaOptions({ host, port, noProxy, trust }: ClientEnvironmentInput): string[] {
  const direct = noProxy.map((one) => (one.startsWith('.') ? `*${one}` : one)).join('|');
  return [
    `-Dhttp.proxyHost=${host}`,
    `-Dhttp.proxyPort=${port}`,
    `-Dhttps.proxyHost=${host}`,
    `-Dhttps.proxyPort=${port}`,
    `-Dhttp.nonProxyHosts=${direct}`,
    `-Djavax.net.ssl.trustStore=${trust.trustStore}`,
    '-Djavax.net.ssl.trustStoreType=PKCS12',
  ];
}
