/** A client of the control plane's REST API. Operations go by their ids in `openapi.json`. */
import { ApiError, readProblem } from './api-error.ts';
import { routes } from './generated/routes.ts';
import type { Input, OperationId, Output } from './types.ts';

export interface ClientOptions {
  /** Base URL of the control plane. */
  readonly url: string;
  /** An admin token. */
  readonly token: string;
  /** Ends every request. @default none */
  readonly signal?: AbortSignal;
  /** Until the whole response to `call` is there; streams have no limit. @default 15000 */
  readonly timeoutMs?: number;
}

export interface Client {
  /** Sends one request. @throws ApiError for any response but a success */
  call<I extends OperationId>(operationId: I, input: Input<I>): Promise<Output<I>>;
  /** Sends one request, of which the response is a stream. @throws ApiError for any response but a success */
  open<I extends OperationId>(operationId: I, input: Input<I>): Promise<AsyncIterable<Uint8Array>>;
}

/** An input without the types of its operation. */
interface AnyInput {
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export function createClient({ url, token, signal, timeoutMs = 15_000 }: ClientOptions): Client {
  async function send(operationId: OperationId, input: AnyInput, signals: readonly AbortSignal[]): Promise<Response> {
    const route: { readonly method: string; readonly path: string; readonly status: number; readonly type?: string } = routes[operationId];
    const response = await fetch(addressOf(url, route.path, input), {
      method: route.method,
      redirect: 'error',
      signal: AbortSignal.any([...(signal === undefined ? [] : [signal]), ...signals]),
      headers: {
        authorization: `Bearer ${token}`,
        ...(route.type === undefined || input.body === undefined ? {} : { 'content-type': route.type }),
        ...input.headers,
      },
      ...(input.body === undefined ? {} : { body: encode(route.type, input.body) }),
    });
    if (response.status !== route.status) throw new ApiError(operationId, response.status, readProblem(await response.text()));
    return response;
  }

  return {
    async call(operationId, input) {
      const response = await send(operationId, input as AnyInput, [AbortSignal.timeout(timeoutMs)]);
      const text = await response.text();
      if (text === '') return undefined as never;
      return (/[/+]json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : text) as never;
    },
    async open(operationId, input) {
      const { body } = await send(operationId, input as AnyInput, []);
      return body ?? new Blob([]).stream();
    },
  };
}

function addressOf(base: string, path: string, { params = {}, query = {} }: AnyInput): URL {
  const filled = path.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = String(params[name] ?? '');
    // `new URL` resolves dots, also percent-encoded ones, to another path, and an empty segment is another path too.
    if (value === '' || value === '.' || value === '..') throw new TypeError(`"${value}" cannot be ${name} in ${path}.`);
    return encodeURIComponent(value);
  });
  const address = new URL(base.replace(/\/+$/, '') + filled);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) address.searchParams.set(name, String(value));
  return address;
}

function encode(type: string | undefined, body: unknown): string {
  return type === 'application/x-www-form-urlencoded'
    ? new URLSearchParams(body as Record<string, string>).toString()
    : JSON.stringify(body);
}
