import { hoopHeaders } from './constants.ts';
import { HoopUnreachableError } from './hoop-unreachable-error.ts';

/** Codes of Node's errors of networks, TLS and HTTP; other runtimes give none. */
const networkCode = /^(?:ECONN|ENOTF|EAI|EPIPE|EPROTO|ETIME|UND|HPE)|TLS|SSL|CERT/;
const noTls = /wrong version|packet length|contenttype|EPROTO/i;
const noHttp = /HPE_|http|parse|closed|hang up|reset/i;

/** An error and its causes, outermost first. */
function chain(error: unknown): Error[] {
  const errors: Error[] = [];
  for (let one = error; one instanceof Error && errors.length < 5; one = one.cause ?? (one as Partial<AggregateError>).errors?.[0])
    errors.push(one);
  return errors;
}

const codeOf = (error: Error): string => (error as { code?: string }).code ?? '';

/** Why nothing answered at a URL, and whether http and https were confused: a sentence to go after a colon. */
export function explainFailure(error: unknown, url: string): string {
  const errors = chain(error);
  const reason = errors.at(-1)?.message || String(error);
  const all = errors.map((one) => `${codeOf(one)} ${one.message}`).join(' ');
  const isTls = url.startsWith('https:');
  if (isTls && noTls.test(all)) return `${reason}. If it speaks HTTP, its URL must begin with http://.`;
  if (!isTls && noHttp.test(all)) return `${reason}. If it speaks TLS, its URL must begin with https://.`;
  return reason;
}

/**
 * The rejection of a call whose request to the relay failed. A failure of something else, such as a stream of the caller's,
 * is passed on.
 */
export function relayFailure(error: unknown, relayUrl: string, isStream: boolean): unknown {
  if (isStream && !chain(error).some((one) => networkCode.test(codeOf(one)))) return error;
  return unreachable(relayUrl, explainFailure(error, relayUrl), error);
}

const unreachable = (relayUrl: string, why: string, cause?: unknown): HoopUnreachableError =>
  new HoopUnreachableError(`Hoop's relay gave no answer at ${relayUrl}: ${why}`, { cause });

/**
 * A relay marks all that it says. What else answers 400 to plain HTTP is most likely a TLS server, which has not understood
 * the request. Throws a HoopUnreachableError.
 */
export function refuseTlsNotice(response: Response, relayUrl: string): void {
  if (response.status === 400 && !relayUrl.startsWith('https:') && !response.headers.has(hoopHeaders.call))
    throw unreachable(relayUrl, '400 of another server. If it speaks TLS, its URL must begin with https://.');
}
