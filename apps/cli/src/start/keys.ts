/** The keys of a Hoop, each a file of mode 0600 in the data folder, made once. */
import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';

import { generateAuthority } from '@hoop/certificates';
import type { NewAuthority } from '@hoop/certificates';
import { generateLogKeys } from '@hoop/recording';
import { generateRecordingKeys, generateSealingKeys, toPublicJwks, type JwkSet } from '@hoop/sealing';
import { generateGrantKeys } from '@hoop/tokens';

import { StartError } from '../start-error.ts';

export interface Keys {
  /** Private Ed25519 keys that sign grants: the control plane's. */
  readonly grantKeyFile: string;
  /** Private keys that open sealed credentials: the relay's. */
  readonly sealingKeyFile: string;
  /** Their public halves: the control plane's. */
  readonly sealingPublicKeyFile: string;
  /** Private keys that open recorded bodies and what approvers are shown: the control plane's and, for messages with buttons, the worker's. */
  readonly recordingKeyFile: string;
  /** Private keys that open the secrets of notification channels: the worker's. */
  readonly notificationKeyFile: string;
  /** Their public halves: the control plane's. */
  readonly notificationPublicKeyFile: string;
  /** Private Ed25519 keys that sign the log's checkpoints: the worker's. */
  readonly logKeyFile: string;
  /** Their public halves: the control plane's. */
  readonly logPublicKeyFile: string;
  /** Private Ed25519 keys that sign what the control plane writes to the database: the control plane's. */
  readonly rowKeyFile: string;
  /** Their public halves: the worker's. */
  readonly rowPublicKeyFile: string;
  /** The certificate authority of the forward proxy: what clients trust, and the relay's private key. */
  readonly caCertificateFile: string;
  readonly caKeyFile: string;
  /** The token that a relay presents to the control plane. */
  readonly relayTokenFile: string;
  /** Of the embedded Postgres' owner. */
  readonly postgresPassword: string;
  /** Of the role that reaches the queue alone. */
  readonly queuePassword: string;
  /** Where the bootstrap admin token is until it has been shown. */
  readonly bootstrapTokenFile: string;
}

export const newSecret = (): string => randomBytes(32).toString('base64url');

/** The prefix lets scanners of secrets find one that leaked. */
export const newAdminToken = (): string => `hoop_admin_${newSecret()}`;

/** Writes a file whole or not at all, mode 0600, and never over one that is there. */
export async function writeOnce(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(draft, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
}

/** The text of the file, which is made first if it is not there. Refuses one that others may read. */
export async function readOrMake(file: string, make: () => string | Promise<string>): Promise<string> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) await writeOnce(file, await make());
  else if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
    throw new StartError(`The key file ${file} can be read by others: chmod 600 it, and replace the key if somebody may have read it.`);
  }
  const text = await readFile(file, 'utf8');
  if (text.trim() === '') throw new StartError(`The key file ${file} is empty: put its backup back.`);
  return text.trim();
}

const asText = (set: JwkSet): string => `${JSON.stringify(set, null, 2)}\n`;

export async function makeKeys(folder: string): Promise<Keys> {
  const file = (name: string): string => path.join(folder, name);
  const keys = {
    grantKeyFile: file('grant.private.jwks.json'),
    sealingKeyFile: file('sealing.private.jwks.json'),
    sealingPublicKeyFile: file('sealing.public.jwks.json'),
    recordingKeyFile: file('recording.private.jwks.json'),
    notificationKeyFile: file('notification.private.jwks.json'),
    notificationPublicKeyFile: file('notification.public.jwks.json'),
    logKeyFile: file('log.private.jwks.json'),
    logPublicKeyFile: file('log.public.jwks.json'),
    rowKeyFile: file('rows.private.jwks.json'),
    rowPublicKeyFile: file('rows.public.jwks.json'),
    caCertificateFile: file('ca.pem'),
    caKeyFile: file('ca.private.pem'),
    relayTokenFile: file('relay-token'),
    bootstrapTokenFile: file('bootstrap-token'),
    postgresPassword: await readOrMake(file('postgres-password'), newSecret),
    queuePassword: await readOrMake(file('queue-password'), newSecret),
  };
  await readOrMake(keys.grantKeyFile, async () => asText((await generateGrantKeys()).privateJwks));
  await readOrMake(keys.recordingKeyFile, async () => asText((await generateRecordingKeys()).privateJwks));
  await readOrMake(keys.relayTokenFile, newSecret);
  const sealing = await readOrMake(keys.sealingKeyFile, async () => asText((await generateSealingKeys()).privateJwks));
  const notification = await readOrMake(keys.notificationKeyFile, async () => asText((await generateRecordingKeys()).privateJwks));
  const log = await readOrMake(keys.logKeyFile, () => `${JSON.stringify(generateLogKeys().privateJwks, null, 2)}\n`);
  const rows = await readOrMake(keys.rowKeyFile, () => `${JSON.stringify(generateLogKeys().privateJwks, null, 2)}\n`);
  await makeAuthority(keys);
  await publish(rows, keys.rowPublicKeyFile);
  await publish(sealing, keys.sealingPublicKeyFile);
  await publish(notification, keys.notificationPublicKeyFile);
  await publish(log, keys.logPublicKeyFile);
  return keys;
}

/** The key first: a certificate without its key would be one that clients trust for nothing. */
async function makeAuthority({ caCertificateFile, caKeyFile }: Pick<Keys, 'caCertificateFile' | 'caKeyFile'>): Promise<void> {
  let made: NewAuthority | undefined;
  const key = await readOrMake(caKeyFile, async () => (made = await generateAuthority(Date.now())).key);
  await readOrMake(caCertificateFile, () => {
    if (made?.key.trim() === key) return made.certificate;
    throw new StartError(
      `The certificate ${caCertificateFile} of the key ${caKeyFile} is missing: put its backup back, or remove the key too.`,
    );
  });
}

/** Derived at every start, so that a rotated private set is followed. */
async function publish(privateJwks: string, file: string): Promise<void> {
  await rm(file, { force: true });
  await writeOnce(file, asText(toPublicJwks(JSON.parse(privateJwks) as JwkSet)));
}
