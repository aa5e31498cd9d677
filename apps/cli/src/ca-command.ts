/** `hoop ca`: what clients have to trust to go through the proxy. */
import type { Command } from 'commander';

import { findHoop } from './agent/find-hoop.ts';
import { writeTrustFiles } from './agent/trust-files.ts';
import { addCommand, type CommandContext } from './command-line.ts';
import { StartError } from './start-error.ts';

interface CaFlags {
  readonly url?: string;
  readonly proxyUrl?: string;
  readonly dir?: string;
  readonly dataDir?: string;
}

/** Adds `hoop ca`. @param local what a `hoop` without the server's parts lacks */
export function addCa(
  program: Command,
  { io: { env, out } }: CommandContext,
  local?: { readonly certificates: (dataDir: string) => Promise<string> },
): void {
  const command = addCommand(program, 'ca', 'the certificates that clients of the proxy trust')
    .description(
      "Prints the certificates of the proxy's authority, PEM. With --dir writes them, a bundle with the roots of this system (for what replaces the roots), and a trust store for Java.",
    )
    .option('--dir <folder>', 'write ca.pem, ca-bundle.pem and trust-store.p12 there')
    .option('--url <url>', 'of the control plane (default HOOP_URL)')
    .option('--proxy-url <url>', "of the relay's proxy (default HOOP_PROXY_URL, else what the control plane says)");
  if (local !== undefined) command.option('--data-dir <folder>', 'of a Hoop on this machine, where no URL is given', '.hoop');
  command.action(async ({ url = env['HOOP_URL'], proxyUrl = env['HOOP_PROXY_URL'] || undefined, dir, dataDir }: CaFlags) => {
    if ((url === undefined || url === '') && local === undefined)
      throw new StartError('Which Hoop? Set HOOP_URL to the URL of its control plane, or give --url.');
    const trusted = url === undefined || url === '' ? await local!.certificates(dataDir!) : (await findHoop({ url, proxyUrl })).trusted;
    if (dir === undefined) {
      out(trusted.trimEnd());
      return;
    }
    const files = await writeTrustFiles(dir, trusted);
    for (const file of Object.values(files)) out(file);
  });
}
