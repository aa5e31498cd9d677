/** Fields of variables that can only be read field by field. */
import type { ASTNode } from '@marcbachmann/cel-js';

import type { Reader } from './environment.ts';
import { ConditionError, isOp } from './syntax-tree.ts';
import type { CompileState } from './syntax-tree.ts';

/** The reader of `request.headers` and the like, where the node is a field of a struct variable. */
export function structField(node: ASTNode, state: CompileState): { name: string; reader: Reader } | undefined {
  if (!isOp(node, '.')) return undefined;
  const [object, field] = node.args;
  if (!isOp(object, 'id') || state.variables.includes(object.args) || !Object.hasOwn(state.environment.structs, object.args))
    return undefined;
  const fields = state.environment.structs[object.args]!;
  if (!Object.hasOwn(fields, field)) throw new ConditionError(`\`${object.args}.${field}\` does not exist`);
  const name = `${object.args}.${field}`;
  if (name === 'request.body') state.reads.body = true;
  if (name === 'request.params') state.reads.params = true;
  return { name, reader: fields[field]! };
}
