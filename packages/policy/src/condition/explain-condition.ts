/** Takes a condition apart: which of its parts fail, and what they saw, where that may be shown. */
import type { ASTNode } from '@marcbachmann/cel-js';

import type { Facts } from '../facts.ts';
import { checkCondition, evaluateReader } from './condition.ts';
import type { ConditionEnvironment } from './environment.ts';
import { compileNode } from './evaluator.ts';
import { durationText, timestampText } from './time.ts';
import { Duration, Fault, Timestamp, typeName } from './values.ts';

export interface ConditionPart {
  /** As it is written in the condition. */
  readonly expression: string;
  readonly outcome: 'true' | 'false' | 'error';
  /** The value of each side that is not a literal; for bodies, headers and queries only the type. */
  readonly seen: readonly { readonly expression: string; readonly value: string }[];
  /** Where `outcome` is `error`. */
  readonly error?: string;
}

/** The operands of the outermost `&&` (or the whole, where there is none), each with its outcome. */
export function explainCondition(
  source: string,
  environment: ConditionEnvironment,
  facts: Facts,
  params: Readonly<Record<string, string>>,
): ConditionPart[] {
  const evaluate = (node: ASTNode): unknown => {
    const reader = compileNode(node, { environment, variables: [], sentVariables: [], reads: { body: false, params: false } });
    return evaluateReader(reader, facts, params);
  };
  return operands(checkCondition(source, environment), '&&').map((node): ConditionPart => {
    const value = evaluate(node);
    const expression = text(node);
    const seen = comparedNodes(node).map((part) => ({ expression: text(part), value: show(part, evaluate(part)) }));
    if (value instanceof Fault) return { expression, outcome: 'error', seen: seen.filter((one) => one.value !== ''), error: value.message };
    return { expression, outcome: value === true ? 'true' : 'false', seen };
  });
}

const text = (node: ASTNode): string => node.input.slice(node.start, node.end).trim();

function operands(node: ASTNode, op: '&&' | '||'): ASTNode[] {
  return node.op === op ? (node.args as [ASTNode, ASTNode]).flatMap((part) => operands(part, op)) : [node];
}

const comparisons: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=', 'in']);

/** Lists the operands of a comparison, or of each comparison of an alternative. */
function comparedNodes(node: ASTNode): ASTNode[] {
  if (node.op === '||') return operands(node, '||').flatMap(comparedNodes);
  if (node.op === '!_') return comparedNodes(node.args as ASTNode);
  if (comparisons.has(node.op)) return (node.args as ASTNode[]).filter((part) => part.op !== 'value' && part.op !== 'list');
  if (node.op === 'rcall') return [(node.args as [string, ASTNode, ASTNode[]])[1]];
  return node.op === '.' || node.op === '[]' ? [node] : [];
}

/** Bodies, headers and queries carry other people's data and secrets: their values are not repeated. */
const isPrivate = (node: ASTNode): boolean => /\brequest\s*\.\s*(?:body|headers|query)\b/.test(text(node));

function show(node: ASTNode, value: unknown): string {
  if (value instanceof Fault) return '';
  if (isPrivate(node)) return `a value of type ${typeName(value)}`;
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Duration) return durationText(value);
  const shown = JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? Number(one) : one)) ?? 'null';
  return shown.length > 200 ? `${shown.slice(0, 200)}…` : shown;
}
