/** Builds the request that an approver is shown: as it will be sent, whole, with secrets masked, sealed to the recording key. */
import { AppError } from '@hoop/contract';
import type { HeaderList, ShownRequest } from '@hoop/contract';
import { maskHeaders } from '@hoop/masking';
import { sealBody } from '@hoop/sealing';

import type { Call } from '../call/call.ts';
import { maskWholeBody } from '../record/kept-body.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function shownBody(call: Call, body: Uint8Array): Pick<ShownRequest, 'encoding' | 'body'> {
  const masked = maskWholeBody(call, body);
  if (masked === null) {
    throw new AppError(
      'body_not_inspectable',
      'An approver has to see the whole body, and the masking rules of this connection cannot be applied to one of this type.',
    );
  }
  try {
    return { encoding: 'utf8', body: utf8.decode(masked) };
  } catch {
    return { encoding: 'base64', body: Buffer.from(masked).toString('base64') };
  }
}

/** @throws AppError `body_not_inspectable` where the body cannot be shown */
export function sealShown(call: Call, headers: HeaderList, body: Uint8Array): { wrappedKey: string; sealed: string } {
  const shown: ShownRequest = { method: call.request!.method, url: call.url, headers: maskHeaders(headers), ...shownBody(call, body) };
  const { dataKey } = call.session!.keys!;
  return { wrappedKey: dataKey.wrapped, sealed: sealBody(dataKey.key, Buffer.from(JSON.stringify(shown)), `${call.id}:approval`) };
}
