/** Where sealed bodies lie that are too large for a row. What is in them is encrypted before it gets here. */
export interface BlobInfo {
  readonly key: string;
  readonly bytes: number;
  /** Unix milliseconds. */
  readonly storedAt: number;
}

/** Every method rejects with AppError `unavailable` where the store is away, within its time limit. */
export interface BlobStore {
  /** Durable when it resolves. Again with the same key: nothing happens. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Null where there is none. */
  get(key: string): Promise<Uint8Array | null>;
  has(key: string): Promise<boolean>;
  /** One that is not there is as good as deleted. */
  delete(key: string): Promise<void>;
  /** Everything after the key `after`, in the order of keys. What is stored meanwhile may be missed. */
  list(after?: string): AsyncGenerator<BlobInfo, void, void>;
}
