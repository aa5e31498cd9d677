import { getSnapshot as operation } from '@hoop/contract';
import { readSnapshot } from '@hoop/database';

import { etagOf } from '../http/preconditions.ts';
import { route } from '../http/route.ts';

export const getSnapshot = route(operation, async ({ context, query, request }) => {
  const { config, keys } = context;
  const stored = await readSnapshot(context.database, query.since, new Date(context.now()));
  if (request.headers['if-none-match'] === etagOf(stored.revision)) return { status: 304, version: stored.revision };
  return {
    version: stored.revision,
    body: {
      ...stored,
      grantIssuer: context.publicUrl(),
      grantAudience: config.relayAudience,
      grantKeys: keys.grantPublic,
      recordingKey: keys.recordingPublic,
    },
  };
});
