/** The tamper-evident log, fetched as an auditor does and verified with nothing but its public key. */
import { readFile } from 'node:fs/promises';

import { logVerifierKeys, verifyLogExport, type LogJwkSet } from '@hoop/recording';

import type { Product } from './product.ts';

export async function verifyLog({
  controlPlaneUrl,
  adminToken,
  logPublicKeyFile,
}: Product): Promise<{ breaches: string[]; intact: number }> {
  const { keys } = logVerifierKeys(JSON.parse(await readFile(logPublicKeyFile, 'utf8')) as LogJwkSet);
  const response = await fetch(`${controlPlaneUrl}/v1/log/export`, {
    headers: { authorization: `Bearer ${adminToken}` },
    signal: AbortSignal.timeout(600_000),
  });
  if (!response.ok) return { breaches: [`the log cannot be exported: ${response.status} ${await response.text()}`], intact: 0 };
  const verdict = await verifyLogExport(response.body!, { keys });
  return {
    breaches: verdict.ok ? [] : [`the log does not verify: ${JSON.stringify(verdict.findings.slice(0, 5))}`],
    intact: verdict.intact,
  };
}
