/** Settles as `work` does, or rejects after `timeoutMs`; the work itself may then still end later, unobserved. */
export async function within<R>(timeoutMs: number, work: Promise<R>): Promise<R> {
  work.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${timeoutMs} ms.`)), timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
