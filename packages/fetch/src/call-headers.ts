import { contextMaxBytes, hoopHeaderPrefix, hoopHeaders } from './constants.ts';
import { HoopConfigurationError } from './hoop-configuration-error.ts';

/** The caller's headers that never leave for the relay: credentials for the target, which Hoop brings itself, and its host. */
const withheld = ['authorization', 'proxy-authorization', 'host'];

/** JSON in ASCII, which a header can carry. */
function contextHeader(context: Readonly<Record<string, string>>): string {
  for (const [key, value] of Object.entries(context)) {
    if (typeof value !== 'string') throw new HoopConfigurationError(`hoop.context.${key} must be a string, not ${typeof value}`);
  }
  const json = JSON.stringify(context).replace(
    // oxlint-disable-next-line no-control-regex
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  if (json.length > contextMaxBytes)
    throw new HoopConfigurationError(`hoop.context is ${json.length} bytes as JSON; at most ${contextMaxBytes} are allowed`);
  return json;
}

/** Makes the headers that tell the relay about a call, apart from the grant. Throws a HoopConfigurationError. */
export function describeCall(session: string, context: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(session)) {
    throw new HoopConfigurationError(`hoop.session must be 1–64 of A-Z a-z 0-9 . _ -, not ${JSON.stringify(session)}`);
  }
  const described = { [hoopHeaders.session]: session };
  return Object.keys(context).length === 0 ? described : { ...described, [hoopHeaders.context]: contextHeader(context) };
}

/**
 * The headers of a request to the relay. Hoop's own are never taken from the caller's: a function that passes a stranger's
 * headers on must not let the stranger give the context.
 */
export function relayHeaders(own: Headers, grant: string, described: Readonly<Record<string, string>>): Headers {
  const headers = new Headers();
  for (const [name, value] of own) {
    if (!withheld.includes(name) && !name.startsWith(hoopHeaderPrefix)) headers.append(name, value);
  }
  headers.set(hoopHeaders.grant, grant);
  // Redirects are followed here, through Hoop again, so their URLs have to be the target's.
  headers.set(hoopHeaders.location, 'target');
  for (const [name, value] of Object.entries(described)) headers.set(name, value);
  return headers;
}
