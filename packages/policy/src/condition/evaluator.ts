/**
 * Turns a type-checked CEL syntax tree into closures. cel-js parses and checks; the evaluation is ours because
 * cel-js's own has no limit on cost, runs `matches` on V8's RegExp, and keeps a type per shape of value that it
 * meets, which a caller's bodies could grow without end (docs/adr/0020-cel-evaluation.md).
 */
import type { ASTNode } from '@marcbachmann/cel-js';

import { compilePartMatch } from '../re2.ts';
import type { ConditionEnvironment, Reader, Scope } from './environment.ts';
import { methodFunctions, plainFunctions } from './functions.ts';
import { zoneFormatter } from './time.ts';
import { add, charge, compare, divide, Fault, isEqual, isIn, isMap, known, multiply, negate, remainder, subtract, typeName } from './values.ts';

/** An expression that conditions do not allow; the message is a sentence for the policy's author. */
export class ConditionError extends Error {
  override readonly name = 'ConditionError';
}

export interface CompileState {
  readonly environment: ConditionEnvironment;
  /** Names of the iteration variables in scope; the index is the slot. */
  readonly variables: readonly string[];
  /** Set when `request.body`, `request.params` are read anywhere. */
  readonly reads: { body: boolean; params: boolean };
}

type NodeOf<Op extends ASTNode['op']> = Extract<ASTNode, { op: Op }>;

const sourceOf = (node: ASTNode): string => node.input.slice(node.start, node.end);
const isOp = <Op extends ASTNode['op']>(node: ASTNode, op: Op): node is NodeOf<Op> => node.op === op;

