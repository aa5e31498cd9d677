import {
  connectionInputSchema,
  disableConnection as disableOperation,
  enableConnection as enableOperation,
  updateConnection as operation,
} from '@hoop/contract';
import { findConnection, updateConnection as writeConnection } from '@hoop/database';

import { mutate } from '../audit/mutate.ts';
import { found } from '../http/found.ts';
import { patched } from '../http/merge.ts';
import { route, type Call, type Reply } from '../http/route.ts';
import { identityIdsOf, refuseHostChange, refuseNamesake, settingsOf } from './rules.ts';

export const updateConnection = route(operation, async (call) => {
  const { identities: members, ...patch } = call.body;

  return mutate(call, { action: 'connection.update', isConfiguration: true }, async ({ tx, at, revision }) => {
    const before = found(await findConnection(tx, call.params.connection), 'connection');
    call.precondition.check(before.version);
    const wanted = patched(connectionInputSchema.omit({ identities: true }), before, patch);
    const { name, disabled } = wanted;
    const settings = settingsOf(wanted);
    await refuseNamesake(tx, name, before.id);
    await refuseHostChange(tx, before, settings);
    const identities = members === undefined ? {} : { identityIds: await identityIdsOf(tx, members ?? []) };
    const after = await writeConnection(tx, before.id, { name, disabled, settings, ...identities, revision, at });
    const voids = { of: { connectionId: before.id }, reason: 'the connection was changed' };
    return { reply: { body: after, version: after.version }, target: { type: 'connection', id: after.id, name }, before, after, voids };
  });
});

type Action = typeof disableOperation | typeof enableOperation;

const setDisabled = (call: Call<Action>, action: string, disabled: boolean): Promise<Reply<Action>> =>
  mutate(call, { action, isConfiguration: true }, async ({ tx, at, revision }) => {
    const before = found(await findConnection(tx, call.params.connection), 'connection');
    const after = await writeConnection(tx, before.id, { disabled, revision, at });
    const voids = disabled ? { voids: { of: { connectionId: before.id }, reason: 'the connection was disabled' } } : {};
    return {
      reply: { body: after, version: after.version },
      target: { type: 'connection', id: after.id, name: after.name },
      before,
      after,
      ...voids,
    };
  });

export const disableConnection = route(disableOperation, (call) => setDisabled(call, 'connection.disable', true));
export const enableConnection = route(enableOperation, (call) => setDisabled(call, 'connection.enable', false));
