/** The token that the demonstration's platform gives a machine: who it is, signed by the company's identity provider. */
import { StartError } from '../start-error.ts';
import type { DemoSettings } from './settings.ts';

/** RFC 6749 §4.4. @throws StartError */
export async function platformToken({ identityProvider }: DemoSettings, machine: string): Promise<string> {
  const { host, port, machines } = identityProvider;
  const issuer = `http://${host}:${port}`;
  const client = machines.find(({ clientId }) => clientId === machine);
  if (client === undefined) {
    throw new StartError(
      `The demonstration's identity provider knows no ${machine}; it knows ${machines.map(({ clientId }) => clientId).join(', ')}.`,
    );
  }
  let token: string | undefined;
  try {
    const response = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${client.clientId}:${client.clientSecret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'machine' }),
      signal: AbortSignal.timeout(10_000),
    });
    ({ access_token: token } = (await response.json()) as { access_token?: string });
  } catch (error) {
    throw new StartError(`The demonstration's identity provider at ${issuer} does not answer: is Hoop running?`, { cause: error });
  }
  if (token === undefined) throw new StartError(`The demonstration's identity provider at ${issuer} gave no token.`);
  return token;
}
