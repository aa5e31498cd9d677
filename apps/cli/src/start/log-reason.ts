/** The reason for which a process ended, from its log. */
import { open } from 'node:fs/promises';

/** Bytes at the end of the log that are searched. */
const searchedBytes = 65_536;

/**
 * The reason on one line, from what was logged after `from` bytes: the last fatal or error entry, else the error that
 * Node printed as the process ended, else the last line that is no part of a stack. Empty where nothing was logged.
 */
export async function readReason(logFile: string, from: number): Promise<string> {
  const handle = await open(logFile, 'r').catch(() => undefined);
  if (handle === undefined) return '';
  try {
    const { size } = await handle.stat();
    const start = Math.max(from, size - searchedBytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.max(0, size - start)), 0, Math.max(0, size - start), start);
    return reasonIn(buffer.toString('utf8', 0, bytesRead));
  } catch {
    return '';
  } finally {
    await handle.close();
  }
}

interface Entry {
  readonly level?: number;
  readonly event?: string;
  readonly msg?: string;
  readonly message?: string;
  readonly err?: { readonly message?: string };
}

export function reasonIn(log: string): string {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  const entries = lines.flatMap((line) => entryIn(line) ?? []);
  const failed =
    entries.findLast(({ event, level = 0 }) => event === 'failed' || level >= 60) ?? entries.findLast(({ level = 0 }) => level >= 50);
  const thrown = lines.findLast((line) => /^(?:Uncaught )?(?:\w+\.)*\w*(?:Error|Exception)\b[^:]*:/.test(line));
  if (failed !== undefined) return [failed.message ?? failed.msg, failed.err?.message].filter(Boolean).join(': ');
  if (thrown !== undefined) return thrown.trim();
  const last = lines.findLast((line) => !/^\s+at |^Node\.js v|^[\s^~}]+$/.test(line)) ?? '';
  const entry = entryIn(last);
  return entry === undefined ? last.trim() : (entry.msg ?? entry.message ?? '');
}

function entryIn(line: string): Entry | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Entry;
  } catch {
    return undefined;
  }
}
