# The stand-in of the API and a stream of sample events, for compose.yaml. Never part of the daemon's image, and never
# deployed: it takes any event.
FROM rust:1-slim-bookworm AS programs
WORKDIR /build
ENV RUSTFLAGS="-C target-feature=+crt-static"
# With the few crates that they need, and not those of the daemon and its tests.
COPY deploy/stand-in deploy/stand-in
COPY tests/support/standin tests/support/standin
COPY tests/demo/stream.rs tests/demo/
# Unoptimised: it waits more than it works.
RUN cargo build --locked --target host-tuple --manifest-path deploy/stand-in/Cargo.toml \
 && mv deploy/stand-in/target/*/debug/stand-in deploy/stand-in/target/*/debug/sample-events /

FROM scratch
COPY --from=programs /stand-in /sample-events /
USER 65532:65532
EXPOSE 8081
CMD ["/stand-in", "--listen", "0.0.0.0:8081"]
