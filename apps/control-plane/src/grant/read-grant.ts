import { getGrant as getOperation } from '@hoop/contract';
import { findGrant } from '@hoop/database';

import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

export const getGrant = route(getOperation, async ({ context, params }) => ({
  body: found(await findGrant(context.database.prisma, params.grantId), 'grant'),
}));
