/**
 * Doc comments as data. The contract explains its schemas and operations in comments; here a comment before a member of an
 * object or an exported constant becomes a call, `__describe(value, comment)`, in the source as it is loaded.
 */
import { parseSync } from 'oxc-parser';

/** Source with each documented expression handed to `__describe`, which the loader of the source defines. */
export function callWithComments(source: string, file: string): string {
  const { program, comments, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]!.message}`);
  const docs = comments.filter(({ type, value }) => type === 'Block' && value.startsWith('*'));
  const insertions: { at: number; text: string }[] = [];

  function docBefore(start: number): string | undefined {
    const doc = docs.findLast(({ end }) => end <= start);
    return doc !== undefined && source.slice(doc.end, start).trim() === '' ? textOf(doc.value) : undefined;
  }

  function describe(expression: Node, doc: string, name = ''): void {
    insertions.push({ at: expression.start, text: `${name}__describe(` }, { at: expression.end, text: `, ${JSON.stringify(doc)})` });
  }

  visit(program as unknown as Node, (node) => {
    const doc = docBefore(node.start);
    if (doc === undefined) return;
    if (node.type === 'Property' && node.value !== undefined)
      describe(node.value, doc, node.shorthand ? `${source.slice(node.value.start, node.value.end)}: ` : '');
    if (node.type !== 'ExportNamedDeclaration' || node.declaration?.type !== 'VariableDeclaration') return;
    for (const { init } of node.declaration.declarations ?? []) if (init) describe(init, doc);
  });

  // From the end, so that earlier places stay where they are; of two at one place, the inner one goes in first.
  return insertions
    .toSorted((a, b) => b.at - a.at)
    .reduce((text, { at, text: inserted }) => text.slice(0, at) + inserted + text.slice(at), source);
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly value?: Node;
  readonly shorthand?: boolean;
  readonly declaration?: Node | null;
  readonly declarations?: readonly { readonly init?: Node | null }[];
}

function visit(node: Node, see: (node: Node) => void): void {
  if (typeof node.type === 'string') see(node);
  for (const child of Object.values(node)) {
    for (const one of Array.isArray(child) ? child : [child]) if (typeof one === 'object' && one !== null) visit(one as Node, see);
  }
}

/** The words of a comment: lines of a paragraph become one, blank lines stay. */
function textOf(comment: string): string {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\*+ ?/, '').trimEnd());
  return lines
    .join('\n')
    .trim()
    .replace(/([^\n])\n(?!\n)\s*/g, '$1 ');
}

export interface Doc {
  readonly description: string;
  /** The text after `@default`. */
  readonly fallback?: string;
}

/** A comment's description and its `@default`. */
export function readDoc(comment: string): Doc {
  const [description = '', ...rest] = comment.split(/(?:^|\s)@default\s+/);
  const fallback = rest.join(' ').trim();
  return { description: description.trim(), ...(fallback === '' ? {} : { fallback }) };
}

/** Value of the text after `@default` where that is JSON and nothing else. */
export function defaultOf(fallback: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(fallback) as unknown };
  } catch {
    return null;
  }
}
