import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// vitest hands these to Node as well: 'import' or 'module' here would make `require` load ES modules.
const conditions = ['@hoop/source', 'node'];

/** These run whole servers for half a minute: begun last, one would be waited for alone. */
const longest = ['test/chaos/', 'test/approvals/', 'test/e2e/', 'packages/embedded-postgres/', 'apps/worker/'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex((folder) => moduleId.includes(`/${folder}`));
      return at < 0 ? longest.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

/** `npm run test:peers`: what needs servers and clients of other makers, and what runs on either queue, here on Redis. */
const isPeersRun = process.env['HOOP_TEST_PEERS'] === 'true';
const onEitherQueue = [
  'packages/queue/src/queue.test.ts',
  'packages/queue/src/durability.test.ts',
  'packages/testkit/src/testkit.test.ts',
  'apps/worker/src/worker.test.ts',
  'apps/worker/src/approvals/approvals.test.ts',
  'test/chaos/chaos.test.ts',
  'test/chaos/faults.test.ts',
  'test/deploy/compose.test.ts',
];
const rooms = ['packages', 'apps', 'test', 'examples'];

/**
 * Files whose modules keep nothing from one test to the next: they share their process, which loads each module once.
 * Every other file has a process of its own.
 */
const sharing = ['packages/!(embedded-postgres|fetch|testkit)/**/*.test.ts', 'apps/{control-plane,relay}/**/*.test.ts'];

const always = ['**/node_modules/**', '**/dist/**'];
const rooted = (suffix: string): string[] => rooms.map((room) => `${room}/**/*${suffix}`);

const project = (name: string, include: string[], exclude: string[], isolate: boolean): TestProjectInlineConfiguration => ({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name,
    include,
    exclude: [...always, ...exclude],
    isolate,
    execArgv: ['--conditions=@hoop/source'],
    pool: 'forks',
    // These limits end a test that hangs. No test measures itself by them: on a slow machine each takes longer and passes.
    testTimeout: 900_000,
    hookTimeout: 900_000,
    expect: { poll: { timeout: 240_000, interval: 20 } },
  },
});

export default defineConfig({
  test: {
    globalSetup: ['./packages/testkit/src/global-setup.ts'],
    sequence: { sequencer: LongestFirst },
    maxWorkers: 3,
    projects: isPeersRun
      ? [project('peers', [...rooted('.peers.test.ts'), ...onEitherQueue], [], true)]
      : [
          project('own process', rooted('.test.ts'), ['**/*.peers.test.ts', ...sharing], true),
          project('shared process', sharing, ['**/*.peers.test.ts'], false),
        ],
  },
});
