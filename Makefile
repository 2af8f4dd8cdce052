# The commands of a person. Not here: what they do; cargo and tests/support/ready.sh know.

version := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
cyclonedx := 0.5.9
mutants := 27.1.0

.PHONY: demo test check image archive sbom mutants evidence bench

# A real RabbitMQ, a stand-in of the API, one event of every result.
demo:
	@tests/support/ready.sh
	@echo "building the demonstration (the first time takes some minutes)" >&2
	@cargo build --quiet --locked --bin chakra-bridge --example demo
	@cargo run --quiet --locked --example demo

# Sets up what the tests need and runs them all.
test:
	@tests/support/ready.sh tests
	@echo "building and running the tests (the first time takes some minutes)" >&2
	@tests/run.sh

# Form, lints and documentation; needs no broker.
check:
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps

# The image, with the version and the commit in its labels.
image:
	docker build --file deploy/Dockerfile --tag chakra-bridge \
		--build-arg VERSION=$(version) --build-arg REVISION=$$(git rev-parse HEAD) .

# The program with its man pages, completions, examples and unit: target/chakra-bridge-VERSION-ARCHITECTURE.tar.gz.
archive:
	@echo "building the release (the first time takes some minutes)" >&2
	@cargo build --release --quiet --locked --bin chakra-bridge
	@deploy/archive.sh target/release/chakra-bridge $(CURDIR)/target/chakra-bridge-$(version)-$$(uname -m).tar.gz

# What the program is made of, as CycloneDX: target/chakra-bridge.cdx.json. The tool is compiled once.
sbom:
	@target/sbom/bin/cargo-cyclonedx cyclonedx --version 2>/dev/null | grep -q " $(cyclonedx)$$" \
		|| CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --locked --debug --version $(cyclonedx) --root target/sbom cargo-cyclonedx
	PATH="$(CURDIR)/target/sbom/bin:$$PATH" cargo cyclonedx --format json --spec-version 1.5 \
		--no-build-deps --override-filename chakra-bridge.cdx
	mv chakra-bridge.cdx.json target/

# Every way to break the delivery machine, the gate and the AMQP room, against the tests: a night. The tool is compiled once.
# A part by `make mutants MUTANTS="--change"`, or whatever tests/mutants.sh takes.
mutants:
	@target/mutants/bin/cargo-mutants mutants --version 2>/dev/null | grep -q " $(mutants)$$" \
		|| CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --locked --debug --version $(mutants) --root target/mutants cargo-mutants
	@tests/mutants.sh $(MUTANTS)

# What takes longer than CI, and its tables in EVIDENCE.md: some hours. One table by `make evidence TABLE=kill`;
# `tests/evidence.sh --list` has their names.
evidence:
	@tests/support/ready.sh tests
	@tests/evidence.sh $(TABLE)

# The daemon beside a bare loop of the same client libraries: events a second, CPU, memory. Some minutes; a part by
# `make bench PART=latency`.
bench:
	@tests/support/ready.sh
	@echo "building the release (the first time takes some minutes)" >&2
	@cargo bench --quiet --locked --bench throughput -- $(PART)
