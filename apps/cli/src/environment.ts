/** The environment of this process: the one file of the CLI that reads it. */
import http from 'node:http';
import process from 'node:process';

/** All of it, as the commands get it. */
export const ownEnvironment = (): NodeJS.ProcessEnv => process.env;

const proxyNames = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'];

/**
 * Where Node takes proxies from the environment (NODE_USE_ENV_PROXY=1, --use-env-proxy), a call to one of Hoop's own parts
 * on loopback would go to the proxy. Loopback is spared from it, for this process and those that it starts.
 */
export function spareLoopbackFromProxies(): void {
  if (!proxyNames.some((name) => process.env[name])) return;
  const given = process.env['NO_PROXY'] ?? process.env['no_proxy'] ?? '';
  const spared = new Set([...given.split(','), 'localhost', '127.0.0.1', '::1', '[::1]'].map((host) => host.trim()));
  const value = [...spared].filter((host) => host !== '').join(',');
  process.env['NO_PROXY'] = value;
  process.env['no_proxy'] = value;
  const usesProxies =
    process.env['NODE_USE_ENV_PROXY'] === '1' || /--use-env-proxy/.test([process.env['NODE_OPTIONS'], ...process.execArgv].join(' '));
  if (usesProxies) http.setGlobalProxyFromEnv(process.env);
}

/** The part that any program needs and that is nobody's secret: what a process that the CLI starts inherits. */
export function childEnvironment(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of ['PATH', 'TMPDIR', 'LANG', 'TZ', 'NODE_EXTRA_CA_CERTS', 'SystemRoot']) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}
