/**
 * Turns a type-checked CEL syntax tree into closures. cel-js parses and checks; the evaluation is ours because
 * cel-js's own has no limit on cost, runs `matches` on V8's RegExp, and keeps a type per shape of value that it
 * meets, which a caller's bodies could grow without end (docs/adr/0008-cel-evaluation.md).
 */
import type { ASTNode } from '@marcbachmann/cel-js';

import { compilePartMatch } from '../re2.ts';
import { compileComprehension, comprehensions } from './comprehension.ts';
import type { Reader, Scope } from './environment.ts';
import { methodFunctions, plainFunctions } from './functions.ts';
import { compileEquality, compileIn, orders } from './comparison.ts';
import { compileField, compileHas, compileIndex } from './member-access.ts';
import { Uint } from './numbers.ts';
import { absorb, bool, ConditionError, isOp, lessCertain } from './syntax-tree.ts';
import type { CompileState, NodeOf } from './syntax-tree.ts';
import { zoneFormatter } from './time.ts';
import { add, charge, divide, Fault, isOrdered, known, multiply, negate, remainder, subtract, typeName } from './values.ts';

export function compileNode(node: ASTNode, state: CompileState): Reader {
  switch (node.op) {
    case 'value':
      return compileLiteral(node.args);
    case 'id':
      return compileVariable(node.args, state);
    case '.':
      return compileField(node as NodeOf<'.'>, state, compileNode);
    case '[]':
      return compileIndex(node as NodeOf<'[]'>, state, compileNode);
    case 'call':
      return compileCall(node as NodeOf<'call'>, state);
    case 'rcall':
      return compileMethod(node as NodeOf<'rcall'>, state);
    case 'list': {
      const items = (node as NodeOf<'list'>).args.map((item) => compileNode(item, state));
      return (scope) => items.map((item) => item(scope));
    }
    case 'map':
      return compileMap(node as NodeOf<'map'>, state);
    case '?:': {
      const [condition, yes, no] = (node as NodeOf<'?:'>).args.map((part) => compileNode(part, state)) as [Reader, Reader, Reader];
      return (scope) => (bool(condition(scope)) ? yes(scope) : no(scope));
    }
    case '||':
      return compileLogical(node as NodeOf<'||'>, state, true);
    case '&&':
      return compileLogical(node as NodeOf<'&&'>, state, false);
    case '!_': {
      const operand = compileNode((node as NodeOf<'!_'>).args, state);
      return (scope) => !bool(operand(scope));
    }
    case '-_': {
      const operand = compileNode((node as NodeOf<'-_'>).args, state);
      return (scope) => negate(operand(scope));
    }
    case '.?':
    case '[?]':
      throw new ConditionError('optional access (.?) is not available');
    default:
      return compileBinary(node as NodeOf<'=='>, state);
  }
}

function compileLiteral(value: unknown): Reader {
  if (value instanceof Uint8Array) throw new ConditionError('bytes are not available');
  const literal = typeof value === 'object' && value !== null ? new Uint((value as { value: bigint }).value) : value;
  return () => literal;
}

function compileVariable(name: string, { environment, variables }: CompileState): Reader {
  const slot = variables.lastIndexOf(name);
  if (slot >= 0) return (scope) => known(scope.variables[slot], name);
  const reader = Object.hasOwn(environment.values, name) ? environment.values[name] : undefined;
  if (reader !== undefined) return reader;
  if (Object.hasOwn(environment.structs, name)) {
    const fields = Object.keys(environment.structs[name]!).map((field) => `${name}.${field}`);
    throw new ConditionError(`\`${name}\` cannot be used as a whole; use one of ${fields.join(', ')}`);
  }
  throw new ConditionError(`\`${name}\` is not available`);
}

function compileMap(node: NodeOf<'map'>, state: CompileState): Reader {
  for (const [key] of node.args)
    if (isOp(key, 'value') && typeof key.args !== 'string') throw new ConditionError('the keys of a map must be strings');
  const entries = node.args.map(([key, value]): [Reader, Reader] => [compileNode(key, state), compileNode(value, state)]);
  return (scope) => {
    const map = Object.create(null) as Record<string, unknown>;
    for (const [key, value] of entries) {
      const name = key(scope);
      if (typeof name !== 'string') throw new Fault('the keys of a map must be strings');
      map[name] = value(scope);
    }
    return map;
  };
}

