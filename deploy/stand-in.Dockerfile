# The stand-in of the API and a stream of sample events, for compose.yaml. Never part of the daemon's image, and never
# deployed: it takes any event.
FROM rust:1-slim-bookworm AS programs
WORKDIR /build
ENV RUSTFLAGS="-C target-feature=+crt-static" CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_STRIP=true
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY tests tests
# Unoptimised: it waits more than it works.
RUN cargo build --locked --target host-tuple --example stand-in --example sample-events \
 && mv target/*/debug/examples/stand-in target/*/debug/examples/sample-events /

FROM scratch
COPY --from=programs /stand-in /sample-events /
USER 65532:65532
EXPOSE 8081
CMD ["/stand-in", "--listen", "0.0.0.0:8081"]
