/** A target's socket, with what undici does not do for it. */
import type { Socket } from 'node:net';

import type { ResponseStart } from './response-start.ts';

/** So long after a failed write the answer is waited for that may explain it. */
const afterFailureMs = 2_000;

type Done = (error?: Error | null) => void;
interface Writing {
  _write(chunk: unknown, encoding: BufferEncoding, done: Done): void;
  _writev(chunks: unknown, done: Done): void;
}

/**
 * - What is read goes through `start`.
 * - A target that answers early (413, 401) and closes makes the next write fail, which would destroy the socket with the
 *   answer unread in it. A failed write is left pending instead: reading goes on until the answer is complete, or the
 *   socket has ended.
 */
export function watchSocket(socket: Socket, start: ResponseStart): void {
  const read = socket.read.bind(socket);
  socket.read = (size?: number): Buffer | null => {
    for (;;) {
      const chunk = read(size) as Buffer | null;
      if (chunk === null) return null;
      const passed = start.pass(chunk);
      if (passed !== null) return passed;
    }
  };

  const writing = socket as unknown as Writing;
  const write = writing._write.bind(socket);
  const writev = writing._writev.bind(socket);
  const orRead =
    (done: Done): Done =>
    (error) => {
      if (!isBrokenPipe(error)) {
        done(error);
        return;
      }
      const timer = setTimeout(() => socket.destroy(error as Error), afterFailureMs);
      socket.once('close', () => clearTimeout(timer));
    };
  writing._write = (chunk, encoding, done) => write(chunk, encoding, orRead(done));
  writing._writev = (chunks, done) => writev(chunks, orRead(done));
}

const isBrokenPipe = (error: Error | null | undefined): boolean => {
  const code = (error as NodeJS.ErrnoException | null | undefined)?.code;
  return code === 'EPIPE' || code === 'ECONNRESET';
};
