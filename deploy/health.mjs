// Exit code 0 if the URL answers with a 2xx status within three seconds.
const response = await fetch(process.argv[2], { signal: AbortSignal.timeout(3000) }).catch(() => undefined);
process.exit(response?.ok ? 0 : 1);
