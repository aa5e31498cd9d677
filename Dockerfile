# One image for every process of Hoop; which one it is, the command says (see docker-compose.yml).
# Node runs the TypeScript sources as they are, so there is no build step but the generated database client.
FROM node:26.10.0-bookworm-slim AS install
WORKDIR /hoop
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml .pnpmfile.cjs prisma.config.ts openapi.json ./
COPY prisma prisma
COPY packages packages
COPY apps apps
COPY examples examples
RUN npx --yes pnpm@12.21.0 install --frozen-lockfile --prod --no-optional \
      --filter @hoop/control-plane... --filter @hoop/relay... --filter @hoop/worker...
# `generate` needs no engine, but insists that the file exists.
RUN PRISMA_SCHEMA_ENGINE_BINARY=/usr/local/bin/node PRISMA_HIDE_UPDATE_MESSAGE=1 \
      node packages/database/node_modules/prisma/build/index.js generate --schema prisma/schema.prisma \
    && find packages apps -name '*.test.ts' -delete && rm -rf examples apps/cli packages/testkit packages/embedded-postgres

# The `hoop` for functions: docker build --target cli. Beside a function it is the sidecar that keeps its grant fresh
# (CMD as it is, with HOOP_URL and a token); in a function's own image, copy /opt/hoop from it and run the function by
# "node /opt/hoop/hoop.mjs exec -- …".
FROM node:26.10.0-bookworm-slim AS cli-package
WORKDIR /hoop
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml .pnpmfile.cjs LICENSE ./
COPY packages packages
COPY apps apps
COPY prisma prisma
COPY prisma.config.ts openapi.json ./
RUN npx --yes pnpm@12.21.0 install --frozen-lockfile --filter hoop... \
    && node --conditions=@hoop/source apps/cli/scripts/package.ts /opt/hoop

FROM node:26.10.0-bookworm-slim AS cli
COPY --from=cli-package --chown=root:root /opt/hoop /opt/hoop
USER 999:999
ENTRYPOINT ["node", "/opt/hoop/hoop.mjs"]
CMD ["agent", "--without-password"]

FROM node:26.10.0-bookworm-slim
WORKDIR /hoop
ENV NODE_ENV=production NODE_OPTIONS="--conditions=@hoop/source --disable-warning=ExperimentalWarning"
COPY --from=install --chown=root:root /hoop /hoop
COPY deploy/entrypoint.sh deploy/health.mjs deploy/worker-health.mjs deploy/
# A new volume that is mounted here belongs to whom this folder belongs to.
RUN install -d -m 0700 -o 999 -g 999 /var/lib/hoop
# Nobody in particular, who can write nothing under /hoop; the uid that the images of Postgres and Redis use too.
USER 999:999
ENTRYPOINT ["/bin/sh", "deploy/entrypoint.sh"]
CMD ["node", "apps/control-plane/src/main.ts"]
