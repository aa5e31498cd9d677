/** The sides of every fidelity test: the platform's fetch, ours through the smallest relay, and ours through the product. */
import { createFetch } from '../../src/index.ts';
import { type RealHoop, startRealHoop } from '../real-hoop.ts';
import { closeServers } from '../servers.ts';
import { startSmallHoop } from '../small-hoop.ts';
import { type Echo, startTarget, type TestTarget } from '../target.ts';

export type { Echo } from '../target.ts';

type Fetch = typeof globalThis.fetch;

export interface Side {
  readonly name: string;
  readonly fetch: Fetch;
  /** Hoop brings the credential, so it passes no cookies, in neither direction. */
  readonly carriesCookies: boolean;
  /** Stands for the reason phrase "All Is Well": Hoop passes none on, as a target could put the credential there. */
  readonly reasonPhrase: 'All Is Well' | 'OK';
}

/** Two targets; set by `startSides`. */
export const world = {} as { target: TestTarget; other: TestTarget };

let hoop: RealHoop;
let throughSmallHoop: Fetch;
let throughHoop: Fetch;

export const sides: Side[] = [
  { name: "the platform's fetch", fetch: (...args) => globalThis.fetch(...args), carriesCookies: true, reasonPhrase: 'All Is Well' },
  {
    name: '@hoop/fetch, a relay that only forwards',
    fetch: (...args) => throughSmallHoop(...args),
    carriesCookies: true,
    reasonPhrase: 'All Is Well',
  },
  { name: '@hoop/fetch, Hoop', fetch: (...args) => throughHoop(...args), carriesCookies: false, reasonPhrase: 'OK' },
];

export async function startSides(): Promise<void> {
  world.target = await startTarget();
  world.other = await startTarget();
  const smallHoop = await startSmallHoop({ target: world.target.origin, other: world.other.origin });
  throughSmallHoop = createFetch({ url: smallHoop.url, token: () => 'identity-token' });
  hoop = await startRealHoop();
  for (const [name, { origin }] of Object.entries(world)) await hoop.connect(name, origin, [{ name: 'everything', effect: 'allow' }]);
  throughHoop = createFetch({ url: hoop.url, token: () => hoop.identityToken() });
}

export async function closeSides(): Promise<void> {
  await hoop.close();
  await closeServers();
}

export const echo = async (response: Response): Promise<Echo> => (await response.json()) as Echo;
