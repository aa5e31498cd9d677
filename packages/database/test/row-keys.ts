/** Keys for tests: one pair for the control plane's part and one for the worker's, the same in every test of a file. */
import { generateLogKeys } from '@hoop/recording';

import { openDatabase, signRows } from '../src/index.ts';
import type { Database, DatabaseOptions, RowJwkSet, RowKeys, RowKind } from '../src/index.ts';

const controlPlane = generateLogKeys();
const worker = generateLogKeys();

export const rowKeys: {
  /** The keys of a control plane. */
  readonly controlPlane: RowKeys;
  readonly privateJwks: RowJwkSet;
  readonly publicJwks: RowJwkSet;
  readonly workerJwks: RowJwkSet;
} = {
  controlPlane: { controlPlane: controlPlane.privateJwks, worker: worker.publicJwks },
  privateJwks: controlPlane.privateJwks,
  publicJwks: controlPlane.publicJwks,
  workerJwks: worker.privateJwks,
};

/** Opens a database as a control plane does. */
export const openSignedDatabase = (url: string, options: DatabaseOptions = {}): Database =>
  openDatabase(url, { rows: rowKeys.controlPlane, ...options });

/** Signs what a test has put into the database by hand. */
export const signAll = (db: Database, kinds?: readonly RowKind[]): Promise<unknown> =>
  signRows(db, { write: true, ...(kinds === undefined ? {} : { kinds }) });
