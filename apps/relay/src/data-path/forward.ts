/** Step 8: the request goes to the target, through the one way out, as a stream. */
import { AppError } from '@hoop/contract';
import { BodyCapture } from '@hoop/recording';
import { flattenHeaders } from '@hoop/upstream';
import type { UpstreamDispatchOptions } from '@hoop/upstream';

import type { Call } from '../call/call.ts';
import type { Relay } from '../relay.ts';
import { Exchange } from '../transfer/exchange.ts';
import type { ResponseSteps } from '../transfer/exchange.ts';
import { Upload } from '../transfer/upload.ts';
import { answerableHeaders } from './mask.ts';
import { sentHeaders } from './sent-headers.ts';

/** RFC 9110 §9.2.2. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** Where nothing came back on a socket that had been idle. An approval is good for one sending. */
export function mayResend({ request, approvalId }: Pick<Call, 'request' | 'approvalId'>): boolean {
  return !request!.hasBody && approvalId === null && idempotent.has(request!.method);
}

/** @throws AppError `target_refused`, `credential_unavailable` */
export function forward({ limits: { maxKeptBytesPerIdentity } }: Relay, steps: ResponseSteps, call: Call): void {
  const { snapshot } = call.connection!;
  const { limits, recording } = snapshot.settings;
  const request = call.request!;
  const { target } = call.route!;

  let headers = answerableHeaders(call, sentHeaders(call, call.approvalId !== null));
  let { search } = request;
  if (call.lease !== null) {
    if (!call.lease.hosts.includes(target.origin)) {
      throw new AppError('credential_unavailable', 'The credential of this connection is not meant for its target.');
    }
    ({ headers, search } = call.lease.sign({ method: request.method, url: call.url, headers, search, body: call.body }));
  }

  const { share } = call.caller!.identity;
  const { digestKey } = call.session!.keys!;
  const keptBytes = recording.capture === 'full' ? recording.maxBodyBytes : 0;
  const exchange = new Exchange(
    steps,
    call,
    request.hasBody ? new BodyCapture(keptBytes, digestKey, share, maxKeptBytesPerIdentity) : null,
    new BodyCapture(keptBytes, digestKey, share, maxKeptBytesPerIdentity),
  );
  call.exchange = exchange;
  const options: UpstreamDispatchOptions = {
    origin: target.origin,
    path: target.basePath + call.targetPath + search,
    method: request.method,
    headers: flattenHeaders(headers),
    body:
      call.body ??
      (request.hasBody
        ? (new Upload(call, limits.maxRequestBytes, limits.idleTimeoutMs, share.lane) as unknown as NonNullable<
            UpstreamDispatchOptions['body']
          > &
            object)
        : null),
    // undici resends nothing: it judges by the method alone.
    idempotent: false,
    peer: exchange.peer,
    by: share,
  };
  // A retry is for the function to decide, with one exception: a socket that the target had closed meanwhile.
  exchange.dispatch(options, mayResend(call));
}
