/** `hoop agent`: the helper of `hoop exec` as a process of its own, beside a function or a host's functions. */
import { readFile } from 'node:fs/promises';

import { createDestinationGrants } from '@hoop/fetch/grants';
import type { Command } from 'commander';

import { clientEnvironment } from './agent/client-environment.ts';
import { findHoop } from './agent/find-hoop.ts';
import { byPassword, startHelper } from './agent/helper.ts';
import { writeTrustFiles } from './agent/trust-files.ts';
import { addCommand, type CommandContext } from './command-line.ts';
import { StartError } from './start-error.ts';

const drainMs = 25_000;

interface AgentFlags {
  readonly url?: string;
  readonly proxyUrl?: string;
  readonly caFile?: string;
  readonly host: string;
  readonly port: string;
  readonly passwordFile?: string;
  readonly withoutPassword?: true;
  readonly trustDir?: string;
}

/** Adds `hoop agent`. */
export function addAgent(program: Command, context: CommandContext): void {
  addCommand(program, 'agent', 'a proxy on loopback that keeps the grant of this machine fresh')
    .description(
      "Runs a proxy that gives what it is sent to Hoop's relay with the grant of this machine, until it is told to stop. Programs use it by HTTP_PROXY and HTTPS_PROXY. GET /-/healthz: it answers; GET /-/readyz: it has a grant.",
    )
    .option('--url <url>', 'of the control plane (default HOOP_URL)')
    .option('--proxy-url <url>', "of the relay's proxy (default HOOP_PROXY_URL, else what the control plane says)")
    .option('--ca-file <file>', 'certificates of the proxy, PEM (default HOOP_CA_FILE, else those that the proxy gives)')
    .option('--host <address>', 'to listen on', '127.0.0.1')
    .option('--port <n>', 'to listen on; 0 is any free one', '7712')
    .option('--password-file <file>', 'with the password that programs have to have in the URL of the proxy')
    .option('--without-password', 'whoever reaches the port is this machine: for a sidecar whose network nobody shares')
    .option('--trust-dir <folder>', 'where the certificates for clients are written: ca.pem, ca-bundle.pem, trust-store.p12')
    .action(async (flags: AgentFlags) => {
      context.exitCode = await runAgent(flags, context);
    });
}

async function runAgent(flags: AgentFlags, { io: { env, out, say, stop } }: CommandContext): Promise<number> {
  const url = flags.url ?? env['HOOP_URL'];
  if (url === undefined || url === '') throw new StartError('Which Hoop? Set HOOP_URL to the URL of its control plane, or give --url.');
  if (!/^[0-9]{1,5}$/.test(flags.port) || Number(flags.port) > 65_535)
    throw new StartError('--port must be a whole number from 0 to 65535.');
  const password = await readPassword(flags);
  const hoop = await findHoop({
    url,
    proxyUrl: flags.proxyUrl ?? (env['HOOP_PROXY_URL'] || undefined),
    caFile: flags.caFile ?? (env['HOOP_CA_FILE'] || undefined),
  });
  const trust = flags.trustDir === undefined ? undefined : await writeTrustFiles(flags.trustDir, hoop.trusted);
  const helper = await startHelper({
    grants: createDestinationGrants({ url: hoop.url }),
    proxyUrl: hoop.proxyUrl,
    host: flags.host,
    port: Number(flags.port),
    allows: password === null ? () => true : byPassword(password),
    say,
  }).catch((error: NodeJS.ErrnoException) => {
    throw new StartError(`Port ${flags.port} on ${flags.host} cannot be used (${error.code}): choose another with --port.`, {
      cause: error,
    });
  });
  out(`Listening on http://${flags.host}:${helper.port} for ${hoop.proxyUrl.origin}`);
  if (trust !== undefined) {
    const variables = clientEnvironment({
      host: flags.host,
      port: helper.port,
      connection: '',
      password: password === null ? '' : 'PASSWORD',
      noProxy: ['localhost', '127.0.0.1', '::1'],
      trust,
    });
    for (const [name, value] of Object.entries(variables)) out(`${name}=${value}`);
  }
  if (!stop.aborted) await new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve(), { once: true }));
  say('Stopping: what is under way may end.');
  await helper.close(drainMs);
  return 0;
}

/** Null: none is needed, as was said. */
async function readPassword({ passwordFile, withoutPassword }: AgentFlags): Promise<string | null> {
  if ((passwordFile === undefined) === (withoutPassword === undefined))
    throw new StartError('Say who may use the proxy: --password-file, or --without-password where nobody shares its network.');
  if (passwordFile === undefined) return null;
  const text = await readFile(passwordFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new StartError(`The password file ${passwordFile} cannot be read (${error.code}).`, { cause: error });
  });
  if (text.trim() === '') throw new StartError(`The password file ${passwordFile} is empty.`);
  return text.trim();
}