export function compileNode(node: ASTNode, state: CompileState): Reader {
  switch (node.op) {
    case 'value':
      return compileLiteral(node.args);
    case 'id':
      return compileVariable(node.args, state);
    case '.':
      return compileField(node as NodeOf<'.'>, state);
    case '[]':
      return compileIndex(node as NodeOf<'[]'>, state);
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

export function bool(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new Fault(`a ${typeName(value)} stands where true or false is needed`);
  return value;
}

function compileLiteral(value: unknown): Reader {
  if (value instanceof Uint8Array) throw new ConditionError('bytes are not available');
  const literal = typeof value === 'object' && value !== null ? (value as { value: bigint }).value : value; // 1u
  return () => literal;
}

function compileVariable(name: string, { environment, variables }: CompileState): Reader {
  const slot = variables.lastIndexOf(name);
  if (slot >= 0) return (scope) => known(scope.variables[slot], `\`${name}\``);
  const reader = Object.hasOwn(environment.values, name) ? environment.values[name] : undefined;
  if (reader !== undefined) return reader;
  if (Object.hasOwn(environment.structs, name)) {
    const fields = Object.keys(environment.structs[name]!).map((field) => `${name}.${field}`);
    throw new ConditionError(`\`${name}\` cannot be used as a whole; use one of ${fields.join(', ')}`);
  }
  throw new ConditionError(`\`${name}\` is not available`);
}

/** The reader of `request.headers` and the like, where the node is a field of a struct variable. */
function structField(node: ASTNode, state: CompileState): { name: string; reader: Reader } | undefined {
  if (!isOp(node, '.')) return undefined;
  const [object, field] = node.args;
  if (!isOp(object, 'id') || state.variables.includes(object.args) || !Object.hasOwn(state.environment.structs, object.args)) return undefined;
  const fields = state.environment.structs[object.args]!;
  if (!Object.hasOwn(fields, field)) throw new ConditionError(`\`${object.args}.${field}\` does not exist`);
  const name = `${object.args}.${field}`;
  if (name === 'request.body') state.reads.body = true;
  if (name === 'request.params') state.reads.params = true;
  return { name, reader: fields[field]! };
}

function compileField(node: NodeOf<'.'>, state: CompileState): Reader {
  const field = structField(node, state);
  if (field !== undefined) return field.reader;
  const [object, key] = node.args;
  return compileMember(object, () => key, key, node, state);
}

function compileIndex(node: NodeOf<'[]'>, state: CompileState): Reader {
  const [object, key] = node.args;
  return compileMember(object, compileNode(key, state), isOp(key, 'value') ? key.args : undefined, node, state);
}

function compileMember(object: ASTNode, key: Reader, literalKey: unknown, node: ASTNode, state: CompileState): Reader {
  const source = sourceOf(node);
  const read = compileNode(object, state);
  if (structField(object, state)?.name === 'request.headers') {
    checkHeaderName(literalKey);
    return (scope) => {
      const value = member(read(scope), key(scope), source);
      if (typeof value === 'string') return value;
      // two lines of one header can be read as one or the other: which one the target takes is not known
      throw new Fault(`\`${source}\` was sent more than once`);
    };
  }
  return (scope) => member(read(scope), key(scope), source);
}

function checkHeaderName(name: unknown): void {
  if (typeof name === 'string' && name !== name.toLowerCase())
    throw new ConditionError(`header names are lower case: write ${JSON.stringify(name.toLowerCase())}`);
}

function member(object: unknown, key: unknown, source: string): unknown {
  if (Array.isArray(object)) {
    const index = typeof key === 'bigint' || typeof key === 'number' ? Number(key) : Number.NaN;
    if (Number.isInteger(index) && index >= 0 && index < object.length) return known(object[index], `\`${source}\``);
  } else if (typeof key === 'string' && isMap(object) && Object.hasOwn(object, key) && object[key] !== undefined) {
    return known(object[key], `\`${source}\``);
  }
  throw new Fault(`\`${source}\` does not exist`);
}

function compileMap(node: NodeOf<'map'>, state: CompileState): Reader {
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

/** CEL's commutative logic: `decisive` on either side decides, whatever the other side is, even a fault. */
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

/** Faults of values can be outvoted; anything else ends the evaluation. */
function absorb(error: unknown, { meter }: Scope): Fault {
  if (!(error instanceof Fault) || error.kind === 'body' || error.kind === 'budget') throw error;
  charge(meter, 20); // throwing is dear
  return error;
}

/** Of an error and a value that is not known, the whole is not known: the value might have decided. */
const lessCertain = (a: Fault | undefined, b: Fault): Fault => (a === undefined || b.kind === 'masked' ? b : a);

function compileBinary(node: NodeOf<'=='>, state: CompileState): Reader {
  const [left, right] = node.args.map((part) => compileNode(part, state)) as [Reader, Reader];
  const op: string = node.op;
  switch (op) {
    case '==':
      return (scope) => isEqual(left(scope), right(scope), scope.meter);
    case '!=':
      return (scope) => !isEqual(left(scope), right(scope), scope.meter);
    case '<':
      return (scope) => compare(left(scope), right(scope), op, scope.meter) < 0;
    case '<=':
      return (scope) => compare(left(scope), right(scope), op, scope.meter) <= 0;
    case '>':
      return (scope) => compare(left(scope), right(scope), op, scope.meter) > 0;
    case '>=':
      return (scope) => compare(left(scope), right(scope), op, scope.meter) >= 0;
    case 'in':
      if (structField(node.args[1], state)?.name === 'request.headers') checkHeaderName(isOp(node.args[0], 'value') ? node.args[0].args : undefined);
      return (scope) => isIn(left(scope), right(scope), scope.meter);
    case '+':
      return (scope) => add(left(scope), right(scope), scope.meter);
    case '-':
      return (scope) => subtract(left(scope), right(scope));
    case '*':
      return (scope) => multiply(left(scope), right(scope));
    case '/':
      return (scope) => divide(left(scope), right(scope));
    case '%':
      return (scope) => remainder(left(scope), right(scope));
    default:
      throw new ConditionError(`the operator ${op} is not available`);
  }
}

function compileCall(node: NodeOf<'call'>, state: CompileState): Reader {
  const [name, args] = node.args;
  if (name === 'has') return compileHas(args[0]!, state);
  const apply = plainFunctions.get(name);
  if (apply === undefined) throw new ConditionError(`the function ${name}() is not available`);
  const readers = args.map((arg) => compileNode(arg, state));
  return (scope) => apply(readers.map((reader) => reader(scope)), scope.meter);
}

function compileHas(node: ASTNode, state: CompileState): Reader {
  if (!isOp(node, '.')) throw new ConditionError('has() needs a field, such as has(request.body.amount)');
  const field = structField(node, state);
  if (field !== undefined) return (scope) => field.reader(scope) !== null;
  const [object, key] = node.args;
  if (structField(object, state)?.name === 'request.headers') checkHeaderName(key);
  const read = compileNode(object, state);
  const source = sourceOf(object);
  return (scope) => {
    const value = read(scope);
    if (!isMap(value)) throw new Fault(`\`${source}\` has no fields`);
    return Object.hasOwn(value, key);
  };
}

const zoneMethods = /^get(?:FullYear|Month|Date|Day|Hours|Minutes|Seconds)/;

function compileMethod(node: NodeOf<'rcall'>, state: CompileState): Reader {
  const [name, receiver, args] = node.args;
  if (comprehensions.has(name)) return compileComprehension(node, state);
  const read = compileNode(receiver, state);
  if (name === 'matches') return compileMatches(read, args[0]!);
  const apply = methodFunctions.get(name);
  if (apply === undefined) throw new ConditionError(`the function ${name}() is not available`);
  if (zoneMethods.test(name) && args[0] !== undefined) checkZone(args[0]);
  const readers = [read, ...args.map((arg) => compileNode(arg, state))];
  return (scope) => apply(readers.map((reader) => reader(scope)), scope.meter);
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

const comprehensions: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

function compileComprehension(node: NodeOf<'rcall'>, state: CompileState): Reader {
  const [name, receiver, args] = node.args;
  const [variable, ...parts] = args;
  if (variable === undefined || !isOp(variable, 'id')) throw new ConditionError(`${name}() needs a variable, such as ${name}(item, …)`);
  const taken = Object.hasOwn(state.environment.values, variable.args) || Object.hasOwn(state.environment.structs, variable.args);
  if (taken || state.variables.includes(variable.args)) throw new ConditionError(`the variable ${variable.args} of ${name}() hides another; choose another name`);
  const range = compileNode(receiver, state);
  const inner: CompileState = { ...state, variables: [...state.variables, variable.args] };
  const [first, second] = parts.map((part) => compileNode(part, inner));
  const slot = state.variables.length;
  const unitsPerStep = 1 + parts.reduce((sum, part) => sum + countNodes(part), 0);
  const source = sourceOf(receiver);

  const items = (scope: Scope): readonly unknown[] => {
    const value = range(scope);
    if (Array.isArray(value)) return value;
    if (!isMap(value)) throw new Fault(`\`${source}\` is neither a list nor a map`);
    const keys = Object.keys(value);
    charge(scope.meter, keys.length);
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

export function countNodes(node: ASTNode): number {
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
