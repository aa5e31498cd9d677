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
    exclude: ['**/node_modules/**', '**/dist/**'],
    globalSetup: ['./packages/testkit/src/global-setup.ts'],
    execArgv: ['--conditions=@hoop/source'],
    sequence: { sequencer: LongestFirst },
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What is waited for comes within milliseconds; on a loaded machine it may take longer, and that is no failure.
    expect: { poll: { timeout: 20_000, interval: 20 } },
  },
});
