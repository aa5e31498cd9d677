/** Which parts of a condition come with the request, and under which other names a server could find their members. */
import type { ASTNode } from '@marcbachmann/cel-js';

import { isDoubtfulAmong, NameIndex } from '../body/member-names.ts';
import type { NameKind } from '../body/member-names.ts';
import type { Scope } from './environment.ts';
import { structField } from './struct-field.ts';
import { isOp } from './syntax-tree.ts';
import type { CompileState } from './syntax-tree.ts';
import { charge, stringCost } from './values.ts';
import type { Meter } from './values.ts';

const sent: ReadonlySet<string> = new Set(['request.body', 'request.query', 'request.headers', 'request.params', 'request.path']);

/** Whether a value depends on what the caller sent. */
export function cameWithRequest(node: ASTNode, state: CompileState): boolean {
  const visit = (part: unknown): boolean => {
    if (Array.isArray(part)) return part.some(visit);
    if (typeof part !== 'object' || part === null || !('op' in part) || !('args' in part)) return false;
    const inner = part as ASTNode;
    if (isOp(inner, 'id')) return state.sentVariables[state.variables.lastIndexOf(inner.args)] === true;
    const field = structField(inner, state);
    return field === undefined ? visit(inner.args) : sent.has(field.name);
  };
  return visit(node);
}

/** How the names of a map are read; null: exactly, because the map did not come with the request. */
export function nameKindOf(map: ASTNode, state: CompileState): ((scope: Scope) => NameKind) | null {
  const field = structField(map, state)?.name;
  if (field === 'request.headers') return () => 'header';
  if (field === 'request.query') return () => 'parameter';
  if (field === 'request.params') return null;
  if (field === 'request.body') return ({ facts }) => (facts.request.bodyFormat === 'form' ? 'parameter' : 'member');
  return cameWithRequest(map, state) ? () => 'member' : null;
}

type MapValue = Readonly<Record<string, unknown>>;

/** The possible readings of a map's names, computed on first use. */
const indexes = new WeakMap<object, NameIndex>();

/** Up to here an index costs more than it saves. */
const fewNames = 32;
/** Folding a name and keeping it costs as much as about so many steps. */
const unitsPerName = 20;

/** Whether a server could find another value under this name, or one although the name is not there. */
export function isNameInDoubt(map: MapValue, name: string, kind: NameKind, isThere: boolean, meter: Meter): boolean {
  // JSON in which one name could hide another is not parsed.
  if (kind === 'member' && isThere) return false;
  let index = indexes.get(map);
  if (index === undefined) {
    const names = Object.keys(map);
    if (names.length <= fewNames) {
      charge(meter, names.length);
      const isDoubtful = isDoubtfulAmong(map, names, name, kind, isThere);
      if (isDoubtful !== null) return isDoubtful;
    }
    for (const one of names) charge(meter, unitsPerName + stringCost(one));
    indexes.set(map, (index = new NameIndex(map, kind)));
  }
  return index.isDoubtful(name, isThere);
}
