/** The real imports of a source file, and what else passes a wall: read from its syntax tree, not by searching its text. */
import { parseSync, Visitor } from 'oxc-parser';

export interface Import {
  /** As written; null where it is computed. */
  readonly specifier: string | null;
  /** Imported names; empty where all of the module is taken (`import * as`, `import()`, `export *`). */
  readonly names: readonly string[];
  readonly isType: boolean;
}

export interface SourceFacts {
  readonly imports: readonly Import[];
  /** Reads `process.env`, in any spelling. */
  readonly readsEnvironment: boolean;
}

interface Named {
  readonly type: string;
  readonly property?: Named;
  readonly name?: string;
  readonly value?: unknown;
}

export function readSource(file: string, text: string): SourceFacts {
  const { module, program, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file} cannot be parsed: ${errors[0]!.message}`);
  const imports: Import[] = [];
  for (const { moduleRequest, entries } of module.staticImports) {
    const values = entries.filter((entry) => !entry.isType);
    const isType = entries.length > 0 && values.length === 0;
    const takesAll = entries.some((entry) => entry.importName.kind === 'NamespaceObject');
    const names = takesAll ? [] : values.map((entry) => (entry.importName.kind === 'Default' ? 'default' : entry.importName.name!));
    imports.push({ specifier: moduleRequest.value, names, isType });
  }
  for (const { entries } of module.staticExports) {
    for (const entry of entries) {
      if (entry.moduleRequest === null || entry.moduleRequest === undefined) continue;
      const { name } = entry.importName;
      imports.push({ specifier: entry.moduleRequest.value, names: name ? [name] : [], isType: entry.isType });
    }
  }
  let readsEnvironment = false;
  new Visitor({
    ImportExpression(node) {
      const { source } = node as unknown as { source: Named };
      imports.push({
        specifier: source.type === 'Literal' && typeof source.value === 'string' ? source.value : null,
        names: [],
        isType: false,
      });
    },
    MemberExpression(node) {
      const { object, property } = node as unknown as { object: Named; property: Named };
      const member = property.name ?? property.value;
      const owner = object.name ?? object.property?.name;
      if (owner === 'process' && member === 'env') readsEnvironment = true;
      if (object.name === 'process' && member === 'getBuiltinModule') imports.push({ specifier: null, names: [], isType: false });
    },
    VariableDeclarator(node) {
      const { id, init } = node as unknown as { id: { properties?: { key?: Named }[] }; init: Named | null };
      const takesEnvironment = (id.properties ?? []).some(({ key }) => key?.name === 'env' || key?.value === 'env');
      if (init?.name === 'process' && takesEnvironment) readsEnvironment = true;
    },
  }).visit(program);
  if (imports.some(({ specifier, names }) => /^(?:node:)?process$/.test(specifier ?? '') && names.includes('env'))) readsEnvironment = true;
  return { imports, readsEnvironment };
}
