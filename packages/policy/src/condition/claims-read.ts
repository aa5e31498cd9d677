import type { ASTNode } from '@marcbachmann/cel-js';

import { isOp } from './syntax-tree.ts';
import type { NodeOf } from './syntax-tree.ts';

/** Names of claims; `'all'` where a name is known only at the call, or the claims are read as a whole. */
export type ClaimsRead = ReadonlySet<string> | 'all';

export const noClaims: ClaimsRead = new Set<string>();

/** The claims that an expression reads as `identity.claims.NAME`, `identity.claims["NAME"]` or `"NAME" in identity.claims`. */
export function claimsReadBy(tree: ASTNode): ClaimsRead {
  const names = new Set<string>();
  return collect(tree, names) ? (names.size === 0 ? noClaims : names) : 'all';
}

/** False where the expression may read any claim. */
function collect(part: unknown, names: Set<string>): boolean {
  if (Array.isArray(part)) return part.every((one) => collect(one, names));
  if (!isNode(part)) return true;
  const name = nameRead(part);
  if (name !== undefined) {
    names.add(name);
    return true;
  }
  return !isClaims(part) && collect(part.args, names);
}

/** The claim that this node itself reads. */
function nameRead(node: ASTNode): string | undefined {
  if (isOp(node, '.') && isClaims((node as NodeOf<'.'>).args[0])) return (node as NodeOf<'.'>).args[1];
  const [object, key] =
    node.op === '[]'
      ? ((node as NodeOf<'[]'>).args as [ASTNode, ASTNode])
      : node.op === 'in'
        ? ((node as NodeOf<'in'>).args as [ASTNode, ASTNode]).toReversed()
        : [];
  if (object === undefined || key === undefined || !isClaims(object) || !isOp(key, 'value')) return undefined;
  return typeof key.args === 'string' ? key.args : undefined;
}

/** A variable of a comprehension cannot be called `identity`, so this is always the identity of the call. */
function isClaims(node: ASTNode): boolean {
  if (!isOp(node, '.')) return false;
  const [object, field] = node.args;
  return field === 'claims' && isOp(object, 'id') && object.args === 'identity';
}

const isNode = (part: unknown): part is ASTNode => typeof part === 'object' && part !== null && 'op' in part && 'args' in part;
