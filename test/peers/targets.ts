/** Targets that are programs of their own, and say which of their handlers acted. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

import express from 'express';

import { serve } from '../../packages/fetch/test/servers.ts';

export interface Act {
  readonly handler: string;
  readonly url: string;
  /** As the handler understood the body. */
  readonly amount?: number;
  readonly risk?: string;
}

export interface PeerTarget {
  readonly url: string;
  /** The actions of its handlers since the last call. */
  seen(): Promise<Act[]>;
}

/** Express with its defaults, and with a router of its own below `/v1`. */
export async function startExpress(): Promise<PeerTarget> {
  let acts: Act[] = [];
  const act =
    (handler: string): express.RequestHandler =>
    (request, response) => {
      acts.push({ handler, url: request.originalUrl, ...(request.body as object) });
      response.json({ ok: true });
    };
  const app = express();
  app.use(express.json({ type: () => true }));
  const router = express.Router();
  router.post('/refunds', act('refund'));
  app.use('/v1', router);
  app.use(act('other'));
  const url = await serve(app);
  return {
    url,
    seen: () => {
      const since = acts;
      acts = [];
      return Promise.resolve(since);
    },
  };
}

/** Go's own, and Go's own behind middleware that tidies paths. */
export async function startGo(): Promise<{ targets: [plain: PeerTarget, tidying: PeerTarget]; close(): Promise<void> }> {
  const running = spawn('go', ['run', './target'], {
    cwd: path.join(import.meta.dirname, 'go'),
    // The router of Go 1.22, where the Go that is installed has it.
    env: { ...process.env, GODEBUG: 'httpmuxgo121=0' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => running.once('close', () => resolve()));
  const urls: string[] = [];
  for await (const port of createInterface(running.stdout)) {
    urls.push(`http://127.0.0.1:${port}`);
    if (urls.length === 2) break;
  }
  if (urls.length < 2) throw new Error('the Go target did not start');
  const seen = async (): Promise<Act[]> => (await fetch(`${urls[0]}/-/seen`)).json() as Promise<Act[]>;
  return {
    targets: [
      { url: urls[0]!, seen },
      { url: urls[1]!, seen },
    ],
    async close() {
      running.stdin.end();
      await ended;
    },
  };
}
