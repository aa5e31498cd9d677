import { defineConfig } from 'vitest/config';
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

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/**/*.test.ts', 'apps/**/*.test.ts', 'test/**/*.test.ts', 'examples/**/*.test.ts'],
    // The peers' suite: foreign clients, and long rounds of kills and chaos.
    exclude: ['**/node_modules/**', '**/dist/**', '**/*.peers.test.ts'],
    globalSetup: ['./packages/testkit/src/global-setup.ts'],
    execArgv: ['--conditions=@hoop/source'],
    sequence: { sequencer: LongestFirst },
    pool: 'forks',
    maxWorkers: 2,
    // These limits end a test that hangs. No test measures itself by them: on a slow machine each takes longer and passes.
    testTimeout: 900_000,
    hookTimeout: 900_000,
    expect: { poll: { timeout: 240_000, interval: 20 } },
  },
});
