/** A file system of a few megabytes that a test can fill up: a tmpfs, where this process may mount one. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface SmallDisk {
  readonly folder: string;
  /** Leaves no byte free. */
  fill(): void;
  /** Gives back what `fill` took. */
  free(): void;
  close(): void;
}

/** False: others took the space meanwhile. */
function grew(file: string, bytes: number): boolean {
  try {
    writeFileSync(file, Buffer.alloc(bytes), { flag: 'a' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}

/** Undefined, and said loudly, where nothing may be mounted. */
export function openSmallDisk(megabytes: number): SmallDisk | undefined {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'hoop-disk-'));
  try {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) throw new Error('that takes root on Linux');
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    rmSync(folder, { recursive: true });
    process.stderr.write(
      `\n*** No file system can be mounted here (${(error as Error).message.trim()}): the tests of a full disk are SKIPPED. ***\n\n`,
    );
    return undefined;
  }
  chmodSync(folder, 0o711);
  const ballast = path.join(folder, 'ballast');
  return {
    folder,
    fill() {
      for (let part = 1_048_576; part >= 4096;) {
        const { bavail, bsize } = statfsSync(folder);
        if (bavail * bsize < part || !grew(ballast, part)) part >>= 1;
      }
    },
    free: () => rmSync(ballast, { force: true }),
    close() {
      execFileSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true });
    },
  };
}
