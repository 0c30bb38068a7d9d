# One image for each service: docker build --target grid|gateway. Bases can be replaced, e.g. by a registry of your own.
ARG BUILD_BASE=rust:1.95-bookworm
ARG RUN_BASE=debian:bookworm-slim

FROM ${BUILD_BASE} AS build
RUN apt-get update && apt-get install -y --no-install-recommends protobuf-compiler && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p jingwei-grid -p jingwei-gateway

FROM node:20-bookworm-slim AS docs
WORKDIR /docs
COPY gateway/docs-page/package.json gateway/docs-page/package-lock.json gateway/docs-page/.npmrc ./
RUN npm ci --omit=dev

FROM ${RUN_BASE} AS grid
COPY --from=build /src/target/release/jingwei-grid /usr/local/bin/grid
# A new volume takes over whose the folder is.
RUN mkdir -p /var/lib/jingwei/files /var/lib/jingwei/tmp && chown -R 65534:65534 /var/lib/jingwei
USER 65534:65534
ENV GRID_LISTEN=0.0.0.0:50051 GRID_METRICS_LISTEN=0.0.0.0:9090 GRID_LOG_FORMAT=json \
    GRID_FILES=/var/lib/jingwei/files TMPDIR=/var/lib/jingwei/tmp
EXPOSE 50051 9090
ENTRYPOINT ["grid"]

FROM ${RUN_BASE} AS gateway
COPY --from=build /src/target/release/jingwei-gateway /usr/local/bin/gateway
COPY --from=docs /docs/node_modules/swagger-ui-dist /usr/share/jingwei/docs
USER 65534:65534
ENV GATEWAY_LISTEN=0.0.0.0:8080 GATEWAY_METRICS_LISTEN=0.0.0.0:9090 GATEWAY_LOG_FORMAT=json GATEWAY_DOCS_DIR=/usr/share/jingwei/docs
EXPOSE 8080 9090
ENTRYPOINT ["gateway"]
