/** `hoop recordings check`: whether calls, bodies, data keys, sessions and the log still fit together. */
import type { RecordCheck } from '@hoop/contract';
import type { Command } from 'commander';

import { addCommand, addVerb, needVerb, type CommandContext } from './command-line.ts';
import { addApiOptions, openAdminApi, speaking, type ApiFlags } from './investigate/admin-api.ts';
import type { StartIo } from './start/start.ts';

/** Adds `hoop recordings`. */
export function addRecordings(program: Command, context: CommandContext): void {
  const recordings = addCommand(program, 'recordings', 'check that what is recorded fits together');
  addApiOptions(addVerb(recordings, 'check', 'checks every call, every signed row, the audit trail and the log'))
    .description(
      `Looks at every call whether its row, bodies, data key, session and leaf in the log fit together, and whether every row that Hoop signs, the audit trail and the log are what was signed. For admins.`,
    )
    .option('--repair', 'repair what can be repaired')
    .addHelpText('after', '\nExit codes: 0 everything fits together, or was repaired · 1 something does not, or is lost.')
    .action(async (flags: CheckFlags) => {
      context.exitCode = await check(flags, context.io);
    });
  needVerb(recordings, 'hoop recordings knows check.');
}

type CheckFlags = ApiFlags & { readonly repair?: true };

async function check(values: CheckFlags, io: StartIo): Promise<number> {
  const api = await openAdminApi(values, io.env, io.stop);
  const repair = values.repair === true;
  let checked = 0;
  let found = 0;
  let repaired = 0;
  for (let after: string | null = ''; after !== null && !io.stop.aborted;) {
    const body = { after, repair };
    const part: RecordCheck = await speaking(() => api.call('checkRecords', { body }), io.stop);
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
