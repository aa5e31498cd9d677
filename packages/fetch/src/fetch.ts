import { sendCall } from './call.ts';
import { createClient, type Client } from './client.ts';
import { collectCall } from './collect.ts';
import type { CollectOptions, HoopCallOptions, HoopFetch, HoopOptions, HoopRequestInit } from './options.ts';
import { markAsOurs } from './platform-fetch.ts';

function bindFetch(client: Client, defaults: HoopCallOptions): HoopFetch {
  // One argument is required, as `fetch.length` of the platform's says.
  const fetch = async (input: string | URL | Request, ...[init]: [init?: HoopRequestInit]): Promise<Response> =>
    sendCall(client, mergeOptions(defaults, init?.hoop), input, init);
  markAsOurs(fetch);
  return Object.assign(fetch, {
    extend: (further: HoopCallOptions) => bindFetch(client, mergeOptions(defaults, further)),
    collect: async (callId: string, options: CollectOptions = {}) => collectCall(client, callId, options),
  });
}

/** Merges options: later ones win, contexts are combined. */
function mergeOptions(defaults: HoopCallOptions, further: HoopCallOptions | undefined): HoopCallOptions {
  if (further === undefined) return defaults;
  const said = Object.fromEntries(Object.entries(further).filter(([, value]) => value !== undefined));
  return { ...defaults, ...said, context: { ...defaults.context, ...further.context } };
}

/**
 * A `fetch` through Hoop with its own grants and session. Throws a HoopConfigurationError for a URL that is not valid;
 * what is not given is looked for in the environment by the first call.
 */
export function createFetch(options: HoopOptions = {}): HoopFetch {
  const { url, relayUrl, token, audience, exchangeTimeoutMs, fetch, ...defaults } = options;
  return bindFetch(createClient({ url, relayUrl, token, audience, exchangeTimeoutMs, fetch }), defaults);
}

/**
 * The platform's `fetch`, through Hoop: configured by the environment (`HOOP_URL` and a token), so that the import is the
 * only change. Rejects as `fetch` does, and with a HoopConfigurationError, HoopTokenError, HoopExchangeError or
 * HoopTargetError (all of them TypeErrors) where the request could not be sent through Hoop.
 */
export const fetch: HoopFetch = /* @__PURE__ */ createFetch();
