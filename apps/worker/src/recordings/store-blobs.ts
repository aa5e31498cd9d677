/** Large sealed bodies go to the blob store before their rows are written, so that no row speaks of a blob that is not there. */
import { blobKey, type BlobStore } from '@hoop/blobs';
import type { OutcomeEntry, RecordEntry } from '@hoop/contract';
import { blobReference } from '@hoop/database';

export interface StoreBlobsOptions {
  readonly blobs: BlobStore;
  /** Sealed bodies of more bytes go there. */
  readonly blobBytes: number;
  /** Told of the first failure of each outage. */
  readonly onFailure: (error: Error) => void;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** How long after a failure the store is left alone, milliseconds. @default 15000 */
  readonly restMs?: number;
}

/** Bodies under way to the store at once. */
const atOnce = 4;

export type StoreBlobs = (entries: readonly RecordEntry[]) => Promise<RecordEntry[]>;

/**
 * The entries, with references in place of what was put into the store. While the store is away bodies stay in the entries,
 * and so go into their rows: that costs the database space, and loses nothing.
 */
export function createBlobStorer({ blobs, blobBytes, onFailure, now, restMs = 15_000 }: StoreBlobsOptions): StoreBlobs {
  let restUntil = 0;

  async function stored(callId: string, side: 'request' | 'response', sealed: string): Promise<string> {
    // base64 of n bytes has 4/3 n characters.
    if (sealed.length * 3 <= blobBytes * 4 || now() < restUntil) return sealed;
    const bytes = Buffer.from(sealed, 'base64');
    const key = blobKey({ callId, side }, bytes);
    try {
      await blobs.put(key, bytes);
      return blobReference(key);
    } catch (error) {
      if (now() >= restUntil) onFailure(error as Error);
      restUntil = now() + restMs;
      return sealed;
    }
  }

  async function withReferences(outcome: OutcomeEntry): Promise<OutcomeEntry> {
    const { requestBody, responseBody } = outcome;
    const ofSide = async <B extends OutcomeEntry['requestBody']>(side: 'request' | 'response', body: B): Promise<B> =>
      body?.sealed == null ? body : { ...body, sealed: await stored(outcome.callId, side, body.sealed) };
    return { ...outcome, requestBody: await ofSide('request', requestBody), responseBody: await ofSide('response', responseBody) };
  }

  return async (entries) => {
    const result = [...entries];
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < result.length) {
        const index = next++;
        const entry = result[index]!;
        if (entry.type === 'outcome' && isLarge(entry, blobBytes)) result[index] = await withReferences(entry);
        else if (entry.type === 'refusal' && isLarge(entry.outcome, blobBytes))
          result[index] = { ...entry, outcome: await withReferences(entry.outcome) };
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    return result;
  };
}

const isLarge = ({ requestBody, responseBody }: OutcomeEntry, blobBytes: number): boolean =>
  Math.max(requestBody?.sealed?.length ?? 0, responseBody?.sealed?.length ?? 0) * 3 > blobBytes * 4;
