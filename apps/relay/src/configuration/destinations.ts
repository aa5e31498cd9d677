/** Which connections a URL can mean. Kept beside the connections, as the proxy asks for it at every call. */
import type { ConnectionSnapshot } from '@hoop/contract';
import { normalisePath } from '@hoop/upstream';

interface Place {
  readonly id: string;
  /** As paths of requests are normalised; `` or `/v2`. */
  readonly basePath: string;
}

export interface Destination extends Place {
  /** The path under the base path: ``, or it starts with `/`. */
  readonly rest: string;
}

export class Destinations {
  readonly #byOrigin = new Map<string, Place[]>();

  add({ id, settings }: ConnectionSnapshot): void {
    const place = placeOf(settings.target);
    if (place === null) return;
    const places = this.#byOrigin.get(place.origin);
    const added: Place = { id, basePath: place.basePath };
    // The longest base path comes first.
    if (places === undefined) this.#byOrigin.set(place.origin, [added]);
    else {
      const at = places.findIndex(({ basePath }) => basePath.length < added.basePath.length);
      places.splice(at < 0 ? places.length : at, 0, added);
    }
  }

  remove({ id, settings }: ConnectionSnapshot): void {
    const origin = placeOf(settings.target)?.origin;
    const left = origin === undefined ? [] : (this.#byOrigin.get(origin) ?? []).filter((place) => place.id !== id);
    if (origin === undefined) return;
    if (left.length === 0) this.#byOrigin.delete(origin);
    else this.#byOrigin.set(origin, left);
  }

  /** Ids of the connections at an origin. */
  ids(origin: string): readonly string[] {
    return (this.#byOrigin.get(origin) ?? []).map(({ id }) => id);
  }

  /**
   * The connections under whose target the path is, the longest base path first.
   * @param path normalised
   */
  *covering(origin: string, path: string): Generator<Destination> {
    for (const { id, basePath } of this.#byOrigin.get(origin) ?? []) {
      if (!path.startsWith(basePath)) continue;
      const rest = path.slice(basePath.length);
      // At the root of a target without a base path the path is "/".
      if (rest === '' || rest.startsWith('/')) yield { id, basePath, rest };
    }
  }
}

/** Null where it is no URL that could be called; such a connection serves nobody. */
function placeOf(target: string): { origin: string; basePath: string } | null {
  try {
    const { origin, pathname } = new URL(target);
    const basePath = pathname.replace(/\/$/, '');
    return { origin, basePath: basePath === '' ? '' : normalisePath(basePath, 'target').path };
  } catch {
    return null;
  }
}
