/** Mixed calls through the relays, each with an id of its own and sent once; what the function saw of each is kept. */
import http from 'node:http';

import type { ConnectionName } from './product.ts';
import type { Random } from './random.ts';

export type Kind =
  | 'plain'
  | 'upload'
  | 'slow'
  | 'stream'
  | 'error'
  | 'reset'
  | 'cut'
  | 'denied'
  | 'aborted-stream'
  | 'aborted-slow'
  | 'aborted-upload';

const mixed: readonly Kind[] = [
  ...Array<Kind>(6).fill('plain'),
  ...Array<Kind>(3).fill('upload'),
  ...Array<Kind>(3).fill('slow'),
  ...Array<Kind>(3).fill('stream'),
  'error',
  'reset',
  'cut',
  'denied',
  'denied',
  'aborted-stream',
  'aborted-slow',
  'aborted-upload',
];

export interface Sent {
  readonly id: string;
  readonly kind: Kind;
  readonly connection: ConnectionName;
  /** Bytes of the body, where there is one. */
  readonly bodyBytes: number;
  /** `complete`: a whole response came. `broken`: it did not. `left`: the function hung up. */
  ending: 'complete' | 'broken' | 'left';
  status: number | null;
  /** `hoop-error`: the response is Hoop's own. */
  error: string | null;
  callId: string | null;
  body: string;
}

export interface Load {
  readonly sent: ReadonlyMap<string, Sent>;
  /** Calls whose whole response came from the target. */
  good(): number;
  /** Resolves once every call has ended. */
  readonly ended: Promise<void>;
  /** Takes no new call; resolves as `ended` does. */
  stop(): Promise<void>;
}

export interface LoadOptions {
  readonly relayUrls: readonly string[];
  readonly random: Random;
  readonly grant: () => string;
  /** Goes along in the request's body, in a field that is masked for the record. */
  readonly canary: string;
  /** Calls at once. */
  readonly concurrency: number;
  /** Calls at most. */
  readonly most: number;
  /** Of the ids, so that loads on one target differ. @default "n" */
  readonly prefix?: string;
  /** @default a mix of all */
  readonly kinds?: readonly Kind[];
}

/** Every call is answered or cut before; one that is neither is shown as broken rather than waited for without end. */
const giveUpMs = 120_000;
/** After a call that failed: while something is down all would fail at once. */
const pauseMs = 40;

export function startLoad(options: LoadOptions): Load {
  const { random, relayUrls, prefix = 'n', kinds = mixed } = options;
  const agent = new http.Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const sent = new Map<string, Sent>();
  let isStopped = false;
  let good = 0;
  let count = 0;

  async function caller(): Promise<void> {
    while (!isStopped && count < options.most) {
      const id = `${prefix}${++count}`;
      const kind = random.pick(kinds);
      const connection: ConnectionName = random.next() < 0.75 ? 'strict' : 'relaxed';
      const filler = kind.endsWith('upload') ? 'u'.repeat(1 + random.below(90_000)) : '';
      const body = filler === '' ? '' : JSON.stringify({ canary: options.canary, filler });
      const one: Sent = {
        id,
        kind,
        connection,
        bodyBytes: body.length,
        ending: 'broken',
        status: null,
        error: null,
        callId: null,
        body: '',
      };
      sent.set(id, one);
      await carry(one, body, random.pick(relayUrls), 10 + random.below(60));
      if (one.ending === 'complete' && one.error === null) good++;
      else if (one.ending === 'broken' || one.status === 503) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  function carry(one: Sent, body: string, relayUrl: string, leaveAfterMs: number): Promise<void> {
    const behaviour = one.kind === 'denied' ? 'plain' : one.kind.replace('aborted-', '');
    return new Promise((resolve) => {
      const request = http.request(`${relayUrl}/${one.connection}/${behaviour}/${one.id}`, {
        method: one.kind === 'denied' ? 'DELETE' : body === '' ? 'GET' : 'POST',
        headers: {
          'hoop-grant': options.grant(),
          'hoop-session': `run-${Math.ceil(count / 50)}`,
          ...(body === '' ? {} : { 'content-type': 'application/json' }),
        },
        agent,
      });
      let leaving: NodeJS.Timeout | undefined;
      const givingUp = setTimeout(() => request.destroy(new Error('nobody answered')), giveUpMs);
      const end = (ending: Sent['ending']): void => {
        clearTimeout(leaving);
        clearTimeout(givingUp);
        if (one.ending !== 'left') one.ending = ending;
        resolve();
      };
      const leave = (): void => {
        one.ending = 'left';
        request.destroy();
        end('left');
      };
      request.on('error', () => end('broken'));
      request.on('response', (response) => {
        one.status = response.statusCode!;
        one.error = (response.headers['hoop-error'] as string | undefined) ?? null;
        one.callId = (response.headers['hoop-call'] as string | undefined) ?? null;
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (one.body += chunk));
        response.on('error', () => end('broken'));
        response.on('close', () => end(response.complete ? 'complete' : 'broken'));
      });
      if (one.kind.startsWith('aborted-')) leaving = setTimeout(leave, leaveAfterMs);
      if (body === '') {
        request.end();
        return;
      }
      // In two halves, so that an upload is under way when its function leaves or a process dies.
      request.write(body.slice(0, body.length >> 1));
      setTimeout(
        () => {
          if (!request.destroyed) request.end(body.slice(body.length >> 1));
        },
        one.kind === 'aborted-upload' ? leaveAfterMs + 50 : 5,
      );
    });
  }

  const ended = Promise.all(Array.from({ length: options.concurrency }, caller)).then(() => agent.destroy());
  return {
    sent,
    good: () => good,
    ended,
    stop() {
      isStopped = true;
      return ended;
    },
  };
}
