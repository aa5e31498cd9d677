/** The request's headers as they are sent: the one list that an approver is shown, the digest covers, and the target gets. */
import type { HeaderList } from '@hoop/contract';
import { replacesHeader } from '@hoop/credentials';
import { materialHeaders } from '@hoop/recording';
import { forwardHeaders } from '@hoop/upstream';

import type { Call } from '../call/call.ts';
import { withoutOwnPreferences } from '../call/preferences.ts';

const ownUserAgent: [string, string] = ['user-agent', 'hoop'];

/**
 * Without the credential, which is injected afterwards.
 * @param isApproved under an approval nothing is sent that the digest leaves out (`date`, `traceparent` and their like);
 * as some targets insist on a user agent, they get the relay's own
 * @throws AppError `ambiguous_request` where a value could end its line
 */
export function sentHeaders(call: Call, isApproved: boolean): HeaderList {
  const { settings, credential } = call.connection!.snapshot;
  const headers = withoutOwnPreferences(forwardHeaders(call.request!.headers, settings.proxyHeaders));
  if (!isApproved) return headers;
  // A stand-in for the key never reaches the target: whichever it is, the request is the same.
  const own = credential === null ? headers : headers.filter(([name]) => !replacesHeader(credential.settings.injection, name));
  return [...materialHeaders(own), ownUserAgent];
}
