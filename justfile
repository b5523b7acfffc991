# The commands of this project, one line each. `just` alone lists them.

_default:
    @just --list --unsorted

# Every test.
test:
    cargo test --workspace --locked

# Every lint, as errors.
lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Lay the source out.
fmt:
    cargo fmt --all

# The documentation of the crates, warnings as errors.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# Two nights of a sample company, and its report.
quickstart:
    cargo run --release --locked -- run --once --config config/quickstart.toml

# Requests of a pull beside the least there could be: `just bench requests`.
# The whole job on a folder of export files: `just bench company DIR --format jsonl --out found.tsv`.
bench *ARGS:
    cargo run --release --locked -p bench -- {{ARGS}}

# Licences, advisories, sources.
deny:
    cargo deny check

# All that has to pass before a change lands.
ci:
    bash .ci/run
