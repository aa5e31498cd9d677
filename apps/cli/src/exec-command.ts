/** `hoop exec`: runs a program whose calls go through Hoop, whatever it is written in. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

import { createDestinationGrants } from '@hoop/fetch/grants';
import type { Command } from 'commander';

import { clientEnvironment } from './agent/client-environment.ts';
import { findHoop } from './agent/find-hoop.ts';
import { byPassword, startHelper } from './agent/helper.ts';
import { byProcessTree } from './agent/process-tree.ts';
import { writeTrustFiles } from './agent/trust-files.ts';
import { addCommand, type CommandContext } from './command-line.ts';
import { StartError } from './start-error.ts';
import { sourceConditions } from './source-conditions.ts';

/** A token for a machine that a demonstration's identity provider knows; @throws StartError. */
export type DemoToken = (dataDir: string, machine: string) => Promise<string>;

/** The Hoop on a data folder, where none is named; @throws StartError. */
export type LocalHoop = (dataDir: string) => Promise<string>;

/** Adds `hoop exec`. @param local what a `hoop` without the server's parts lacks */
export function addExec(program: Command, context: CommandContext, local?: { readonly find: LocalHoop; readonly token: DemoToken }): void {
  const command = addCommand(program, 'exec', 'run a program whose calls go through Hoop', 'hoop exec needs a command after "--".')
    .usage('[options] -- COMMAND [ARGUMENT…]')
    .description(
      "Runs COMMAND with variables that send its HTTP calls through Hoop's proxy, by a helper on loopback that exchanges this machine's token (HOOP_TOKEN, HOOP_TOKEN_FILE, or what the platform gives) and keeps the grant fresh. Its exit code is COMMAND's.",
    )
    .argument('<command...>', 'the program and its arguments')
    .option('--url <url>', 'of the control plane (default HOOP_URL)')
    .option('--proxy-url <url>', "of the relay's proxy (default HOOP_PROXY_URL, else what the control plane says)")
    .option('--ca-file <file>', 'certificates of the proxy, PEM (default HOOP_CA_FILE, else those that the proxy gives)')
    .option('--connection <name>', 'the connection where several are for a destination')
    .option('--no-proxy <hosts>', 'hosts that are reached without Hoop, with commas (default NO_PROXY, else loopback)')
    .option('--trust-loopback', 'let programs under COMMAND use the helper without a password, as some Java clients send none (Linux)')
    // Options behind the program's name are the program's.
    .passThroughOptions();
  if (local !== undefined) {
    command
      .option('--data-dir <folder>', 'of a Hoop on this machine, where no URL is given', '.hoop')
      .option('--as <machine>', 'who the program is: a machine that the identity provider of the demonstration knows, e.g. my-function');
  }
  command.action(async ([name, ...rest]: [string, ...string[]], flags: ExecFlags) => {
    context.exitCode = await execute(name, rest, flags, context, local);
  });
}

interface ExecFlags {
  readonly url?: string;
  readonly proxyUrl?: string;
  readonly caFile?: string;
  readonly connection?: string;
  /** True where the option is absent, as Commander has it for names that begin with `no-`. */
  readonly proxy: boolean | string;
  readonly trustLoopback?: true;
  readonly dataDir?: string;
  readonly as?: string;
}

async function execute(
  program: string,
  args: readonly string[],
  flags: ExecFlags,
  { io: { env, say } }: CommandContext,
  local?: { readonly find: LocalHoop; readonly token: DemoToken },
): Promise<number> {
  if (flags.trustLoopback === true && process.platform !== 'linux')
    throw new StartError('--trust-loopback needs Linux, which tells whose a connection is.');
  const given = flags.url ?? env['HOOP_URL'];
  const url = given !== undefined && given !== '' ? given : await local?.find(flags.dataDir!);
  if (url === undefined) throw new StartError('Which Hoop? Set HOOP_URL to the URL of its control plane, or give --url.');
  const token = flags.as === undefined ? undefined : await local!.token(flags.dataDir!, flags.as);
  const hoop = await findHoop({
    url,
    proxyUrl: flags.proxyUrl ?? (env['HOOP_PROXY_URL'] || undefined),
    caFile: flags.caFile ?? (env['HOOP_CA_FILE'] || undefined),
  });

  const password = randomBytes(24).toString('base64url');
  const isAllowed = byPassword(password);
  const isBelow = byProcessTree(process.pid);
  const helper = await startHelper({
    grants: createDestinationGrants({ url: hoop.url, token: token === undefined ? undefined : () => token }),
    proxyUrl: hoop.proxyUrl,
    host: '127.0.0.1',
    port: 0,
    allows: async (request) => (await isAllowed(request)) || (flags.trustLoopback === true && (await isBelow(request))),
    say,
  });
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hoop-exec-'));
  try {
    const trust = await writeTrustFiles(folder, hoop.trusted);
    const nodeOptions = [env['NODE_OPTIONS'], ...sourceConditions].filter(Boolean).join(' ');
    return await run(program, args, {
      ...env,
      HOOP_URL: hoop.url,
      ...(token === undefined ? {} : { HOOP_TOKEN: token }),
      ...(nodeOptions === '' ? {} : { NODE_OPTIONS: nodeOptions }),
      ...clientEnvironment({
        host: '127.0.0.1',
        port: helper.port,
        connection: flags.connection ?? '',
        password: flags.trustLoopback === true ? '' : password,
        noProxy: directHosts(flags, env, [hoop.url, hoop.relayUrl]),
        trust,
        javaToolOptions: env['JAVA_TOOL_OPTIONS'],
      }),
    });
  } finally {
    await helper.close(0);
    await rm(folder, { recursive: true, force: true });
  }
}

/** What is Hoop's own is never asked for through itself. */
function directHosts({ proxy }: ExecFlags, env: NodeJS.ProcessEnv, own: readonly string[]): string[] {
  const given = typeof proxy === 'string' ? proxy : (env['NO_PROXY'] ?? env['no_proxy'] ?? 'localhost,127.0.0.1,::1');
  const hosts = given.split(',').map((host) => host.trim());
  if (typeof proxy !== 'string') hosts.push(...own.map((url) => new URL(url).hostname));
  return [...new Set(hosts)].filter((host) => host !== '');
}

/** Passed on as they come: what they mean is the program's affair. */
const passedSignals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** At a terminal the program gets Ctrl-C and a hang-up from the terminal itself, as it is in the same process group. */
const ofTerminal = new Set<NodeJS.Signals>(['SIGINT', 'SIGQUIT']);

async function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(program, args, { env, stdio: 'inherit' });
  const handlers = passedSignals.map((signal) => {
    const handler = (): void => {
      if (!(process.stdin.isTTY && ofTerminal.has(signal))) child.kill(signal);
    };
    process.on(signal, handler);
    return [signal, handler] as const;
  });
  try {
    const [code, signal] = (await once(child, 'exit').catch((error: NodeJS.ErrnoException) => {
      throw new StartError(`${program} could not be started: ${error.message}.`, { cause: error });
    })) as [number | null, NodeJS.Signals | null];
    // As shells have it.
    return signal === null ? (code ?? 1) : 128 + os.constants.signals[signal];
  } finally {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  }
}
