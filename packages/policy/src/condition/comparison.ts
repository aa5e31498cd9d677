/** Compiles `==`, `!=` and `in`, which have a value only where every common server would agree (see equality.ts). */
import type { ASTNode } from '@marcbachmann/cel-js';

import type { Reader, Scope } from './environment.ts';
import { equality, equalNames, membership } from './equality.ts';
import { checkHeaderName, doubtAbout } from './member-access.ts';
import { cameWithRequest } from './origin.ts';
import { structField } from './struct-field.ts';
import { ConditionError, isOp } from './syntax-tree.ts';
import type { CompileState, NodeOf } from './syntax-tree.ts';
import { charge, Fault } from './values.ts';

/** The test of `<`, `<=`, `>` and `>=` on the order of two values. */
export const orders: Readonly<Record<string, (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** `==`, or with `isWanted` false `!=`. */
export function compileEquality(node: NodeOf<'=='>, left: Reader, right: Reader, isWanted: boolean, state: CompileState): Reader {
  const isWide = node.args.some((part) => cameWithRequest(part, state));
  const slots = node.args.map((part) => slotOf(part, state)).filter((slot) => slot >= 0);
  if (slots.length === 0) return (scope) => certain(equality(left(scope), right(scope), isWide, scope.meter)) === isWanted;
  return (scope) => {
    const [a, b] = [left(scope), right(scope)];
    const isName = slots.some((slot) => scope.names[slot] === true);
    return certain(isName ? equalNames(a, b) : equality(a, b, isWide, scope.meter)) === isWanted;
  };
}

/** The slot of the iteration variable that a node is; -1: it is something else. */
const slotOf = (node: ASTNode, { variables }: CompileState): number => (isOp(node, 'id') ? variables.lastIndexOf(node.args) : -1);

function certain(value: boolean | Fault): boolean {
  if (value instanceof Fault) throw value;
  return value;
}

export function compileIn(node: NodeOf<'in'>, left: Reader, right: Reader, state: CompileState): Reader {
  const [value, container] = node.args;
  if (structField(container, state)?.name === 'request.headers') checkHeaderName(isOp(value, 'value') ? value.args : undefined);
  if (isOp(value, 'value') && typeof value.args !== 'string' && (isOp(container, 'map') || isMapField(structField(container, state)?.name)))
    throw new ConditionError('the keys of a map are strings, so a value of another type is never in the map');
  const isWide = node.args.some((part) => cameWithRequest(part, state));
  const slot = slotOf(value, state);
  const doubt = doubtAbout(container, state);
  const isBody = cameWithRequest(container, state) && !isMapField(structField(container, state)?.name);
  return (scope) => {
    const [a, b] = [left(scope), right(scope)];
    if (slot >= 0 && scope.names[slot] === true && Array.isArray(b)) return certain(anyName(a, b, scope));
    const isDoubtfulName = (map: Readonly<Record<string, unknown>>, name: string): boolean =>
      doubt(map, name, false, scope) || (isBody && membership(name, Object.values(map), true, scope.meter, () => false) !== false);
    return certain(membership(a, b, isWide, scope.meter, isDoubtfulName));
  };
}

/** Whether the field is always a map, of which `in` tests the names and not the values. */
const isMapField = (struct: string | undefined): boolean => struct !== undefined && mapFields.has(struct);

const mapFields: ReadonlySet<string> = new Set([
  'request.headers',
  'request.query',
  'request.params',
  'identity.claims',
  'identity.labels',
]);

function anyName(name: unknown, list: readonly unknown[], { meter }: Scope): boolean | Fault {
  let fault: Fault | undefined;
  for (const item of list) {
    charge(meter, 2);
    const result = equalNames(name, item);
    if (result === true) return true;
    if (result instanceof Fault) fault = result;
  }
  return fault ?? false;
}
