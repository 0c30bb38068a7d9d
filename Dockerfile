# One image for each service: docker build --target grid|business-environment-monitor|gateway (BuildKit). Bases can be replaced, e.g. by a registry of your own.
ARG BUILD_BASE=rust:1.95-bookworm
ARG NODE_BASE=node:20-bookworm-slim
ARG RUN_BASE=debian:bookworm-slim
# Where the parts of the images come from: `compiled` here; or `prebuilt`, from the folder dist of the build context, whose
# programs were built on the Debian release of RUN_BASE.
ARG PARTS=compiled

FROM ${BUILD_BASE} AS build
RUN apt-get update && apt-get install -y --no-install-recommends protobuf-compiler && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The caches make the second build short; nothing of them gets into an image.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked -p jingwei-grid -p jingwei-business-environment-monitor -p jingwei-gateway \
    && mkdir /dist \
    && for program in grid business-environment-monitor gateway; do strip -o /dist/$program target/release/jingwei-$program; done

FROM ${NODE_BASE} AS docs
WORKDIR /docs
COPY gateway/docs-page/package.json gateway/docs-page/package-lock.json gateway/docs-page/.npmrc ./
RUN npm ci --omit=dev

FROM scratch AS compiled
COPY --from=build /dist /
# Whom to trust where keys, files or traces have an https address.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /
# The files that the gateway serves, of the many that the package has.
COPY --from=docs /docs/node_modules/swagger-ui-dist/swagger-ui.css \
     /docs/node_modules/swagger-ui-dist/swagger-ui-bundle.js \
     /docs/node_modules/swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt \
     /docs/node_modules/swagger-ui-dist/LICENSE \
     /docs/node_modules/swagger-ui-dist/NOTICE /docs/

FROM scratch AS prebuilt
COPY dist /

FROM ${PARTS} AS parts

FROM ${RUN_BASE} AS grid
COPY --from=parts /ca-certificates.crt /etc/ssl/certs/
COPY --from=parts /grid /usr/local/bin/
# A new volume takes over whose the folder is.
RUN mkdir -p /var/lib/jingwei/files /var/lib/jingwei/tmp && chown -R 65534:65534 /var/lib/jingwei
USER 65534:65534
ENV GRID_LISTEN=0.0.0.0:50051 GRID_METRICS_LISTEN=0.0.0.0:9090 GRID_LOG_FORMAT=json \
    GRID_FILES=/var/lib/jingwei/files TMPDIR=/var/lib/jingwei/tmp
EXPOSE 50051 9090
ENTRYPOINT ["grid"]

FROM ${RUN_BASE} AS business-environment-monitor
COPY --from=parts /ca-certificates.crt /etc/ssl/certs/
COPY --from=parts /business-environment-monitor /usr/local/bin/
USER 65534:65534
ENV BUSINESS_ENVIRONMENT_MONITOR_LISTEN=0.0.0.0:50051 BUSINESS_ENVIRONMENT_MONITOR_METRICS_LISTEN=0.0.0.0:9090 \
    BUSINESS_ENVIRONMENT_MONITOR_LOG_FORMAT=json
EXPOSE 50051 9090
ENTRYPOINT ["business-environment-monitor"]

FROM ${RUN_BASE} AS gateway
COPY --from=parts /ca-certificates.crt /etc/ssl/certs/
COPY --from=parts /docs /usr/share/jingwei/docs
COPY --from=parts /gateway /usr/local/bin/
USER 65534:65534
ENV GATEWAY_LISTEN=0.0.0.0:8080 GATEWAY_METRICS_LISTEN=0.0.0.0:9090 GATEWAY_LOG_FORMAT=json GATEWAY_DOCS_DIR=/usr/share/jingwei/docs
EXPOSE 8080 9090
ENTRYPOINT ["gateway"]
