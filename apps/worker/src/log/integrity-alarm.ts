/** Something that was signed is not what it was. Said as loud as we can: in the log of the process and as a security event. */
import { newId } from '@hoop/contract';
import { insertSecurityEvent, listSecurityEvents } from '@hoop/database';
import type { Database } from '@hoop/database';
import type { Logger } from 'pino';

export type IntegrityCode = 'log_tampered' | 'record_altered' | 'record_missing' | 'row_not_authentic' | 'witness_disagrees';

/** Where an alarm goes. */
interface AlarmContext {
  readonly db: Database;
  readonly log: Logger;
  readonly now: () => number;
}

/** The same alarm is written once in this time, whichever worker raises it. */
const repeatMs = 600_000;

export async function raiseIntegrityAlarm({ db, log, now }: AlarmContext, code: IntegrityCode, detail: string): Promise<void> {
  log.fatal({ event: code }, detail);
  try {
    const earlier = await listSecurityEvents(db.prisma, { kind: 'log_integrity', code, since: new Date(now() - repeatMs) }, { limit: 200 });
    if (earlier.items.some((event) => event.detail === detail)) return;
    const at = now();
    await insertSecurityEvent(db.prisma, {
      id: newId('security_event', at),
      at: new Date(at),
      kind: 'log_integrity',
      code,
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
  } catch (error) {
    log.error({ event: 'security_event_lost', code, error: (error as Error).message });
  }
}
