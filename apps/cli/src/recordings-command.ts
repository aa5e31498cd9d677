/** `hoop recordings check`: whether calls, bodies, data keys, sessions and the log still fit together. */
import type { RecordCheck } from '@hoop/contract';
import { acceptDamage, journalStates } from '@hoop/journal';
import type { Command } from 'commander';

import { addCommand, addVerb, needVerb, type CommandContext } from './command-line.ts';
import { addApiOptions, openAdminApi, speaking, type ApiFlags } from './investigate/admin-api.ts';
import type { StartIo } from './start/start.ts';
import { StartError } from './start-error.ts';

/** Adds `hoop recordings`. */
export function addRecordings(program: Command, context: CommandContext): void {
  const recordings = addCommand(program, 'recordings', 'check that what is recorded fits together');
  addApiOptions(addVerb(recordings, 'check', 'checks every call, every signed row, the audit trail and the log'))
    .description(
      `Looks at every call whether its row, bodies, data key, session and leaf in the log fit together, and whether every row that Hoop signs, the audit trail and the log are what was signed. For admins.`,
    )
    .option('--repair', 'repair what can be repaired')
    .option('--journals <folder>', "look at the relays' journals in this folder of this machine instead")
    .option('--accept', 'with --journals: ship damaged journals on behind the damage')
    .addHelpText('after', '\nExit codes: 0 everything fits together, or was repaired · 1 something does not, or is lost.')
    .action(async (flags: CheckFlags) => {
      context.exitCode = await (flags.journals === undefined ? check(flags, context.io) : checkJournals(flags.journals, flags, context.io));
    });
  needVerb(recordings, 'hoop recordings knows check.');
}

type CheckFlags = ApiFlags & { readonly repair?: true; readonly journals?: string; readonly accept?: true };

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

/** The relays' own disks are no business of the control plane: this looks at the folder itself. */
async function checkJournals(folder: string, values: CheckFlags, io: StartIo): Promise<number> {
  const states = await journalStates(folder).catch((error: unknown) => {
    throw new StartError(`The folder ${folder} cannot be read: ${(error as Error).message}.`, { cause: error });
  });
  const damaged = states.filter(({ damage }) => damage !== null);
  for (const { id, isWritten, damage } of states) {
    if (values.json === true) io.out(JSON.stringify({ id, isWritten, damage }));
    else if (damage === null) io.out(`${id}  ${isWritten ? 'a relay writes it' : 'waits for a shipper'}`);
    else io.out(`found  ${id}  segment ${damage.epoch}, offset ${damage.offset}: ${damage.message}`);
    if (values.accept === true && damage !== null) await acceptDamage(folder, id);
  }
  const rest =
    damaged.length === 0 ? '' : values.accept === true ? ', shipped on from here' : ': run this again with --accept once you have looked';
  io.say(`${states.length} journals looked at, ${damaged.length} damaged${rest}.`);
  return damaged.length > 0 && values.accept !== true ? 1 : 0;
}
