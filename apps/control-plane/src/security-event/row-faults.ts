import { newId } from '@hoop/contract';
import { insertSecurityEvent, type Database, type RowFault } from '@hoop/database';
import type { Logger } from 'pino';

/** Events that are written in a minute at most: each names a row. What comes on top is in the process log alone. */
const maxPerMinute = 200;

/** A security event for each row that is not what the control plane wrote, beside what goes to the process log. */
export function createRowFaultReporter(log: Logger): { report(fault: RowFault): void; open(database: Database, now: () => number): void } {
  let write: ((fault: RowFault) => Promise<void>) | undefined;
  let minute = 0;
  let written = 0;
  return {
    report(fault) {
      log.error({ event: 'row_not_authentic', kind: fault.kind, id: fault.id }, fault.detail);
      write?.(fault).catch((error: unknown) =>
        log.error({ err: error, event: 'security_event_lost' }, 'a security event could not be written'),
      );
    },
    open(database, now) {
      write = async ({ detail }) => {
        const at = now();
        if (Math.floor(at / 60_000) !== minute) [minute, written] = [Math.floor(at / 60_000), 0];
        if (++written > maxPerMinute) return;
        await insertSecurityEvent(database.prisma, {
          id: newId('security_event', at),
          at: new Date(at),
          kind: 'log_integrity',
          code: 'row_not_authentic',
          detail,
          verified: true,
          issuer: null,
          subject: null,
          claims: null,
          nearest: null,
          count: 1,
          remote: '',
          requestId: newId('request', at),
        });
      };
    },
  };
}
