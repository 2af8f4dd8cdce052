# The commands of a person. Not here: what they do; cargo and tests/support/ready.sh know.

.PHONY: demo test check

# A real RabbitMQ, a stand-in of the API, one event of every fate.
demo:
	@tests/support/ready.sh
	@echo "building the demonstration (the first time takes some minutes)" >&2
	@cargo build --quiet --locked --bin chakra-bridge --example demo
	@cargo run --quiet --locked --example demo

# Sets up what the tests need and runs them all.
test:
	@tests/support/ready.sh
	@echo "building and running the tests (the first time takes some minutes)" >&2
	@cargo test --locked

# Form, lints and documentation; needs no broker.
check:
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps
