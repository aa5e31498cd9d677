/** `hoop token`: a grant, for what takes a header and nothing else. */
import { createDestinationGrants } from '@hoop/fetch/grants';
import type { Command } from 'commander';

import { addCommand, type CommandContext } from './command-line.ts';
import { StartError } from './start-error.ts';

/** Adds `hoop token`. */
export function addToken(program: Command, { io: { env, out } }: CommandContext): void {
  addCommand(program, 'token', "exchange this machine's token for a grant, and print it")
    .description(
      'Prints a grant, which lives for minutes: curl -H "authorization: Bearer $(hoop token)" RELAY/CONNECTION/path. The machine\'s token is HOOP_TOKEN, in HOOP_TOKEN_FILE, or what the platform gives.',
    )
    .option('--url <url>', 'of the control plane (default HOOP_URL)')
    .action(async ({ url = env['HOOP_URL'] }: { readonly url?: string }) => {
      if (url === undefined || url === '') throw new StartError('Which Hoop? Set HOOP_URL to the URL of its control plane, or give --url.');
      try {
        const grants = createDestinationGrants({ url });
        out((await grants.at('', '')).grant.token);
      } catch (error) {
        throw new StartError((error as Error).message, { cause: error });
      }
    });
}
