/** `hoop approvals watch`: follows the stream of approvals, and follows it again when it breaks. */
import { setTimeout as delay } from 'node:timers/promises';

import { ApiError, type Client } from '@hoop/client';
import type { ApprovalResource } from '@hoop/contract';
import { createParser } from 'eventsource-parser';

import { speaking } from '../investigate/admin-api.ts';
import type { StartIo } from '../start/start.ts';
import { approvalLine } from './approval-text.ts';

const firstPauseMs = 500;
const lastPauseMs = 15_000;
/** One approval is some kilobytes. */
const maxEventCharacters = 4_000_000;
/** Approvals of which a state was printed; the oldest go first. */
const maxRemembered = 10_000;

/** Runs until it is told to stop. Resolves to the exit code. @throws StartError where the API refuses */
export async function watchApprovals(api: Client, io: StartIo, isJson: boolean): Promise<number> {
  const printed = new Map<string, string>();
  let pauseMs = firstPauseMs;

  function print(approval: ApprovalResource): void {
    // Each time that it is followed, the stream begins with all that wait.
    const standing = `${approval.state} ${approval.reviews.length}`;
    if (printed.get(approval.id) === standing) return;
    printed.delete(approval.id);
    printed.set(approval.id, standing);
    if (printed.size > maxRemembered) printed.delete(printed.keys().next().value!);
    io.out(isJson ? JSON.stringify(approval) : approvalLine(approval));
  }

  async function follow(): Promise<void> {
    const decoder = new TextDecoder();
    const parser = createParser({
      maxBufferSize: maxEventCharacters,
      onEvent: ({ event, data }) => {
        pauseMs = firstPauseMs;
        if (event === 'approval') print(JSON.parse(data) as ApprovalResource);
      },
      onError: (error) => {
        if (error.type === 'max-buffer-size-exceeded') throw error;
      },
    });
    for await (const chunk of await api.open('followApprovals', {})) parser.feed(decoder.decode(chunk, { stream: true }));
  }

  while (!io.stop.aborted) {
    try {
      await follow();
    } catch (error) {
      if (io.stop.aborted) break;
      // It will not be answered otherwise next time.
      if (error instanceof ApiError && error.status < 500) await speaking(() => Promise.reject(error), io.stop);
    }
    io.say(`The stream ended; it is followed again in ${pauseMs / 1000} s.`);
    await delay(pauseMs, undefined, { signal: io.stop }).catch(() => undefined);
    pauseMs = Math.min(pauseMs * 2, lastPauseMs);
  }
  return 0;
}
