import { defineConfig } from 'vitest/config';

// vitest hands these to Node as well: 'import' or 'module' here would make `require` load ES modules.
const conditions = ['@hoop/source', 'node'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/**/*.test.ts', 'apps/**/*.test.ts', 'test/**/*.test.ts', 'examples/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    globalSetup: ['./packages/testkit/src/global-setup.ts'],
    execArgv: ['--conditions=@hoop/source'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What is waited for comes within milliseconds; on a loaded machine it may take longer, and that is no failure.
    expect: { poll: { timeout: 20_000, interval: 20 } },
  },
});
