/** Shared by the parts of the compiler of conditions. */
import type { ASTNode } from '@marcbachmann/cel-js';

import type { ConditionEnvironment, Reader, Scope } from './environment.ts';
import { charge, Fault, typeName } from './values.ts';

/** An expression that conditions do not allow; the message is a sentence for the policy's author. */
export class ConditionError extends Error {
  override readonly name = 'ConditionError';
}

export interface CompileState {
  readonly environment: ConditionEnvironment;
  /** Names of the iteration variables in scope; the index is the slot. */
  readonly variables: readonly string[];
  /** By slot: the variable runs over something that came with the request. */
  readonly sentVariables: readonly boolean[];
  /** Set when `request.body`, `request.params` are read anywhere. */
  readonly reads: { body: boolean; params: boolean };
}

export type NodeOf<Op extends ASTNode['op']> = Extract<ASTNode, { op: Op }>;

export const sourceOf = (node: ASTNode): string => node.input.slice(node.start, node.end);
export const isOp = <Op extends ASTNode['op']>(node: ASTNode, op: Op): node is NodeOf<Op> => node.op === op;

/** The compiler itself, handed to its parts. */
export type CompileNode = (node: ASTNode, state: CompileState) => Reader;

export function bool(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new Fault(`a ${typeName(value)} stands where true or false is needed`);
  return value;
}

/** Faults of values can be outvoted; anything else ends the evaluation. */
export function absorb(error: unknown, { meter }: Scope): Fault {
  if (!(error instanceof Fault) || error.kind === 'body' || error.kind === 'budget') throw error;
  charge(meter, 20); // throwing is dear
  return error;
}

/** Of an error and a value that is not known, the whole is not known: the value might have decided. */
export const lessCertain = (a: Fault | undefined, b: Fault): Fault => (a === undefined || b.kind === 'masked' ? b : a);
