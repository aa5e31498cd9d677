import type { Client } from './client.ts';
import { HoopConfigurationError } from './hoop-configuration-error.ts';
import type { CollectOptions } from './options.ts';
import { poll, waitMs } from './relay-request.ts';
import { discardBody } from './response.ts';

/** Collects the response to a deferred call (see `HoopFetch.collect`). */
export async function collectCall(client: Client, callId: string, { waitSeconds = 60, signal }: CollectOptions): Promise<Response> {
  if (!/^call_[0-9a-z]{26}$/.test(callId)) throw new HoopConfigurationError(`${JSON.stringify(callId)} is not the id of a call`);
  let open: Response | undefined;
  const read = async (response: Response): Promise<Response | undefined> => {
    if (response.status !== 202) return response;
    if (open !== undefined) void discardBody(open);
    open = response;
    return undefined;
  };
  const finished = await poll({ client, path: `/-/calls/${callId}`, until: Date.now() + waitMs(waitSeconds), signal, read });
  return finished ?? open!;
}
