/**
 * Arrays as Postgres sends and receives them in its binary format (`array_recv`): one dimension, any element may be null.
 * Neither side has to escape and to parse them, which is most of what a statement with large arrays costs. The driver
 * hands bytes on as a binary parameter.
 */

export type ArrayElement = 'text' | 'jsonb' | 'integer' | 'boolean' | 'timestamptz' | 'bytea';

/** Of `pg_type`. */
const oids: Readonly<Record<ArrayElement, number>> = { text: 25, jsonb: 3802, integer: 23, boolean: 16, timestamptz: 1184, bytea: 17 };

const headerBytes = 20;
/** 2000-01-01, from which Postgres counts, in Unix milliseconds. */
const epochMs = 946_684_800_000;
const jsonbVersion = 1;

/**
 * @param values by type: strings, JSON text, whole numbers, booleans, Unix milliseconds, bytes; null anywhere
 * @throws RangeError where a number is none that the type can hold
 */
export function binaryArray(type: ArrayElement, values: readonly unknown[]): Buffer {
  let hasNull = false;
  let bytes = headerBytes;
  for (const value of values) {
    if (value === null) hasNull = true;
    bytes += 4 + (value === null ? 0 : mostBytes(type, value));
  }
  const buffer = Buffer.allocUnsafe(bytes);
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(hasNull ? 1 : 0, 4);
  buffer.writeInt32BE(oids[type], 8);
  buffer.writeInt32BE(values.length, 12);
  buffer.writeInt32BE(1, 16);
  let at = headerBytes;
  for (const value of values) {
    const length = value === null ? 0 : write(type, value, buffer, at + 4);
    buffer.writeInt32BE(value === null ? -1 : length, at);
    at += 4 + length;
  }
  return buffer.subarray(0, at);
}

function mostBytes(type: ArrayElement, value: unknown): number {
  switch (type) {
    case 'text':
      return (value as string).length * 3;
    case 'jsonb':
      return 1 + (value as string).length * 3;
    case 'bytea':
      return (value as Uint8Array).length;
    default:
      return 8;
  }
}

function write(type: ArrayElement, value: unknown, buffer: Buffer, at: number): number {
  switch (type) {
    case 'text':
      return buffer.write(value as string, at);
    case 'jsonb':
      buffer[at] = jsonbVersion;
      return 1 + buffer.write(value as string, at + 1);
    case 'integer':
      if (!Number.isInteger(value)) throw new RangeError('A number of a record is not a whole one.');
      buffer.writeInt32BE(value as number, at);
      return 4;
    case 'boolean':
      buffer[at] = value === true ? 1 : 0;
      return 1;
    case 'timestamptz':
      writeMicroseconds((value as number) - epochMs, buffer, at);
      return 8;
    case 'bytea':
      buffer.set(value as Uint8Array, at);
      return (value as Uint8Array).length;
  }
}

function writeMicroseconds(ms: number, buffer: Buffer, at: number): void {
  const us = ms * 1000;
  if (!Number.isSafeInteger(us)) {
    buffer.writeBigInt64BE(BigInt(ms) * 1000n, at);
    return;
  }
  const high = Math.floor(us / 2 ** 32);
  buffer.writeInt32BE(high, at);
  buffer.writeUInt32BE(us - high * 2 ** 32, at + 4);
}
