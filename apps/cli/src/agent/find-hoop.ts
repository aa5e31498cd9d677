/** Where a remote Hoop is: its control plane as it was given, and from it the proxy and the certificates to trust. */
import { readFile } from 'node:fs/promises';

import { StartError } from '../start-error.ts';

export interface FoundHoop {
  /** The control plane, without a trailing slash. */
  readonly url: string;
  readonly relayUrl: string;
  /** The relay's forward proxy. */
  readonly proxyUrl: URL;
  /** The certificates of the proxy's authority, PEM. */
  readonly trusted: string;
}

export interface FindHoopInput {
  readonly url: string;
  /** @default what the control plane says */
  readonly proxyUrl?: string | undefined;
  /** A file with the certificates. @default they are asked for at the proxy */
  readonly caFile?: string | undefined;
}

const answerWithinMs = 15_000;

/** @throws StartError with what to do */
export async function findHoop(input: FindHoopInput): Promise<FoundHoop> {
  const url = input.url.replace(/\/+$/, '');
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) throw new StartError(`${url} is not an http or https URL.`);
  const metadata = (await ask(`${url}/.well-known/oauth-authorization-server`, 'The control plane', 'is HOOP_URL right?').then((response) =>
    response.json(),
  )) as Record<string, unknown>;
  const relayUrl = metadata['hoop_relay_url'];
  if (typeof relayUrl !== 'string') throw new StartError(`${url} does not answer like Hoop's control plane: is HOOP_URL right?`);
  const told = input.proxyUrl ?? metadata['hoop_proxy_url'];
  if (typeof told !== 'string')
    throw new StartError('The control plane names no proxy: set HOOP_PROXY_URL to that of the relay, e.g. http://relay.internal:7711.');
  const proxyUrl = URL.parse(told);
  if (proxyUrl === null || !/^https?:$/.test(proxyUrl.protocol))
    throw new StartError(`${told} is not the URL of a proxy: http://relay.internal:7711.`);
  if (input.proxyUrl === undefined && url.startsWith('https:') && proxyUrl.protocol !== 'https:' && !isLoopback(proxyUrl))
    throw new StartError(
      `${url} names a proxy without TLS (${told}), and a grant is not sent in the clear: set HOOP_PROXY_URL if that is meant.`,
    );
  const trusted = input.caFile === undefined ? await askForCertificates(proxyUrl) : await readCertificates(input.caFile);
  return { url, relayUrl, proxyUrl, trusted };
}

const isLoopback = ({ hostname }: URL): boolean => hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');

async function ask(url: string, who: string, hint: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(answerWithinMs) });
  } catch (error) {
    const { cause, message } = error as Error;
    throw new StartError(
      `${who} at ${new URL(url).origin} does not answer (${cause instanceof Error ? cause.message : message}): ${hint}`,
      {
        cause: error,
      },
    );
  }
  if (!response.ok) throw new StartError(`${who} at ${new URL(url).origin} answered ${response.status}: ${hint}`);
  return response;
}

async function askForCertificates(proxyUrl: URL): Promise<string> {
  return (await ask(new URL('/-/ca.pem', proxyUrl).href, 'The proxy', 'is its URL right, and may this machine reach it?')).text();
}

async function readCertificates(file: string): Promise<string> {
  const pem = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new StartError(`The certificates ${file} cannot be read (${error.code}).`, { cause: error });
  });
  if (!pem.includes('BEGIN CERTIFICATE')) throw new StartError(`${file} has no certificate (PEM) in it.`);
  return pem;
}
