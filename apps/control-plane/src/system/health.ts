import { readFile } from 'node:fs/promises';

import { AppError, getHealth as healthOperation, getOpenApi as openApiOperation, getReadiness as readinessOperation } from '@hoop/contract';
import { readRevision } from '@hoop/database';

import { route } from '../http/route.ts';

const ok = { body: { status: 'ok' } } as const;

export const getHealth = route(healthOperation, async () => ok);

export const getReadiness = route(readinessOperation, async ({ context }) => {
  if (context.isDraining()) throw new AppError('unavailable', 'The control plane is shutting down.');
  await readRevision(context.database.prisma);
  return ok;
});

// Generated from the contract, with descriptions from its comments; never computed here.
const document = JSON.parse(await readFile(new URL('../../../../openapi.json', import.meta.url), 'utf8')) as { openapi: string };
export const getOpenApi = route(openApiOperation, async () => ({ body: document, headers: { 'cache-control': 'public, max-age=300' } }));
