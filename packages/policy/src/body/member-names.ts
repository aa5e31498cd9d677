/**
 * Which names a server could take for which. Go's encoding/json and ASP.NET ignore case, C libraries stop at a NUL,
 * protobuf's JSON takes `card_number` for `cardNumber`, PHP, Rails and Express (qs) read `role[]` and `user[role]` as
 * parts of `role` and `user`, PHP reads a dot or a space as an underscore, CGI reads the header `x_role` as `x-role`.
 */

/** `member`: of a JSON object; `parameter`: of a query or a form; `header`: of a header, already in lower case. */
export type NameKind = 'member' | 'parameter' | 'header';

/** Parameters after a `;` that are looked at; beyond these every name is in doubt. */
const maxSemicolons = 100;
/** Characters of the name of a member or field. */
export const maxNameLength = 4096;

const foldedAlready = /^[a-z0-9_ -]*$/;

/**
 * Names that fold alike are one name to some server: letters that Unicode's simple case folding makes equal (full
 * case mapping is a little wider), and everything from a NUL on.
 */
export function foldName(name: string): string {
  if (name.length < 64 && foldedAlready.test(name)) return name;
  const nul = name.indexOf('\0');
  const whole = nul < 0 ? name : name.slice(0, nul);
  return whole.toLowerCase().toUpperCase().toLowerCase();
}

const withoutSeparators = (folded: string): string => folded.replace(/[_-]+/g, '');

/** As qs reads it: `[role]` is `role`. */
const bare = (name: string): string => foldName(name).replace(/^\s*(?:\[([^\]]*)\]?)?/, '$1');

/** The name before the first bracket or dot: `user` of `user[role]` and of `user.role`. */
function rootOf(name: string): string {
  const whole = bare(name);
  const end = whole.slice(1).search(/[[.]/);
  return end < 0 ? whole : whole.slice(0, end + 1);
}

/** As PHP reads it: a dot or a space is an underscore. */
const parameterName = (name: string): string => bare(name).replace(/[. ]/g, '_');

/** Of a map that came with a request: each of its names under every name that a server could take it for. */
export class NameIndex {
  readonly #names = new Map<string, string[]>();
  /** Names of parameters after a `;` within a name or a value: some servers end a parameter there. */
  readonly #hidden = new Set<string>();
  #semicolons = 0;
  #hidesAny = false;
  readonly #kind: NameKind;

  constructor(map: Readonly<Record<string, unknown>>, kind: NameKind) {
    this.#kind = kind;
    for (const name of Object.keys(map)) {
      for (const key of new Set(keysOf(name, kind))) {
        const same = this.#names.get(key);
        if (same === undefined) this.#names.set(key, [name]);
        else same.push(name);
      }
      if (kind === 'parameter') this.#hide(name, map[name]);
    }
  }

  #hide(name: string, values: unknown): void {
    for (const text of Array.isArray(values) ? [name, ...(values as unknown[])] : [name]) {
      if (typeof text !== 'string' || this.#hidesAny) continue;
      for (let at = text.indexOf(';'); at >= 0; at = text.indexOf(';', at + 1)) {
        if (++this.#semicolons > maxSemicolons) {
          this.#hidesAny = true;
          break;
        }
        const [hidden] = text.slice(at + 1, at + 1 + maxNameLength).split(/[=;]/, 1);
        for (const key of keysOf(hidden!, 'parameter')) this.#hidden.add(key);
      }
    }
  }

  /** Whether a server could find something else under this name, or something although the name itself is not there. */
  isDoubtful(name: string, isThere: boolean): boolean {
    const key = lookupKey(name, this.#kind);
    if (this.#hidesAny || this.#hidden.has(key)) return true;
    const others = this.#names.get(key);
    return others !== undefined && others.some((other) => isTakenFor(other, name, this.#kind, isThere));
  }
}

/** The same for a map of few names, without an index. Null: it takes one. */
export function isDoubtfulAmong(
  map: Readonly<Record<string, unknown>>,
  names: readonly string[],
  name: string,
  kind: NameKind,
  isThere: boolean,
): boolean | null {
  const key = lookupKey(name, kind);
  for (const other of names) {
    if (kind === 'parameter' && hidesNames(other, map[other])) return null;
    if (keysOf(other, kind).includes(key) && isTakenFor(other, name, kind, isThere)) return true;
  }
  return false;
}

/** Whether a parameter could have another after a `;` within it; also of what is too long to be looked through each time. */
function hidesNames(name: string, values: unknown): boolean {
  if (name.includes(';')) return true;
  if (!Array.isArray(values)) return false;
  return (
    values.length > maxScannedValues ||
    values.some((value) => typeof value === 'string' && (value.length > maxScannedLength || value.includes(';')))
  );
}

const maxScannedValues = 8;
const maxScannedLength = 256;

/** Of two names with a key in common. */
function isTakenFor(other: string, name: string, kind: NameKind, isThere: boolean): boolean {
  if (!isThere) return true;
  if (other === name) return false;
  if (kind === 'header') return true;
  // Beside a name that is there, `userId` and `user_id` are two; `role` and `role[]`, `user_role` and `user.role` are one.
  return parameterName(other) === parameterName(name) || (!isCompound(name) && rootOf(other) === foldName(name));
}

const isCompound = (name: string): boolean => /[[.]/.test(name.slice(1));

/** Names come again with every call, so that their keys are kept; longer ones are made anew. */
const knownKeys: Readonly<Record<NameKind, Map<string, readonly string[]>>> = {
  member: new Map(),
  parameter: new Map(),
  header: new Map(),
};
const maxKnownNames = 1000;
const maxKnownLength = 64;

function keysOf(name: string, kind: NameKind): readonly string[] {
  const known = knownKeys[kind];
  let keys = known.get(name);
  if (keys === undefined) {
    keys = makeKeys(name, kind);
    if (name.length <= maxKnownLength) {
      if (known.size >= maxKnownNames) known.clear();
      known.set(name, keys);
    }
  }
  return keys;
}

function makeKeys(name: string, kind: NameKind): readonly string[] {
  if (kind === 'header') return [name.replaceAll('_', '-')];
  if (kind === 'member') return [withoutSeparators(foldName(name))];
  return [withoutSeparators(parameterName(name)), withoutSeparators(rootOf(name))];
}

const lookupKey = (name: string, kind: NameKind): string => keysOf(name, kind)[0]!;

/** Two names that a server could take for one, neither being in a map. */
export const couldBeSameName = (a: string, b: string): boolean => {
  const [keys, others] = [keysOf(a, 'parameter'), keysOf(b, 'parameter')];
  return keys.some((key) => others.includes(key));
};
