/**
 * Loaded into every child before its own program: when whoever supervises it is gone (the IPC channel breaks, also after
 * a SIGKILL), the child stops as on SIGTERM, and is ended if that takes too long.
 */
const endWithinMs = 10_000;

if (process.connected) {
  process.once('disconnect', () => {
    setTimeout(() => process.exit(1), endWithinMs).unref();
    process.kill(process.pid, 'SIGTERM');
  });
  // Listening must not keep a program alive that has finished.
  process.channel?.unref();
}
