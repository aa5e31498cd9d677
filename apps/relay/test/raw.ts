/** A TCP connection on which a test sends exactly the bytes that it wants to. */
import net from 'node:net';

export class RawConnection {
  readonly socket: net.Socket;
  received: Buffer = Buffer.alloc(0);
  isClosed = false;
  error: NodeJS.ErrnoException | null = null;
  #wake: (() => void)[] = [];

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.socket = net.connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    this.socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.#changed();
    });
    this.socket.on('error', (error) => {
      this.error = error;
    });
    for (const event of ['end', 'close'] as const) {
      this.socket.on(event, () => {
        this.isClosed = true;
        this.#changed();
      });
    }
  }

  get text(): string {
    return this.received.toString('latin1');
  }

  send(bytes: string | Buffer): this {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    return this;
  }

  /** Waits until what was received satisfies `isEnough`, or the connection is closed. */
  async until(isEnough: (text: string) => boolean): Promise<string> {
    while (!this.isClosed && !isEnough(this.text)) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return this.text;
  }

  /** The first response: status, lower-case headers and, where it has a length, the body. */
  async response(): Promise<RawResponse> {
    const text = await this.until((so_far) => readResponse(so_far) !== null);
    const response = readResponse(text);
    if (response === null) throw new Error(`no whole response, but ${JSON.stringify(text)}${this.error ? ` (${this.error.code})` : ''}`);
    return response;
  }

  async closed(): Promise<string> {
    return this.until(() => false);
  }

  close(): void {
    this.socket.destroy();
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

export interface RawResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

export function readResponse(text: string): RawResponse | null {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const status = Number(statusLine.split(' ')[1]);
  const body = text.slice(end + 4);
  if (headers['transfer-encoding'] === 'chunked') return body.endsWith('0\r\n\r\n') ? { status, headers, body } : null;
  const length = Number(headers['content-length'] ?? 0);
  return body.length >= length ? { status, headers, body: body.slice(0, length) } : null;
}
