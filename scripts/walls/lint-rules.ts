/** Lint rules from the table of walls. What is not allowed is refused, so each pattern is "anything but". */
import { connecting, connectingGlobals, openingSecrets, testFiles, walls, type Wall } from './walls.ts';

interface Override {
  readonly files: readonly string[];
  readonly rules: Readonly<Record<string, unknown>>;
}

/** A pattern of `no-restricted-imports`: by regular expression (without look-around), or by globs of which `!` takes some back. */
interface Restriction {
  readonly regex?: string;
  readonly group?: readonly string[];
  readonly message: string;
  readonly importNames?: readonly string[];
  readonly allowTypeImports?: boolean;
}

/** The overrides of the lint configuration, most general first: a later one replaces the rule of an earlier one. */
export function lintOverrides(): Override[] {
  const overrides: Override[] = [
    { files: ['packages/*/src/**', 'apps/*/src/**', 'examples/*/src/**'], rules: rulesOf(unknownRoom(), false, false) },
  ];
  for (const [room, wall] of Object.entries(walls)) {
    const src = `${room}/src`;
    const everywhere = wall.connects?.includes('*') ?? false;
    overrides.push({ files: [`${src}/**`], rules: rulesOf(restrictionsOf(room, wall, everywhere), everywhere, false) });
    const some = everywhere ? [] : (wall.connects ?? []);
    if (some.length > 0) {
      overrides.push({ files: some.map((file) => `${src}/${file}`), rules: rulesOf(restrictionsOf(room, wall, true), true, false) });
    }
    if (wall.environment !== undefined) {
      overrides.push({ files: [`${src}/${wall.environment}`], rules: environmentRules(true, everywhere) });
    }
  }
  overrides.push({
    files: testFiles,
    rules: { 'no-restricted-imports': 'off', 'no-restricted-globals': 'off', 'no-restricted-properties': 'off' },
  });
  return overrides;
}

function rulesOf(patterns: readonly Restriction[], mayConnect: boolean, mayReadEnvironment: boolean): Override['rules'] {
  const globals = mayConnect
    ? []
    : connectingGlobals.map((name) => ({ name, message: 'Connections go out through @hoop/upstream, which guards them.' }));
  return {
    'no-restricted-imports': ['error', { patterns }],
    'no-restricted-globals': ['error', ...globals, { name: 'require', message: 'Modules are imported.' }],
    ...environmentRules(mayReadEnvironment, mayConnect),
  };
}

function environmentRules(mayReadEnvironment: boolean, mayConnect: boolean): Override['rules'] {
  const environment = mayReadEnvironment
    ? []
    : [{ object: 'process', property: 'env', message: "One file of an app reads the environment: see the room's wall." }];
  return {
    'no-restricted-properties': [
      'error',
      ...environment,
      { object: 'process', property: 'getBuiltinModule', message: 'Modules are imported.' },
      ...(mayConnect ? [] : connectingGlobals).map((property) => ({
        object: 'globalThis',
        property,
        message: 'Use the global by its name, so that the walls see it.',
      })),
    ],
  };
}

function unknownRoom(): Restriction[] {
  return [...insideOnly, { group: anythingBut([]), message: 'This room has no wall yet: add it to scripts/walls/walls.ts.' }];
}

/** Relative imports stay in the room's own source, and out of its tests. */
const insideOnly: readonly Restriction[] = [
  {
    regex: String.raw`^(?:\.{1,2}/)+[^.].*/src(?:/|$)`,
    message: "A room is imported by its name, never by a path into another room's source.",
  },
  {
    regex: String.raw`^(?:\.{1,2}/)+(?:.*/)?(?:(?:test|tests|testing|bench)(?:/|\.ts$)|[^/]*\.test\.ts$)`,
    message: 'Product code imports no tests.',
  },
  { regex: String.raw`^(?:\.{1,2}/)+(?:.*/)?node_modules/|^(?:/|file:|data:|https?:)`, message: 'A package is imported by its name.' },
];

function restrictionsOf(room: string, wall: Wall, mayConnect: boolean): Restriction[] {
  const allowed = [...wall.packages.flatMap((name) => [name, `${name}/**`]), ...wall.node.map((name) => `node:${name}`)];
  const restrictions: Restriction[] = [...insideOnly];
  if (!mayConnect) {
    for (const name of wall.node.filter((one) => one in connecting)) {
      restrictions.push({
        regex: `^node:${literal(name)}$`,
        importNames: [...connecting[name]!, 'default'],
        allowTypeImports: true,
        message: 'Connections go out through @hoop/upstream, which guards them.',
      });
    }
  }
  if (wall.opensSecrets !== true && wall.packages.includes('@hoop/sealing')) {
    restrictions.push({
      regex: '^@hoop/sealing$',
      importNames: openingSecrets,
      message: 'Only the relay opens the secrets of credential sources.',
    });
  }
  // Last: a name that a group takes back is not looked at by the patterns after it.
  restrictions.push({ group: anythingBut(allowed), message: `${room} may not use this: scripts/walls/walls.ts lists what it may.` });
  return restrictions;
}

const anythingBut = (allowed: readonly string[]): string[] => ['**', ...['./**', '../**', ...allowed].map((one) => `!${one}`)];

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
