/** Inputs and outputs of the operations, from the generated types. */
import type { components, operations } from './generated/api.ts';

export type OperationId = keyof operations;

/** The document's schemas, by name: `Schemas['Approval']`. */
export type Schemas = components['schemas'];

type Parameters<I extends OperationId> = operations[I]['parameters'];

/** A member that is required where one of its own members is, and absent where there is nothing to say. */
type Member<Name extends string, T> = [T] extends [undefined]
  ? { readonly [K in Name]?: undefined }
  : undefined extends T
    ? { readonly [K in Name]?: T }
    : { readonly [K in Name]: T };

type BodyOf<I extends OperationId> = operations[I] extends { requestBody: { content: infer C } } ? C[keyof C] : undefined;

/** `{ params, query, body, headers }`, each where the operation has it. */
export type Input<I extends OperationId> = Member<'params', Parameters<I>['path']> &
  Member<'query', Parameters<I>['query']> &
  Member<'body', BodyOf<I>> & { readonly headers?: Readonly<Record<string, string>> };

type Content<R> = R extends { content: infer C } ? C[keyof C] : never;

/** The body of a successful response; undefined where there is none. */
export type Output<I extends OperationId> = [Content<operations[I]['responses'][keyof operations[I]['responses']]>] extends [never]
  ? undefined
  : Content<operations[I]['responses'][keyof operations[I]['responses']]>;
