/** Settings of the demonstration's own services that stay the same at every start. */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';

import { newSecret, writeOnce } from '../start/keys.ts';
import { preferPort } from '../start/ports.ts';

export const functionName = 'nightly-billing';
export const paymentsClientId = 'hoop';
const host = '127.0.0.1';

/** As examples/identity-provider reads them. */
interface IdentityProviderSettings {
  readonly host: string;
  readonly port: number;
  readonly machines: readonly { readonly clientId: string; readonly clientSecret: string; readonly claims: Record<string, string> }[];
  readonly jwks: { readonly keys: readonly Record<string, unknown>[] };
  readonly audiences: readonly [string];
}

export interface DemoSettings {
  /** File with the identity provider's settings. */
  readonly identityProviderFile: string;
  readonly identityProvider: IdentityProviderSettings;
  readonly payments: { readonly port: number; readonly clientSecretDigest: string };
}

const files = (folder: string): { identityProvider: string; payments: string } => ({
  identityProvider: path.join(folder, 'identity-provider.json'),
  payments: path.join(folder, 'payments-api.json'),
});

/** The settings of a demonstration that was set up; undefined where none was. */
export async function readDemoSettings(folder: string): Promise<DemoSettings | undefined> {
  const { identityProvider, payments } = files(folder);
  try {
    return {
      identityProviderFile: identityProvider,
      identityProvider: JSON.parse(await readFile(identityProvider, 'utf8')) as IdentityProviderSettings,
      payments: JSON.parse(await readFile(payments, 'utf8')) as DemoSettings['payments'],
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export interface MadeDemoSettings {
  readonly settings: DemoSettings;
  readonly paymentsClientSecret: string;
}

/** Removes settings with which nothing was set up. */
export async function forgetDemoSettings(folder: string): Promise<void> {
  await Promise.all(Object.values(files(folder)).map((file) => rm(file, { force: true })));
}

/**
 * New settings, and the secret of Hoop's account at the payments API. That secret is in no file: it goes to Hoop, which
 * seals it; the payments API keeps a digest.
 */
export async function makeDemoSettings(
  folder: string,
  controlPlaneUrl: string,
  ports: { readonly identityProvider: number; readonly payments: number } = { identityProvider: 7731, payments: 7732 },
): Promise<MadeDemoSettings> {
  const names = files(folder);
  const paymentsClientSecret = `pay_cs_${newSecret()}`;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const identityProvider: IdentityProviderSettings = {
    host,
    port: await preferPort(ports.identityProvider, host),
    machines: [
      { clientId: functionName, clientSecret: newSecret(), claims: { repository: 'acme/billing', ref: 'refs/heads/main' } },
      // For a first function of one's own: see the five-minute guide.
      { clientId: 'my-function', clientSecret: newSecret(), claims: { repository: 'acme/my-function', ref: 'refs/heads/main' } },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'demo-1', alg: 'ES256', use: 'sig' }] },
    audiences: [new URL(controlPlaneUrl).origin],
  };
  const payments = {
    port: await preferPort(ports.payments, host),
    clientSecretDigest: createHash('sha256').update(paymentsClientSecret).digest('hex'),
  };
  await writeOnce(names.identityProvider, JSON.stringify(identityProvider, null, 2));
  await writeOnce(names.payments, JSON.stringify(payments, null, 2));
  return { settings: { identityProviderFile: names.identityProvider, identityProvider, payments }, paymentsClientSecret };
}
