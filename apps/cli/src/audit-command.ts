/** `hoop audit`: fetches the tamper-evident log with its records, and verifies it without trusting where it came from. */
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

import { exportLog } from '@hoop/contract';
import { verifyLogExport, type LogVerdict } from '@hoop/recording';

import { apiHelp, apiOptions, openAdminApi, readArguments, speaking } from './investigate/admin-api.ts';
import type { StartIo } from './start/start.ts';
import { StartError } from './start-error.ts';

export const auditHelp = `Usage: hoop audit verify EXPORT --key KEY [--checkpoint NOTE] [--json]
       hoop audit export FILE [--url URL] [--token-file FILE] [--data-dir FOLDER]

verify   checks an export of the log offline, and says which record was changed, removed, inserted or moved.
         Exit code 0: everything is as it was signed. 1: something was changed. 2: it could not be verified.

  --key KEY            verifier key of the log (name+id+key), or a file with one a line; keep it apart from the export
  --checkpoint NOTE    a file with a checkpoint from earlier, e.g. of a witness, that the log must extend
  --json               print the result as JSON

export   fetches the log with its records, as admin or auditor.

${apiHelp}
`;

const cannotTell = 2;

export async function audit(args: readonly string[], io: StartIo): Promise<number> {
  const [verb, ...rest] = args;
  if (verb === 'verify') {
    return verifyExport(rest, io).catch((error: unknown) => {
      if (!(error instanceof StartError)) throw error;
      io.say(error.message);
      return cannotTell;
    });
  }
  if (verb === 'export') return fetchExport(rest, io);
  throw new StartError('hoop audit knows verify and export. See hoop help audit.');
}

async function verifyExport(args: readonly string[], io: StartIo): Promise<number> {
  const options = { key: { type: 'string' }, checkpoint: { type: 'string' }, json: { type: 'boolean' } } as const;
  const { values, positionals } = readArguments(args, options, 'audit');
  const [file] = positionals;
  if (file === undefined || positionals.length > 1)
    throw new StartError('hoop audit verify needs the name of one export. See hoop help audit.');
  if (values.key === undefined)
    throw new StartError('hoop audit verify needs --key: without a key from elsewhere nothing is proved. See hoop help audit.');
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

async function fetchExport(args: readonly string[], io: StartIo): Promise<number> {
  const { values, positionals } = readArguments(args, apiOptions, 'audit');
  const [file] = positionals;
  if (file === undefined || positionals.length > 1)
    throw new StartError('hoop audit export needs the name of one file. See hoop help audit.');
  const api = await openAdminApi(values, io.env, io.stop);
  const log = await speaking(() => api.open(exportLog, {}), io.stop);
  // The file's readers can read the recorded calls.
  await pipeline(log, createWriteStream(file, { flags: 'wx', mode: 0o600 })).catch((error: NodeJS.ErrnoException) => {
    throw new StartError(error.code === 'EEXIST' ? `There is a file ${file} already.` : `The export broke off: ${error.message}`, {
      cause: error,
    });
  });
  io.out(`The log is in ${file}. Verify it with: hoop audit verify ${file} --key KEY`);
  return 0;
}
