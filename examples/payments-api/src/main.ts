/** Settings from the environment; says where it listens; stops on SIGTERM. */
import { startPaymentsApi } from './payments.ts';

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; see the README.`);
  return value;
}

const api = await startPaymentsApi({
  host: '127.0.0.1',
  port: Number(setting('PAYMENTS_PORT')),
  clientId: setting('PAYMENTS_CLIENT_ID'),
  clientSecretDigest: setting('PAYMENTS_CLIENT_SECRET_DIGEST'),
});
process.stdout.write(`${JSON.stringify({ event: 'listening', url: api.url })}\n`);
process.send?.({ event: 'listening', url: api.url });
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void api.close().then(() => process.exit(0)));
