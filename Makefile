# The commands of the README. Each does its own set-up.

.PHONY: run test lint conformance prepare fmt bench kills sbom proof

run:
	scripts/bootstrap run
	cargo build --release -p jingwei-standalone
	target/release/jingwei up $(ARGS)

test:
	scripts/bootstrap all
	scripts/test

lint:
	scripts/bootstrap all
	scripts/lint

conformance:
	scripts/bootstrap run
	tests/conformance/run

# Rewrites the cache that lets the SQL be checked at compile time without a database.
prepare:
	scripts/bootstrap all
	scripts/sqlx-cache

fmt:
	scripts/bootstrap all
	cargo fmt --all
	scripts/tools/node_modules/.bin/buf format -w

# Bills of materials (CycloneDX) of the programs and of the page that shows the API, into target/sbom.
sbom:
	scripts/bootstrap sbom
	scripts/sbom

# 100 kills of the service and of PostgreSQL at random moments under load; SEED=… does the same ones again.
kills:
	scripts/bootstrap run
	KILLS=$(or $(KILLS),100) cargo test -p jingwei-tests --test faults -- --nocapture kills

# On a real container engine, as root: tests/deployment/run says what it needs.
proof:
	cargo build --release -p jingwei-grid -p jingwei-business-environment-monitor -p jingwei-gateway
	tests/deployment/run

# Measures on this machine, which should have nothing else to do; tests/bench/REPORT.md has what was found. Takes minutes, and room on the disk.
bench:
	scripts/bootstrap run
	cargo build --release -p jingwei-grid -p jingwei-gateway -p jingwei-bench
	target/release/bench --folder target/bench-$(or $(EVENTS),10000) --events $(or $(EVENTS),10000) $(ARGS)
