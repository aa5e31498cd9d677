/** A caller that misbehaves, in a process of its own: `start` by message, `ready` as an answer, `stop`, `stopped`. */
import net from 'node:net';

export type Misbehaviour =
  | 'unfinished bodies'
  | 'unfinished heads'
  | 'refused calls'
  | 'slow inspected bodies'
  | 'slow readers'
  | 'hanging target'
  | 'masked responses'
  | 'pipelining';

export interface Start {
  readonly kind: Misbehaviour;
  readonly relayUrl: string;
  readonly grant: string;
}

const connectLimitMs = 3000;
const dripMs = 1000;

interface Plan {
  readonly sockets: number;
  /** Sent at once by each socket. */
  readonly first: string;
  /** Sent by each socket every second. */
  readonly drip?: string;
  /** Reads nothing. */
  readonly isDeaf?: true;
  /** Sends `first` again after each answer, and connects again when it was closed. */
  readonly isEager?: true;
}

function planOf({ kind, grant }: Start): Plan {
  const head = (line: string, ...more: string[]): string =>
    [`${line} HTTP/1.1`, 'host: relay', `hoop-grant: ${grant}`, ...more, '', ''].join('\r\n');
  const body = (path: string, length: number): string =>
    head(`POST ${path}`, 'content-type: application/json', `content-length: ${length}`) + `{"amount":1,"x":"${'x'.repeat(1000)}`;
  switch (kind) {
    case 'unfinished bodies':
      return { sockets: 2000, first: body('/shared/v1/files/upload', 100_000) };
    case 'unfinished heads':
      return { sockets: 2000, first: 'GET /shared/v1/customers HTTP/1.1\r\nhost: rel' };
    case 'refused calls':
      return { sockets: 64, first: head('DELETE /shared/v1/customers/1'), isEager: true };
    case 'slow inspected bodies':
      return { sockets: 2000, first: body('/shared/v1/refunds', 100_000), drip: 'x' };
    case 'slow readers':
      return { sockets: 200, first: head('GET /shared/v1/files/large'), isDeaf: true };
    case 'hanging target':
      return { sockets: 2000, first: head('GET /shared/v1/files/never') };
    case 'masked responses':
      return { sockets: 16, first: head('GET /masked/v1/files/customers'), isEager: true };
    case 'pipelining':
      return { sockets: 32, first: head('GET /shared/v1/customers').repeat(64), isEager: true };
  }
}

const sockets = new Set<net.Socket>();
let dripping: NodeJS.Timeout | undefined;
let isRunning = false;

function connect(url: URL, plan: Plan): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: url.hostname, port: Number(url.port), noDelay: true });
    sockets.add(socket);
    socket.on('connect', () => socket.write(plan.first, () => resolve()));
    if (plan.isDeaf) socket.pause();
    else socket.on('data', () => plan.isEager && isRunning && socket.writableLength === 0 && socket.write(plan.first));
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      resolve();
      if (plan.isEager && isRunning) setTimeout(() => isRunning && void connect(url, plan), 10);
    });
  });
}

async function start(message: Start): Promise<void> {
  const plan = planOf(message);
  const url = new URL(message.relayUrl);
  isRunning = true;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, connectLimitMs)));
  await Promise.race([Promise.all(Array.from({ length: plan.sockets }, () => connect(url, plan))), late]);
  clearTimeout(timer);
  const { drip } = plan;
  if (drip !== undefined) dripping = setInterval(() => sockets.forEach((socket) => socket.write(drip)), dripMs);
}

function stop(): void {
  isRunning = false;
  clearInterval(dripping);
  for (const socket of sockets) socket.destroy();
}

process.on('message', (message: Start | 'stop') => {
  if (message === 'stop') {
    stop();
    process.send!('stopped');
  } else {
    void start(message).then(() => process.send!('ready'));
  }
});
process.send!({ event: 'listening', url: 'ipc:' });
