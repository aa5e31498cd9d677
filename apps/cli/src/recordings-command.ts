/** `hoop recordings check`: whether calls, bodies, data keys, sessions and the log still fit together. */
import { checkRecords, type RecordCheck } from '@hoop/contract';

import { apiHelp, apiOptions, openAdminApi, readArguments, speaking } from './investigate/admin-api.ts';
import type { StartIo } from './start/start.ts';
import { StartError } from './start-error.ts';

export const recordingsHelp = `Usage: hoop recordings check [--repair] [--url URL] [--token-file FILE] [--data-dir FOLDER] [--json]

Looks at every call whether its row, bodies, data key, session and leaf in the log fit together, and whether every row that
Hoop signs, the audit trail and the log are what was signed. For admins.
Exit code 0: they do, or were repaired. 1: something does not, or is lost.

  --repair             repair what can be repaired
${apiHelp}
`;

export async function recordings(args: readonly string[], io: StartIo): Promise<number> {
  const [verb, ...rest] = args;
  if (verb !== 'check') throw new StartError('hoop recordings knows check. See hoop help recordings.');
  const { values } = readArguments(rest, { ...apiOptions, repair: { type: 'boolean' } }, 'recordings');
  const api = await openAdminApi(values, io.env, io.stop);
  const repair = values.repair === true;
  let checked = 0;
  let found = 0;
  let repaired = 0;
  for (let after: string | null = ''; after !== null && !io.stop.aborted;) {
    const body = { after, repair };
    const part: RecordCheck = await speaking(() => api.call(checkRecords, { body }), io.stop);
    checked += part.checked;
    for (const finding of part.findings) {
      found++;
      if (finding.repaired) repaired++;
      io.out(
        values.json === true ? JSON.stringify(finding) : `${finding.repaired ? 'repaired' : 'found'}  ${finding.kind}  ${finding.detail}`,
      );
    }
    after = part.next;
  }
  io.say(`${checked} records looked at: ${found} findings, ${repaired} repaired.`);
  return found > repaired ? 1 : 0;
}
