import type { Client } from './client.ts';
import { hoopHeaders } from './constants.ts';
import { HoopConfigurationError } from './hoop-configuration-error.ts';
import type { CollectOptions } from './options.ts';
import { poll, waitMs } from './relay-request.ts';
import { discardBody } from './response.ts';

/** Collects the response to a deferred call (see `HoopFetch.collect`). */
export async function collectCall(client: Client, callId: string, { waitSeconds = 60, signal }: CollectOptions): Promise<Response> {
  if (!/^call_[0-9a-z]{26}$/.test(callId)) throw new HoopConfigurationError(`${JSON.stringify(callId)} is not the id of a call`);
  let last: Response | undefined;
  const read = async (response: Response): Promise<Response | undefined> => {
    const { status, headers } = response;
    // A refusal of the question by a relay that can answer it later. How the call itself ended names the call.
    const isPassing = status === 503 && headers.get(hoopHeaders.call) !== callId;
    if (status !== 202 && !isPassing) return response;
    void discardBody(last);
    last = response;
    return undefined;
  };
  return (await poll({ client, path: `/-/calls/${callId}`, until: Date.now() + waitMs(waitSeconds), signal, read })) ?? last!;
}
