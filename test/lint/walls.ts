/** Holds the imports of a source file against the walls of its room. */
import { connecting, openingSecrets, walls, type Wall } from '../../scripts/walls/walls.ts';
import { readSource, type Import } from './read-imports.ts';

export interface RoomUse {
  readonly packages: Set<string>;
  readonly node: Set<string>;
  readonly environment: Set<string>;
  readonly loads: Set<string>;
}

export const emptyUse = (): RoomUse => ({ packages: new Set(), node: new Set(), environment: new Set(), loads: new Set() });

/** The room of a file (`apps/relay/src/a.ts`: `apps/relay`), and the file's path below `src`; null outside of rooms. */
export function placeOf(file: string): { room: string; below: string } | null {
  const match = /^((?:apps|packages|examples)\/[^/]+)\/src\/(.+)$/.exec(file);
  return match === null ? null : { room: match[1]!, below: match[2]! };
}

/** A sentence for each breach of a wall by this file; what it uses is added to `use`. */
export function breachesOf(file: string, text: string, use: RoomUse = emptyUse()): string[] {
  const place = placeOf(file);
  if (place === null) return [];
  const wall = walls[place.room];
  if (wall === undefined) return [`${place.room} has no wall in scripts/walls/walls.ts`];
  const { imports, readsEnvironment } = readSource(file, text);
  const breaches: string[] = [];
  if (readsEnvironment) {
    use.environment.add(place.below);
    if (wall.environment !== place.below) breaches.push(`${file} reads the environment`);
  }
  for (const one of imports) {
    const breach = breachOf(one, place.below, wall, use);
    if (breach !== null) breaches.push(`${file} ${breach}`);
  }
  return breaches;
}

function breachOf(one: Import, below: string, wall: Wall, use: RoomUse): string | null {
  const { specifier, names, isType } = one;
  if (specifier === null) {
    use.loads.add(below);
    return wall.loads?.includes(below) === true ? null : 'loads a module by a computed name';
  }
  if (specifier.startsWith('.')) return relativeBreach(specifier, below);
  if (specifier.startsWith('node:')) return nodeBreach(specifier.slice('node:'.length), one, below, wall, use);
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  use.packages.add(name);
  if (!wall.packages.includes(name)) return `uses ${name}`;
  if (name === '@hoop/sealing' && wall.opensSecrets !== true && !isType) {
    if (names.length === 0) return `takes all of ${name}`;
    const opening = names.find((export_) => openingSecrets.includes(export_ as (typeof openingSecrets)[number]));
    if (opening !== undefined) return `uses ${opening}`;
  }
  return null;
}

function relativeBreach(specifier: string, below: string): string | null {
  if (/^(?:\.\.\/)+package\.json$/.test(specifier)) return null;
  const parts = below.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined) return `leaves its room by ${specifier}`;
    } else if (part !== '.') parts.push(part);
  }
  return /(?:^|\/)testing(?:\/|\.ts$)|\.test\.ts$/.test(parts.join('/')) ? `imports the test code ${specifier}` : null;
}

function nodeBreach(name: string, { names, isType }: Import, below: string, wall: Wall, use: RoomUse): string | null {
  use.node.add(name);
  if (name === 'module') use.loads.add(below);
  if (!wall.node.includes(name)) return `uses node:${name}`;
  if (name === 'module' && wall.loads?.includes(below) !== true) return 'loads a module by a computed name';
  const opening = connecting[name];
  if (opening === undefined || isType || mayConnect(wall, below)) return null;
  if (names.length === 0) return `takes all of node:${name}`;
  const found = names.find((one) => one === 'default' || opening.includes(one));
  return found === undefined ? null : `opens connections by ${found} of node:${name}`;
}

function mayConnect(wall: Wall, below: string): boolean {
  return (wall.connects ?? []).some(
    (pattern) => pattern === '*' || pattern === below || (pattern.endsWith('/*') && below.startsWith(pattern.slice(0, -1))),
  );
}
