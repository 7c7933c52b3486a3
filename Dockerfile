# One image for every role, see docs/DEPLOYMENT.md. Debian, not Alpine: Temporal's native core is built for glibc. Node 24,
# where keepapart saves up to 1.4 times as many records per second as on 20 (docs/BENCHMARKS.md).
ARG NODE_IMAGE=node:24.22.3-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
# Without scripts, as `prepare` would build from sources that aren't there yet: a change in them then keeps this layer.
COPY .npmrc package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY activities activities
COPY workflows workflows
COPY src src
RUN npm run build
# Without scripts again: `prepare` needs the compiler that is removed here. The SDK brings its core for five platforms.
RUN npm prune --omit=dev --ignore-scripts \
    && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 \
        ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -r {} +

FROM ${NODE_IMAGE}
ENV NODE_ENV=production \
    KEEPAPART_METRICS_PORT=9464 \
    KEEPAPART_DATA_DIR=/data \
    KEEPAPART_OUT_DIR=/out
# A new volume takes over the owner of the folder that it is mounted on. 1000 is the image's user "node"; as a number,
# so that Kubernetes can see that it isn't root.
RUN install --directory --owner=1000 --group=1000 /data /out
WORKDIR /app
COPY package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY deploy/health.js deploy/
USER 1000:1000
EXPOSE 3000
# For every role alike: it has started, and Temporal answers. In a new namespace it takes up to a minute until search
# attributes can be used. Kubernetes doesn't use it, see deploy/chart.
HEALTHCHECK --interval=10s --timeout=5s --retries=3 --start-period=90s CMD ["node", "deploy/health.js"]
ENTRYPOINT ["node", "dist/src/cli/main.js"]
CMD ["--help"]
