import { email, ipAddress, macAddress, phone } from './contacts.ts';
import { personName, postalAddress } from './context.ts';
import type { Detector } from './detector.ts';
import { dateOfBirth, driversLicence, passport } from './documents.ts';
import { iban, paymentCard, usItin, usSsn } from './numbers.ts';
import { secret } from './secrets.ts';
import { tokens } from './tokens.ts';

const all: readonly Detector[] = [
  paymentCard,
  iban,
  email,
  phone,
  usSsn,
  usItin,
  passport,
  driversLicence,
  ipAddress,
  macAddress,
  dateOfBirth,
  personName,
  postalAddress,
  secret,
  ...tokens,
];

/** Every detector by name. */
export const detectors: ReadonlyMap<string, Detector> = new Map(all.map((detector) => [detector.name, detector]));

/** Names that stand for several detectors. */
export const detectorGroups: ReadonlyMap<string, readonly string[]> = new Map([
  ['credential', ['secret', ...tokens.map((detector) => detector.name)]],
  ['personal', ['email', 'phone', 'us_ssn', 'us_itin', 'passport', 'drivers_licence', 'date_of_birth', 'person_name', 'postal_address']],
  ['financial', ['payment_card', 'iban']],
]);
