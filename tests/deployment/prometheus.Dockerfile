# Prometheus for the proof where no registry can be reached: Debian's package with the official image's user and folders.
ARG RUN_BASE
FROM ${RUN_BASE}
RUN apt-get update && apt-get install -y --no-install-recommends prometheus \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt /usr/share/doc /usr/share/man \
    && install -d -o nobody -g nogroup /prometheus
USER 65534:65534
VOLUME /prometheus
EXPOSE 9090
ENTRYPOINT ["prometheus"]
