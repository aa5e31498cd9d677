/** Reads its settings, a JSON file, from the path in IDENTITY_PROVIDER_SETTINGS; says where it listens; stops on SIGTERM. */
import { readFile } from 'node:fs/promises';

import { startIdentityProvider, type IdentityProviderOptions } from './provider.ts';

const file = process.env['IDENTITY_PROVIDER_SETTINGS'];
if (file === undefined) throw new Error('IDENTITY_PROVIDER_SETTINGS must be the path of a JSON file; see the README.');
const provider = await startIdentityProvider(JSON.parse(await readFile(file, 'utf8')) as IdentityProviderOptions);
process.stdout.write(`${JSON.stringify({ event: 'listening', url: provider.issuer })}\n`);
process.send?.({ event: 'listening', url: provider.issuer });
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void provider.close().then(() => process.exit(0)));
