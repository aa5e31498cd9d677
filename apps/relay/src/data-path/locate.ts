/** Part of step 9: no URL in a response leads a client out of its connection with its grant in hand. */
import { AppError, headers as names } from '@hoop/contract';
import type { HeaderList } from '@hoop/contract';
import type { ResponseMasker } from '@hoop/masking';
import { headerValue, relocate } from '@hoop/upstream';
import type { WithheldLocation } from '@hoop/upstream';

import type { Call } from '../call/call.ts';

/**
 * The masked headers as the caller gets them. Callers that say so (the SDK does) bring what they follow to Hoop
 * themselves, and get the target's own URLs.
 * @throws AppError `location_withheld` where the answer is a redirect out of the connection
 */
export function locatedHeaders(call: Call, status: number, masker: ResponseMasker): HeaderList {
  const { headers } = masker;
  const request = call.request!;
  // On the proxy door what the client follows comes through the proxy as well.
  if (call.door !== null || headerValue(request.headers, names.location) === 'target') return headers;
  const { name, settings } = call.connection!.snapshot;
  const relocated = relocate(headers, {
    target: call.route!.target,
    connection: name,
    url: call.url,
    relayOrigin: relayOrigin(call),
    passesForeign: settings.foreignLocations === 'pass',
  });
  if (relocated === null) return headers;
  const withheld = relocated.withheld.map((one): [string, string] => [names.withheld, text(one)]);
  const redirect =
    status >= 300 && status < 400 && status !== 304 ? relocated.withheld.find(([header]) => header === 'location') : undefined;
  if (redirect !== undefined) {
    const [, location] = redirect;
    masker.abort();
    throw new AppError(
      'location_withheld',
      `The target answered ${status} and redirects to ${location}, which is not under the target of the connection "${name}": ` +
        'a client that followed it would send its grant there. Call that URL through a connection of its own, use the SDK, or set foreignLocations of this connection to "pass".',
      { extras: { targetStatus: status, location }, headers: { [names.withheld]: text(redirect) } },
    );
  }
  return [...relocated.headers, ...withheld];
}

const text = ([header, url]: WithheldLocation): string => `${header}=${JSON.stringify(url)}`;

const authority = /^[A-Za-z0-9.:[\]_-]+$/;

/** As the caller reached the relay. A proxy that terminates TLS says so; who makes that up changes only its own answer. */
function relayOrigin({ req, request }: Call): string {
  const { host, headers } = request!;
  if (!authority.test(host)) return '';
  const isEncrypted = 'encrypted' in req.socket || headerValue(headers, 'x-forwarded-proto') === 'https';
  return `${isEncrypted ? 'https' : 'http'}://${host}`;
}
