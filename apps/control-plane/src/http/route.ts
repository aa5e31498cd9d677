import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Operation } from '@hoop/contract';
import type { z } from 'zod';

import type { Actor } from '../access/actor.ts';
import type { Context } from '../context.ts';
import type { Precondition } from './preconditions.ts';

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;
type Sent<S> = S extends z.ZodType ? z.input<S> : undefined;

/** One request that has been authenticated, permitted and validated. */
export interface Call<O extends Operation = Operation> {
  readonly operation: O;
  readonly context: Context;
  readonly requestId: string;
  /** Address of the peer. */
  readonly remote: string;
  readonly actor: Actor;
  readonly params: Parsed<O['params']>;
  readonly query: Parsed<O['query']>;
  readonly body: Parsed<O['body']>;
  /** Of operations that are conditional. */
  readonly precondition: Precondition;
  /** Where an idempotent operation was called with `Idempotency-Key`. */
  readonly idempotency: { readonly key: string; readonly requestDigest: string } | null;
  /** For what is streamed. */
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export interface Reply<O extends Operation = Operation> {
  readonly body?: Sent<O['response']>;
  /** Becomes the `ETag`. */
  readonly version?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Overrides the operation's status. */
  readonly status?: number;
}

/** `streamed`: the handler has taken over the response. */
export type Handler<O extends Operation> = (call: Call<O>) => Promise<Reply<O> | 'streamed'>;

export interface Route {
  readonly operation: Operation;
  readonly handle: Handler<Operation>;
}

/** Ties a handler to the operation that it implements; the binder does what all operations share. */
export const route = <O extends Operation>(operation: O, handle: Handler<O>): Route => ({
  operation,
  handle: handle as unknown as Handler<Operation>,
});
