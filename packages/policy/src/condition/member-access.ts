/** Fields and indexes: of variables, of what is in them, and `has()`. */
import type { ASTNode } from '@marcbachmann/cel-js';

import { nameInDoubt } from './equality.ts';
import type { Reader, Scope } from './environment.ts';
import { isNameInDoubt, nameKindOf } from './origin.ts';
import { structField } from './struct-field.ts';
import { ConditionError, isOp, sourceOf } from './syntax-tree.ts';
import type { CompileNode, CompileState, NodeOf } from './syntax-tree.ts';
import { Fault, isMap, known } from './values.ts';

export function compileField(node: NodeOf<'.'>, state: CompileState, compileNode: CompileNode): Reader {
  const field = structField(node, state);
  if (field !== undefined) return field.reader;
  const [object, key] = node.args;
  return compileMember(object, () => key, key, node, state, compileNode);
}

export function compileIndex(node: NodeOf<'[]'>, state: CompileState, compileNode: CompileNode): Reader {
  const [object, key] = node.args;
  if (isOp(key, 'value') && !isKey(key.args)) throw new ConditionError('an index is the name of a member or a whole number from 0');
  return compileMember(object, compileNode(key, state), isOp(key, 'value') ? key.args : undefined, node, state, compileNode);
}

const isKey = (key: unknown): boolean => typeof key === 'string' || (typeof key === 'bigint' && key >= 0n);

function compileMember(
  object: ASTNode,
  key: Reader,
  literalKey: unknown,
  node: ASTNode,
  state: CompileState,
  compileNode: CompileNode,
): Reader {
  const source = sourceOf(node);
  const read = compileNode(object, state);
  const doubt = doubtAbout(object, state);
  if (structField(object, state)?.name === 'request.headers') {
    checkHeaderName(literalKey);
    return (scope) => {
      const value = member(read(scope), key(scope), source, doubt, scope);
      if (typeof value === 'string') return value;
      // two lines of one header can be read as one or the other: which one the target takes is not known
      throw new Fault(`\`${source}\` was sent more than once`);
    };
  }
  return (scope) => member(read(scope), key(scope), source, doubt, scope);
}

type Doubt = (map: Readonly<Record<string, unknown>>, name: string, isThere: boolean, scope: Scope) => boolean;

const never: Doubt = () => false;

/** Whether a name of the map that a node stands for could be read as another. */
export function doubtAbout(map: ASTNode, state: CompileState): Doubt {
  const kind = nameKindOf(map, state);
  return kind === null ? never : (value, name, isThere, scope) => isNameInDoubt(value, name, kind(scope), isThere, scope.meter);
}

export function checkHeaderName(name: unknown): void {
  if (typeof name === 'string' && name !== name.toLowerCase())
    throw new ConditionError(`header names are lower case: write ${JSON.stringify(name.toLowerCase())}`);
}

function member(object: unknown, key: unknown, source: string, doubt: Doubt, scope: Scope): unknown {
  if (Array.isArray(object)) {
    const index = typeof key === 'bigint' || typeof key === 'number' ? Number(key) : Number.NaN;
    if (Number.isInteger(index) && index >= 0 && index < object.length) return known(object[index], source);
  } else if (typeof key === 'string' && isMap(object)) {
    const isThere = Object.hasOwn(object, key) && object[key] !== undefined;
    if (doubt(object, key, isThere, scope)) throw nameInDoubt(source);
    if (isThere) return known(object[key], source);
  }
  throw new Fault(`\`${source}\` does not exist`);
}

export function compileHas(node: ASTNode, state: CompileState, compileNode: CompileNode): Reader {
  if (!isOp(node, '.')) throw new ConditionError('has() needs a field, such as has(request.body.amount)');
  const field = structField(node, state);
  if (field !== undefined) return (scope) => field.reader(scope) !== null;
  const [object, key] = node.args;
  if (structField(object, state)?.name === 'request.headers') checkHeaderName(key);
  const read = compileNode(object, state);
  const doubt = doubtAbout(object, state);
  const source = sourceOf(object);
  return (scope) => {
    const value = read(scope);
    if (!isMap(value)) throw new Fault(`\`${source}\` has no fields`);
    if (Object.hasOwn(value, key)) return true;
    if (doubt(value, key, false, scope)) throw nameInDoubt(`${source}.${key}`);
    return false;
  };
}
