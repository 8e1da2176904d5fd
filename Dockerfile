# The program in an image of its own: built in one stage, run as nobody in particular in the next. No broker inside.
FROM debian:12 AS build
WORKDIR /src
COPY script/bootstrap script/bootstrap
COPY third_party/package.json third_party/package-lock.json third_party/
RUN script/bootstrap
COPY . .
RUN cmake -S . -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release -DBROKERLAB_TESTS=OFF -DBROKERLAB_BENCH=OFF \
 && ninja -C /build brokerlab \
 && cmake --install /build --prefix /opt/brokerlab --strip

FROM debian:12-slim
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends ca-certificates fonts-dejavu-core \
      libcpp-httplib0.11 libduktape207 libfmt9 librabbitmq4 librsvg2-2 libssl3 libuv1 zlib1g \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /results brokerlab \
 && install -d -o brokerlab -g brokerlab /results
COPY --from=build /opt/brokerlab /opt/brokerlab
ENV PATH=/opt/brokerlab/bin:$PATH BROKERLAB_LOG_DIR=/results/logs
USER brokerlab
WORKDIR /results
VOLUME /results
ENTRYPOINT ["brokerlab"]
CMD ["list"]
