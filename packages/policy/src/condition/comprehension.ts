/** `all`, `exists`, `exists_one`, `map`, `filter`: each step is charged by the size of what it evaluates. */
import type { ASTNode } from '@marcbachmann/cel-js';

import type { Reader, Scope } from './environment.ts';
import { cameWithRequest } from './origin.ts';
import { structField } from './struct-field.ts';
import { absorb, bool, ConditionError, isOp, lessCertain, sourceOf } from './syntax-tree.ts';
import type { CompileNode, CompileState, NodeOf } from './syntax-tree.ts';
import { charge, Fault, isMap } from './values.ts';

export const comprehensions: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

export function compileComprehension(node: NodeOf<'rcall'>, state: CompileState, compileNode: CompileNode): Reader {
  const [name, receiver, args] = node.args;
  const [variable, ...parts] = args;
  if (variable === undefined || !isOp(variable, 'id')) throw new ConditionError(`${name}() needs a variable, such as ${name}(item, …)`);
  const taken = Object.hasOwn(state.environment.values, variable.args) || Object.hasOwn(state.environment.structs, variable.args);
  if (taken || state.variables.includes(variable.args))
    throw new ConditionError(`the variable ${variable.args} of ${name}() hides another; choose another name`);
  const range = compileNode(receiver, state);
  const isSent = cameWithRequest(receiver, state);
  const inner: CompileState = {
    ...state,
    variables: [...state.variables, variable.args],
    sentVariables: [...state.sentVariables, isSent],
  };
  const [first, second] = parts.map((part) => compileNode(part, inner));
  const slot = state.variables.length;
  const unitsPerStep = 1 + parts.reduce((sum, part) => sum + countNodes(part), 0);
  const source = sourceOf(receiver);
  // PHP loops over a map as over a list. That names are meant shows where the whole of something is looped over, or
  // where the variable is used to look up a member.
  const isWhole = structField(receiver, state) !== undefined;
  const isForNames = parts.some((part) => looksUp(part, variable.args));

  const items = (scope: Scope): readonly unknown[] => {
    const value = range(scope);
    scope.names[slot] = false;
    if (Array.isArray(value)) return value;
    if (!isMap(value)) throw new Fault(`\`${source}\` is neither a list nor a map`);
    const keys = Object.keys(value);
    charge(scope.meter, keys.length);
    scope.names[slot] = isSent;
    if (isSent && !isForNames && keys.length > 0 && (!isWhole || keys.every(isIndex)))
      throw new Fault(`\`${source}\` is a map, which some servers read as a list of its values`);
    return keys;
  };
  const step = (scope: Scope, item: unknown, reader: Reader): unknown => {
    charge(scope.meter, unitsPerStep);
    scope.variables[slot] = item;
    return reader(scope);
  };
  if (name === 'all' || name === 'exists') {
    const decisive = name === 'exists';
    return (scope) => {
      let fault: Fault | undefined;
      for (const item of items(scope)) {
        try {
          if (bool(step(scope, item, first!)) === decisive) return decisive;
        } catch (error) {
          fault = lessCertain(fault, absorb(error, scope));
        }
      }
      if (fault !== undefined) throw fault;
      return !decisive;
    };
  }
  if (name === 'exists_one') {
    return (scope) => {
      let count = 0;
      for (const item of items(scope)) if (bool(step(scope, item, first!))) count++;
      return count === 1;
    };
  }
  if (name === 'filter') return (scope) => items(scope).filter((item) => bool(step(scope, item, first!)));
  if (second === undefined) return (scope) => items(scope).map((item) => step(scope, item, first!));
  return (scope) => {
    const mapped: unknown[] = [];
    for (const item of items(scope)) if (bool(step(scope, item, first!))) mapped.push(second(scope));
    return mapped;
  };
}

const isIndex = (name: string): boolean => /^\d+$/.test(name);

/** Whether a variable is the key of an index, as in `request.body.prices[name]`. */
function looksUp(node: ASTNode, variable: string): boolean {
  const visit = (part: unknown): boolean => {
    if (Array.isArray(part)) return part.some(visit);
    if (typeof part !== 'object' || part === null || !('op' in part) || !('args' in part)) return false;
    const inner = part as ASTNode;
    if (isOp(inner, '[]') && isOp(inner.args[1], 'id') && inner.args[1].args === variable) return true;
    return visit(inner.args);
  };
  return visit(node);
}

function countNodes(node: ASTNode): number {
  let count = 0;
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) for (const one of part) visit(one);
    else if (typeof part === 'object' && part !== null && 'op' in part && 'args' in part) {
      count++;
      visit(part.args);
    }
  };
  visit(node);
  return count;
}
