/** Hints that a key's name gives about its value. Detectors of values without a form of their own rely on it. */

export const CONTEXT_PERSON_NAME = 1;
export const CONTEXT_ADDRESS = 2;
export const CONTEXT_BIRTH = 4;
export const CONTEXT_PHONE = 8;
export const CONTEXT_SECRET = 16;
export const CONTEXT_TAX_ID = 32;
export const CONTEXT_PASSPORT = 64;
export const CONTEXT_LICENCE = 128;
export const CONTEXT_PASSWORD = 256;
export const CONTEXT_ITIN = 512;

const exact = (names: string): ReadonlySet<string> => new Set(names.split(/\s+/).filter(Boolean));

const personNames = exact(`
  firstname lastname fullname givenname givennames familyname surname middlename maidenname forename forenames nickname
  birthname legalname cardholder cardholdername nameoncard accountholder accountholdername beneficiaryname contactname
  customername patientname employeename recipientname sendername payername payeename ownername personname passengername
  guestname studentname membername fname lname mothersmaidenname mothermaidenname spousename vorname nachname nom prenom apellido apellidos`);
const addresses = exact(`
  address addressline addressline1 addressline2 addressline3 address1 address2 line1 line2 street street1 street2 streetaddress
  streetname streetline housenumber postaladdress mailingaddress homeaddress billingaddress shippingaddress deliveryaddress
  residentialaddress zip zipcode postcode postalcode addr addr1 addr2 fulladdress formattedaddress strasse hausnummer plz`);
/** Whose they are may stand before: `billingFirstName`, `home_zip_code`. */
const personNameEnds = [
  'firstname',
  'lastname',
  'fullname',
  'givenname',
  'givennames',
  'familyname',
  'surname',
  'middlename',
  'maidenname',
  'forename',
  'cardholdername',
  'nameoncard',
];
const addressEnds = [
  'addressline1',
  'addressline2',
  'addressline3',
  'streetaddress',
  'postaladdress',
  'mailingaddress',
  'homeaddress',
  'billingaddress',
  'shippingaddress',
  'deliveryaddress',
  'zipcode',
  'postcode',
  'postalcode',
];
const births = exact(`
  dob birth birthday birthdate dateofbirth bornon bornat born birthdt dobdate birthdateiso geburtsdatum datenaissance fechanacimiento`);
const taxIds = exact(`
  ssn ssnnumber socialsecurity socialsecuritynumber socialsecurityno socialsecnum socsec taxid taxidentifier taxidentificationnumber
  tin ustin itin nationalid last4ssn taxpayerid individualtaxid`);
const passports = exact('passport passportno passportnumber passportnum passportid traveldocument traveldocumentnumber passnummer');
const licences = exact(`
  driverlicense driverslicense driverlicence driverslicence driverlicensenumber driverslicensenumber driverlicencenumber
  driverslicencenumber drivinglicence drivinglicencenumber drivinglicense drivinglicensenumber dlnumber dlno licensenumber licencenumber
  driverslicenseno driverlicenseno dln`);
const phoneEnds = [
  'phone',
  'phonenumber',
  'phoneno',
  'mobile',
  'mobilenumber',
  'mobileno',
  'telephone',
  'telephonenumber',
  'cellphone',
  'cell',
  'tel',
  'fax',
  'faxnumber',
  'msisdn',
  'whatsapp',
  'telefon',
  'handy',
  'phones',
];
const passwordEnds = ['password', 'passwd', 'passphrase', 'pwd', 'passcode', 'passwort', 'userpass', 'dbpass'];
const secretEnds = [
  'secret',
  'secretkey',
  'apikey',
  'apisecret',
  'apitoken',
  'accesskey',
  'secretaccesskey',
  'accesstoken',
  'authtoken',
  'refreshtoken',
  'sessiontoken',
  'bearertoken',
  'clientsecret',
  'privatekey',
  'signingkey',
  'encryptionkey',
  'masterkey',
  'sharedkey',
  'accountkey',
  'storagekey',
  'webhooksecret',
  'credential',
  'credentials',
  'token',
  'authorization',
  'sharedaccesskey',
  'connectionstring',
  'signingsecret',
  'servicekey',
  'licensekey',
  'appsecret',
  'appkey',
  'idtoken',
  'csrftoken',
  'xsrftoken',
  'pat',
  'apikeys',
];
const notSecrets = exact(
  'nextpagetoken pagetoken nexttoken continuationtoken nextcontinuationtoken prevpagetoken cursortoken pat ispat spat compat publickey',
);

