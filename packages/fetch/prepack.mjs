// Only pnpm replaces `exports` by those of `publishConfig`, which name built files alone.
import { rmSync } from 'node:fs';

if (!process.env.npm_config_user_agent?.startsWith('pnpm/')) {
  process.stderr.write('Pack this package with pnpm: what npm packs would point at sources that are not in it.\n');
  process.exit(1);
}
rmSync(new URL('dist', import.meta.url), { recursive: true, force: true });
