/** `hoop audit`: fetches the tamper-evident log with its records, and verifies it without trusting where it came from. */
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

import { verifyLogExport, type LogVerdict } from '@hoop/recording';
import { CommanderError, type Command } from 'commander';

import { addCommand, addVerb, explainErrors, needVerb, type CommandContext } from './command-line.ts';
import { addApiOptions, openAdminApi, speaking, type ApiFlags } from './investigate/admin-api.ts';
import type { StartIo } from './start/start.ts';
import { StartError } from './start-error.ts';

const cannotTell = 2;

/** Adds `hoop audit`. */
export function addAudit(program: Command, context: CommandContext): void {
  const { io } = context;
  const audit = addCommand(program, 'audit', 'export the tamper-evident log, and verify an export').description(
    'Fetches the tamper-evident log with its records, and verifies it without trusting where it came from.',
  );
  const verify = addVerb(audit, 'verify', 'checks an export offline, and says which record was changed, removed, inserted or moved')
    .argument('<export>', 'the file')
    .option('--key <key>', 'verifier key of the log (name+id+key), or a file with one a line; keep it apart from the export')
    .option('--checkpoint <note>', 'a file with a checkpoint from earlier, e.g. of a witness, that the log must extend')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExit codes: 0 everything is as it was signed · 1 something was changed · 2 it could not be verified.')
    .action(async (file: string, flags: VerifyFlags) => {
      context.exitCode = await verifyExport(file, flags, io).catch((error: unknown) => {
        if (!(error instanceof StartError)) throw error;
        io.say(error.message);
        return cannotTell;
      });
    });
  // An exit code of 1 would say that something was changed.
  explainErrors(verify, 'hoop audit verify needs the name of one export.', (sentence, { code }) => {
    io.say(sentence);
    throw new CommanderError(cannotTell, code, sentence);
  });
  addApiOptions(
    addVerb(audit, 'export', 'fetches the log with its records, as admin or auditor', 'hoop audit export needs the name of one file.'),
  )
    .argument('<file>', 'where to write; there must be none of this name')
    .action((file: string, flags: ApiFlags) => fetchExport(file, flags, io));
  needVerb(audit, 'hoop audit knows verify and export.');
}

interface VerifyFlags {
  readonly key?: string;
  readonly checkpoint?: string;
  readonly json?: true;
}

async function verifyExport(file: string, values: VerifyFlags, io: StartIo): Promise<number> {
  if (values.key === undefined)
    throw new StartError('hoop audit verify needs --key: without a key from elsewhere nothing is proved. See hoop help audit verify.');
  const keys = await keysOf(values.key);
  const earlier = values.checkpoint === undefined ? undefined : await textOf(values.checkpoint);
  // Before it is streamed: a name that is wrong is said in a sentence.
  if (
    !(await stat(file).then(
      (found) => found.isFile(),
      () => false,
    ))
  )
    throw new StartError(`There is no file ${file}.`);
  const verdict = await verifyLogExport(createReadStream(file), { keys, ...(earlier === undefined ? {} : { earlier }) });
  io.out(values.json === true ? JSON.stringify(verdict) : textOfVerdict(verdict));
  if (verdict.ok) return 0;
  return verdict.findings.every((finding) => finding.kind === 'unsettled') ? cannotTell : 1;
}

async function keysOf(given: string): Promise<string[]> {
  const isKey = /^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/;
  const lines = isKey.test(given)
    ? [given]
    : (await textOf(given))
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '');
  if (lines.length === 0 || !lines.every((line) => isKey.test(line)))
    throw new StartError('The key is not of the form name+id+key, nor a file of such keys.');
  return lines;
}

async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new StartError(`The file ${file} cannot be read (${error.code}).`, { cause: error });
  });
}

function textOfVerdict(verdict: LogVerdict): string {
  const { ok, origin, size, root, intact, purged, superseded, findings, moreFindings } = verdict;
  const facts =
    size === null
      ? []
      : [
          `Log ${origin}, ${size} leaves, root ${root}`,
          `${intact} records intact, ${purged} purged by retention, ${superseded} replaced by later leaves`,
        ];
  const list = findings.map(
    (finding) => `  ${finding.kind.toUpperCase().padEnd(10)} ${finding.detail}${finding.line === null ? '' : ` (line ${finding.line})`}`,
  );
  if (moreFindings > 0) list.push(`  … and ${moreFindings} more.`);
  return [ok ? 'VERIFIED: everything is as it was signed.' : 'NOT VERIFIED:', ...list, ...facts].join('\n');
}

async function fetchExport(file: string, flags: ApiFlags, io: StartIo): Promise<void> {
  const api = await openAdminApi(flags, io.env, io.stop);
  const log = await speaking(() => api.open('exportLog', {}), io.stop);
  // The file's readers can read the recorded calls.
  await pipeline(log, createWriteStream(file, { flags: 'wx', mode: 0o600 })).catch((error: NodeJS.ErrnoException) => {
    throw new StartError(error.code === 'EEXIST' ? `There is a file ${file} already.` : `The export broke off: ${error.message}`, {
      cause: error,
    });
  });
  io.out(`The log is in ${file}. Verify it with: hoop audit verify ${file} --key KEY`);
}
