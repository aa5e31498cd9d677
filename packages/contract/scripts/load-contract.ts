/** The contract, with its doc comments as descriptions of its schemas and operations. */
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

import { callWithComments, defaultOf, readDoc } from './doc-comments.ts';

const sources = new URL('../src/', import.meta.url).href;

interface Schema {
  readonly def: { readonly type: string; readonly defaultValue?: unknown };
  meta(): Record<string, unknown> | undefined;
  meta(metadata: Record<string, unknown>): Schema;
}

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null && '_zod' in value;

/** The same value with the comment as its description. Anything but a schema or an operation stays as it is. */
export function describeValue(value: unknown, comment: string): unknown {
  const { description, fallback } = readDoc(comment);
  if (isSchema(value)) {
    const extra = fallback === undefined ? '' : explainDefault(value, fallback, comment);
    const text = [description, extra].filter(Boolean).join(' ');
    return text === '' ? value : value.meta({ ...value.meta(), description: text });
  }
  if (typeof value === 'object' && value !== null && 'audience' in value && !('description' in value)) return { ...value, description };
  return value;
}

/** Words of a `@default` that the schema's own default does not say. @throws Error where the two differ */
function explainDefault(schema: Schema, fallback: string, comment: string): string {
  const { type, defaultValue } = schema.def;
  const said = defaultOf(fallback);
  if (type !== 'default') return `Default: ${fallback}.`;
  if (said === null) return `The default is ${fallback}.`;
  if (!isDeepStrictEqual(said.value, defaultValue))
    throw new Error(`A comment says "${comment}", and the schema's default is ${JSON.stringify(defaultValue)}.`);
  return '';
}

export async function loadContract(): Promise<typeof import('../src/index.ts')> {
  Object.assign(globalThis, { __describe: describeValue });
  const hooks = registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.startsWith(sources) || loaded.source == null) return loaded;
      return { ...loaded, source: callWithComments(Buffer.from(loaded.source as Uint8Array).toString('utf8'), fileURLToPath(url)) };
    },
  });
  try {
    return await import('../src/index.ts');
  } finally {
    hooks.deregister();
  }
}
