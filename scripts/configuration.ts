/** Writes `docs/configuration.md` from the schemas of the processes; with `--check` only compares, and fails where they differ. */
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';

import { controlPlaneVariables } from '../apps/control-plane/src/config.ts';
import { relayVariables } from '../apps/relay/src/config.ts';
import { workerVariables } from '../apps/worker/src/config.ts';
import { notesOf } from '../packages/environment/src/index.ts';
import type { VariableNotes, Variables } from '../packages/environment/src/index.ts';

const processes: Readonly<Record<string, Variables>> = {
  'control plane': controlPlaneVariables,
  relay: relayVariables,
  worker: workerVariables,
};

const introduction = `# Configuration

<!-- Generated from the schemas of the processes: change those, then run "node --conditions=@hoop/source scripts/configuration.ts". -->

Every environment variable of the processes. An empty variable counts as one that is not set. Secrets come as files only; connection URLs,
which may hold a password, are the exception, and the container image reads them from files as well. A process reports variables that begin
with \`HOOP_\` and are not its own when it starts, in a warning that names them. \`npm start\` makes the keys and hands each process its variables;
the SDK's variables are in [fetch](fetch.md).
`;

const cell = (content: string): string => content.replaceAll('|', '\\|');

function row(name: string, notes: VariableNotes, owner: string): string {
  const fallback = notes.isRequired ? '**required**' : (notes.default ?? '');
  return `| ${[`\`${name}\``, owner, notes.form, fallback, notes.meaning].map(cell).join(' | ')} |`;
}

function table(): string {
  const owners = new Map<string, string[]>();
  for (const [owner, variables] of Object.entries(processes)) {
    for (const [name, notes] of notesOf(variables)) {
      // Processes that read a variable alike share a row.
      const key = row(name, notes, '\0');
      owners.set(key, [...(owners.get(key) ?? []), owner]);
    }
  }
  const rows = [...owners].map(([key, names]) => key.replace('\0', names.join(', ')));
  return ['| variable | process | form | default | meaning |', '|---|---|---|---|---|', ...rows.toSorted()].join('\n');
}

const file = new URL('../docs/configuration.md', import.meta.url);
const page = `${introduction}\n${table()}\n`;

if (!process.argv.includes('--check')) {
  writeFileSync(file, page);
} else if (page !== readFileSync(file, 'utf8')) {
  process.stderr.write(
    'docs/configuration.md is not what the schemas say: run "node --conditions=@hoop/source scripts/configuration.ts" and commit it.\n',
  );
  process.exitCode = 1;
}
