import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { bareEnvironment } from '@hoop/testkit';
import { describe, expect, it } from 'vitest';

/** Both outputs of a process that is started without what it needs, and so ends by itself. */
async function outputOf(app: string, env: Record<string, string>): Promise<string> {
  const main = fileURLToPath(new URL(`../../apps/${app}/src/main.ts`, import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@hoop/source', main], { env: { ...bareEnvironment(), ...env } });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return out + err;
}

describe('a process that is started with a typing error in a variable', () => {
  it.each([
    ['control-plane', 'DATABASE_URL'],
    ['relay', 'HOOP_SEALING_KEY_FILE'],
    ['worker', 'DATABASE_URL'],
  ])('says which variable of the %s has no meaning', async (app, missing) => {
    const output = await outputOf(app, { HOOP_ORPHAN_SECOND: '5' });
    expect(output).toContain('"event":"unknown_variables"');
    expect(output).toMatch(/has no variable HOOP_ORPHAN_SECOND: it starts as if it were not set\./);
    // Reported before the start fails for want of a variable, the name of which may be the one mistyped.
    expect(output).toContain(`${missing} is not set`);
  });
});
