# A small image with one program in it. Built without Docker, too: docs/operations.md.
ARG BASE=debian:12-slim

FROM ${BASE} AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
        g++ cmake ninja-build mold \
        libboost1.81-dev libboost-json1.81-dev libboost-program-options1.81-dev \
        libboost-system1.81-dev \
        libpq-dev libhiredis-dev libspdlog-dev libfmt-dev prometheus-cpp-dev \
        libssl-dev zlib1g-dev \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
WORKDIR /src/penstock
# What changes seldom comes first: a change in the server does not copy the rest anew.
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY domain domain
COPY reactor reactor
COPY db db
COPY cache cache
COPY server server
COPY bench bench
RUN cmake --preset release -DPENSTOCK_TESTS=OFF \
 && cmake --build build/release --target penstock \
 && strip -o /penstock build/release/penstock

FROM ${BASE}
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
        ca-certificates \
        libboost-json1.81.0 libboost-program-options1.81.0 \
        libpq5 libhiredis0.14 libspdlog1.10 libfmt9 libprometheus-cpp-core1.0 \
        libssl3 zlib1g libstdc++6 \
 && apt-get clean && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin penstock
COPY --from=build /penstock /usr/bin/penstock
USER 10001
EXPOSE 8080
# SIGTERM drains: requests that were read are answered, then the program exits with 0.
STOPSIGNAL SIGTERM
# Set it to the address that --listen or PENSTOCK_LISTEN says.
ENV PENSTOCK_URL=http://127.0.0.1:8080/healthz
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["/usr/bin/penstock", "healthcheck"]
ENTRYPOINT ["/usr/bin/penstock"]
CMD ["serve", "--listen", "0.0.0.0:8080"]