/** CEL's commutative logic: `decisive` on either side decides, even where the other side is a fault. */
function compileLogical(node: NodeOf<'||' | '&&'>, state: CompileState, decisive: boolean): Reader {
  const [left, right] = node.args.map((part) => compileNode(part, state)) as [Reader, Reader];
  return (scope) => {
    let value: boolean;
    try {
      value = bool(left(scope));
    } catch (error) {
      return outvote(absorb(error, scope), right, scope);
    }
    return value === decisive ? decisive : bool(right(scope));
  };

  function outvote(fault: Fault, other: Reader, scope: Scope): boolean {
    let value: boolean;
    try {
      value = bool(other(scope));
    } catch (error) {
      throw lessCertain(fault, absorb(error, scope));
    }
    if (value === decisive) return decisive;
    throw fault;
  }
}

function compileBinary(node: NodeOf<'=='>, state: CompileState): Reader {
  const [left, right] = node.args.map((part) => compileNode(part, state)) as [Reader, Reader];
  const op: string = node.op;
  const test = orders[op];
  if (test !== undefined) return (scope) => isOrdered(left(scope), right(scope), op, test, scope.meter);
  switch (op) {
    case '==':
    case '!=':
      return compileEquality(node, left, right, op === '==', state);
    case 'in':
      return compileIn(node as unknown as NodeOf<'in'>, left, right, state);
    case '+':
      return (scope) => add(left(scope), right(scope), scope.meter);
    case '-':
      return (scope) => subtract(left(scope), right(scope));
    case '*':
      return (scope) => multiply(left(scope), right(scope));
    case '/':
      return (scope) => divide(left(scope), right(scope));
    case '%':
      if (isOp(node.args[1], 'value') && isZero(node.args[1].args)) throw new ConditionError('a remainder by zero never has a value');
      return (scope) => remainder(left(scope), right(scope));
    default:
      throw new ConditionError(`the operator ${op} is not available`);
  }
}

/** Of a literal: 0 or 0u. */
const isZero = (value: unknown): boolean =>
  value === 0n || value === 0 || (typeof value === 'object' && value !== null && (value as { value: unknown }).value === 0n);

function compileCall(node: NodeOf<'call'>, state: CompileState): Reader {
  const [name, args] = node.args;
  if (name === 'has') return compileHas(args[0]!, state, compileNode);
  const apply = plainFunctions.get(name);
  if (apply === undefined) throw new ConditionError(`the function ${name}() is not available`);
  const readers = args.map((arg) => compileNode(arg, state));
  return (scope) =>
    apply(
      readers.map((reader) => reader(scope)),
      scope.meter,
    );
}

const zoneMethods = /^get(?:FullYear|Month|Date|Day|Hours|Minutes|Seconds)/;

function compileMethod(node: NodeOf<'rcall'>, state: CompileState): Reader {
  const [name, receiver, args] = node.args;
  if (comprehensions.has(name)) return compileComprehension(node, state, compileNode);
  const read = compileNode(receiver, state);
  if (name === 'matches') return compileMatches(read, args[0]!);
  const apply = methodFunctions.get(name);
  if (apply === undefined) throw new ConditionError(`the function ${name}() is not available`);
  if (zoneMethods.test(name) && args[0] !== undefined) checkZone(args[0]);
  const readers = [read, ...args.map((arg) => compileNode(arg, state))];
  return (scope) =>
    apply(
      readers.map((reader) => reader(scope)),
      scope.meter,
    );
}

function literalText(node: ASTNode, what: string): string {
  if (!isOp(node, 'value') || typeof node.args !== 'string') throw new ConditionError(`${what} must be written out, as a string`);
  return node.args;
}

function checkZone(node: ASTNode): void {
  const zone = literalText(node, 'a time zone');
  try {
    zoneFormatter(zone);
  } catch (error) {
    throw new ConditionError(`there is no time zone ${JSON.stringify(zone)}`, { cause: error });
  }
}

function compileMatches(read: Reader, patternNode: ASTNode): Reader {
  const pattern = literalText(patternNode, 'the pattern of matches()');
  let compiled: ReturnType<typeof compilePartMatch>;
  try {
    compiled = compilePartMatch(pattern);
  } catch (error) {
    throw new ConditionError(`the pattern of matches() ${(error as Error).message}`, { cause: error });
  }
  const unitsPerCharacter = 1 + (compiled.programSize >>> 5);
  return (scope) => {
    const value = read(scope);
    if (typeof value !== 'string') throw new Fault(`matches() is not defined for ${typeName(value)}`);
    charge(scope.meter, 1 + value.length * unitsPerCharacter);
    return compiled.matches(value);
  };
}
