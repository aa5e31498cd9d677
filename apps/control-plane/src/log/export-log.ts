import { once } from 'node:events';

import { AppError, exportLog as operation } from '@hoop/contract';
import { openLogExport } from '@hoop/database';

import { mutate } from '../audit/mutate.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

/** Each holds a connection and a snapshot of the database for as long as it is read. */
const maxAtOnce = 2;
const chunkCharacters = 65_536;
let underWay = 0;

/** Written as it is read. No audit event, no content. */
export const exportLog = route(operation, async (call) => {
  const { context, response } = call;
  const { log: keys } = context.keys;
  if (keys === null) throw new AppError('unavailable', 'The control plane was not given the key of the log: set HOOP_LOG_PUBLIC_KEY_FILE.');
  if (underWay >= maxAtOnce)
    throw new AppError('unavailable', 'Other exports of the log are under way. Try again later.', { headers: { 'retry-after': '60' } });
  underWay++;
  try {
    const log = found(
      await openLogExport(context.database.pool, keys.keys[0]!, context.blobs),
      'log: nothing has been sequenced yet, and so no export of it',
    );
    try {
      await mutate(call, { action: 'log.export', isConfiguration: false }, async () => ({
        reply: {},
        target: { type: 'log', id: keys.origin, name: null },
        before: null,
        after: { size: log.size },
      }));
      response.writeHead(200, {
        'content-type': 'application/x-ndjson',
        'cache-control': 'no-store',
        'content-disposition': `attachment; filename="hoop-log-${log.size}.ndjson"`,
      });
      let text = '';
      for await (const line of log.lines) {
        text += line;
        if (text.length < chunkCharacters) continue;
        if (response.destroyed) break;
        if (!response.write(text)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
        text = '';
      }
      response.end(text);
    } finally {
      await log.close();
    }
  } finally {
    underWay--;
  }
  return 'streamed';
});
