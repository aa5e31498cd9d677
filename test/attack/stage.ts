/** Sets up every attack: a real relay before a target that keeps all that reaches it, and the figures of the attempts. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import type { ApprovalRule, ConnectionSnapshot, Rule } from '@hoop/contract';

import { RawConnection } from '../../apps/relay/test/raw.ts';
import { staticCredential, World } from '../../apps/relay/test/world.ts';

/** The credential that is injected. No answer may hold it in any encoding. */
export const secret = 'sk_live_Zq8v/+w3Xy7&"<N0p=rT5uK2';

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

const approval: ApprovalRule = {
  reviewers: ['group:payments'],
  quorum: 1,
  ttl: '30m',
  validity: ['once'],
  fourEyes: false,
  requireComment: false,
};

export const rules: Rule[] = [
  { name: 'v1', effect: 'allow', match: { paths: ['/v1/*'] } },
  {
    name: 'refunds',
    effect: 'require_approval',
    match: { methods: ['POST'], paths: ['/v1/refunds'] },
    when: 'request.body.amount > 10000',
    approval,
  },
  { name: 'admin', effect: 'deny', match: { paths: ['/v1/admin/*'] } },
];

export interface Stage {
  readonly world: World;
  readonly connection: ConnectionSnapshot;
  /** Without rules that read a body. */
  readonly plain: ConnectionSnapshot;
  readonly received: Received[];
  /** Where the answers of the target come from. */
  answer: (request: Received, response: http.ServerResponse) => void;
  grant(): Promise<string>;
  open(): RawConnection;
  /** Counts one attempt. */
  tried(kind: string, outcome: 'refused' | 'sent' | 'breach'): void;
  /** Resolves once calls of somebody else go through. */
  isServed(): Promise<boolean>;
  close(): Promise<void>;
}

const figures = new Map<string, { attempts: number; refused: number; sent: number; breaches: number }>();

export function figuresTable(): string {
  const rows = [...figures].map(([kind, one]) =>
    [kind, one.attempts, one.refused, one.sent, one.breaches].map((cell) => String(cell).padStart(9)).join(' '),
  );
  return [['kind', 'attempts', 'refused', 'sent', 'breaches'].map((cell) => cell.padStart(9)).join(' '), ...rows].join('\n');
}

export async function openStage(): Promise<Stage> {
  const received: Received[] = [];
  const world = await World.start();
  const ok = (_: Received, response: http.ServerResponse): void =>
    void response.setHeader('content-type', 'application/json').end('{"ok":true}');
  const server = http.createServer({ maxHeaderSize: 131_072 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = { method: request.method!, url: request.url!, headers: request.headers, body: Buffer.concat(chunks) };
      received.push(one);
      stage.answer(one, response);
    });
    request.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const settings = { limits: { approvalWaitSeconds: 0 } };
  const connection = await world.connect({ name: 'payments', target, rules, settings, credential: staticCredential(secret) });
  const plain = await world.connect({ name: 'plain', target, settings, credential: staticCredential(secret) });
  const stage: Stage = {
    world,
    connection,
    plain,
    received,
    answer: ok,
    grant: () => world.grant([connection, plain]),
    open: () => new RawConnection(world.relay.url),
    tried(kind, outcome) {
      const of = figures.get(kind) ?? { attempts: 0, refused: 0, sent: 0, breaches: 0 };
      figures.set(kind, of);
      of.attempts++;
      if (outcome === 'refused') of.refused++;
      else if (outcome === 'sent') of.sent++;
      else of.breaches++;
    },
    async isServed() {
      const response = await world.call(plain, '/v1/somebody-else');
      await response.arrayBuffer();
      return response.status === 200;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await world.close();
    },
  };
  return stage;
}