const endsWithAny = (name: string, ends: readonly string[]): boolean => ends.some((end) => name.endsWith(end));

/** Bits of what a folded key name tells. */
export function keyContext(folded: string): number {
  if (folded.length < 2 || folded.length > 80) return 0;
  let context = 0;
  if (personNames.has(folded) || endsWithAny(folded, personNameEnds)) context |= CONTEXT_PERSON_NAME;
  if (addresses.has(folded) || endsWithAny(folded, addressEnds)) context |= CONTEXT_ADDRESS;
  if (births.has(folded) || folded.endsWith('birthdate') || folded.endsWith('dateofbirth') || folded.endsWith('dob'))
    context |= CONTEXT_BIRTH;
  if (endsWithAny(folded, phoneEnds) && folded !== 'hotel' && folded !== 'intel' && folded !== 'cancel') context |= CONTEXT_PHONE;
  if (taxIds.has(folded) || folded.endsWith('ssn')) context |= CONTEXT_TAX_ID;
  if (folded === 'itin') context |= CONTEXT_ITIN;
  if (passports.has(folded)) context |= CONTEXT_PASSPORT;
  if (licences.has(folded)) context |= CONTEXT_LICENCE;
  if (endsWithAny(folded, passwordEnds)) context |= CONTEXT_PASSWORD | CONTEXT_SECRET;
  else if (endsWithAny(folded, secretEnds) && !notSecrets.has(folded) && !folded.endsWith('pagetoken')) context |= CONTEXT_SECRET;
  return context;
}

/** Of names in running text: those of `secretEnds`, and what stands there only. */
const secretWords: ReadonlySet<string> = new Set([...secretEnds, 'bearer', 'authkey']);
const longPasswordEnds = ['password', 'passwd', 'passphrase', 'passwort'];
const mostWords = 4;
const wordBreak = /[_.-]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/;

const judgedNames = new Map<string, number>();
const maxJudgedNames = 2048;

/**
 * `CONTEXT_SECRET` and `CONTEXT_PASSWORD` of a name that a text assigns to: `stripeApiKey`, `db.password`. Its last words
 * must be such a name whole, since a text has many other words with these endings ("expat:").
 */
export function nameContext(name: string): number {
  if (name.length < 3) return 0;
  let context = judgedNames.get(name);
  if (context === undefined) {
    context = judgeName(name);
    if (judgedNames.size >= maxJudgedNames) judgedNames.clear();
    judgedNames.set(name, context);
  }
  return context;
}

function judgeName(name: string): number {
  const words = name.split(wordBreak).filter((word) => word !== '');
  const whole = words.join('').toLowerCase();
  if (notSecrets.has(whole) || whole.endsWith('pagetoken') || whole.endsWith('continuationtoken')) return 0;
  if (endsWithAny(whole, longPasswordEnds)) return CONTEXT_SECRET | CONTEXT_PASSWORD;
  let end = '';
  for (const word of words.slice(-mostWords).toReversed()) {
    end = word.toLowerCase() + end;
    if (passwordEnds.includes(end)) return CONTEXT_SECRET | CONTEXT_PASSWORD;
    if (secretWords.has(end)) return CONTEXT_SECRET;
  }
  return 0;
}
