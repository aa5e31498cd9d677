import { randomBytes } from 'node:crypto';

/** A new admin token: 256 random bits behind a prefix that secret scanners can recognise. */
export const newAdminToken = (): string => `hoop_admin_${randomBytes(32).toString('base64url')}`;
