/** Finds the parts of a condition that can never have a value, for any request. */
import type { ASTNode } from '@marcbachmann/cel-js';

import { comprehensions } from './comprehension.ts';
import type { Reader, Scope } from './environment.ts';
import { ConditionError, isOp, sourceOf } from './syntax-tree.ts';
import type { CompileNode, CompileState } from './syntax-tree.ts';
import { Fault } from './values.ts';
import type { Meter } from './values.ts';

const noRequest = { params: {} } as unknown as Scope;

/**
 * Refuses constant parts of an expression that have no value: `1 / 0`, `bool("1")`, `7 in {}`. The outermost constants
 * are looked at, so that `true || bool("1")` passes.
 * @throws ConditionError
 */
export function checkConstants(node: ASTNode, state: CompileState, compileNode: CompileNode, meter: Meter): void {
  if (isOp(node, 'value')) return;
  if (!isConstant(node, [])) {
    for (const part of partsOf(node)) checkConstants(part, state, compileNode, meter);
    return;
  }
  const fault = faultOf(compileNode(node, state), meter);
  if (fault !== null) throw new ConditionError(`\`${sourceOf(node)}\` never has a value: ${fault.message}`);
}

function faultOf(reader: Reader, meter: Meter): Fault | null {
  try {
    reader({ ...noRequest, variables: [], names: [], meter });
    return null;
  } catch (error) {
    return error instanceof Fault ? error : new Fault('it could not be evaluated');
  }
}

/** Whether an expression reads nothing but literals and the variables of its own comprehensions. */
function isConstant(node: ASTNode, bound: readonly string[]): boolean {
  if (isOp(node, 'value')) return true;
  if (isOp(node, 'id')) return bound.includes(node.args);
  if (isOp(node, 'rcall') && comprehensions.has(node.args[0])) {
    const [, receiver, [variable, ...parts]] = node.args;
    if (variable === undefined || !isOp(variable, 'id')) return false;
    return isConstant(receiver, bound) && parts.every((part) => isConstant(part, [...bound, variable.args]));
  }
  return partsOf(node).every((part) => isConstant(part, bound));
}

/** The parts of an expression that are expressions themselves; without the variable of a comprehension. */
function partsOf(node: ASTNode): ASTNode[] {
  const found: ASTNode[] = [];
  const collect = (part: unknown): void => {
    if (Array.isArray(part)) for (const one of part) collect(one);
    else if (typeof part === 'object' && part !== null && 'op' in part && 'args' in part) found.push(part as ASTNode);
  };
  collect(node.args);
  return isOp(node, 'rcall') && comprehensions.has(node.args[0]) ? found.filter((part) => part !== node.args[2][0]) : found;
}
