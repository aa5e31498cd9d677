/** The demonstration's company: its identity provider and the payments API that it uses, each a process of its own. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { supervise, type SupervisedChild } from '../start/supervisor.ts';
import { paymentsClientId, type DemoSettings } from './settings.ts';

export interface DemoServices {
  readonly issuer: string;
  readonly paymentsUrl: string;
  stop(): Promise<void>;
  kill(): void;
}

export const exampleMain = (name: string): string => fileURLToPath(new URL(`../../../../examples/${name}/src/main.ts`, import.meta.url));

export async function startDemoServices(settings: DemoSettings, logs: string, say: (sentence: string) => void): Promise<DemoServices> {
  const children: SupervisedChild[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.stop()));
  };
  const start = async (name: string, env: Record<string, string>): Promise<SupervisedChild> => {
    const logFile = path.join(logs, `demo-${name}.log`);
    const child = await supervise(
      { name: `demonstration's ${name}`, main: exampleMain(name), env: () => env, logFile, stopWithinMs: 5000 },
      say,
    );
    children.push(child);
    return child;
  };
  try {
    const provider = await start('identity-provider', { IDENTITY_PROVIDER_SETTINGS: settings.identityProviderFile });
    const payments = await start('payments-api', {
      PAYMENTS_PORT: String(settings.payments.port),
      PAYMENTS_CLIENT_ID: paymentsClientId,
      PAYMENTS_CLIENT_SECRET_DIGEST: settings.payments.clientSecretDigest,
    });
    return {
      issuer: provider.url,
      paymentsUrl: payments.url,
      stop,
      kill: () => {
        for (const child of children) child.kill();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
