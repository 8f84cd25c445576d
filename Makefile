# tandem's front door. Every target works from a fresh clone by itself.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
# Debian's own Python: the test packages are Debian's too.
PYTHON := /usr/bin/python3

# A second build of the same code, be it another clone's, comes out of ccache if that is there.
ifneq ($(shell command -v ccache),)
export CMAKE_CXX_COMPILER_LAUNCHER := ccache
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1
endif

.PHONY: help
help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Build the broker and start it; its options go into ARGS, as in ARGS="--listen=127.0.0.1:9000".
	build/release/tandem $(ARGS)

.PHONY: build
build: ## Install what the build needs and build build/release/tandem.
	@tests/install-packages build
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release --target tandem

.PHONY: test
test: packages ## Build with warnings as errors and run every test.
	@$(PYTHON) tests/check/suite.py dev

.PHONY: check
check: packages ## Run the whole gate: tests, sanitizers, format, lint, docs, instructions. SKIP="tsan tidy" leaves out.
	@$(PYTHON) tests/check/gate.py $(addprefix --skip=,$(SKIP))

.PHONY: asan
asan: packages ## Run every test under AddressSanitizer and UndefinedBehaviorSanitizer.
	@$(PYTHON) tests/check/suite.py asan

.PHONY: tsan
tsan: packages ## Run every test under ThreadSanitizer.
	@$(PYTHON) tests/check/suite.py tsan

.PHONY: fuzz
fuzz: packages ## Run each fuzz target for FUZZ_SECONDS (60).
	@cmake --preset fuzz --log-level=WARNING
	@cmake --build --preset fuzz --target fuzzers
	@tests/fuzz/run $(FUZZ_SECONDS)

.PHONY: bench
bench: packages ## Measure throughput and latency of a release build; options go into ARGS.
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release --target benchmarks
	@$(PYTHON) tests/bench/run.py $(ARGS)

.PHONY: install
install: build ## Install to PREFIX (/usr/local), below DESTDIR if that is set.
	@DESTDIR="$(DESTDIR)" cmake --install build/release --prefix "$(PREFIX)"

.PHONY: format
format: packages ## Lay out all C++ files by .clang-format.
	@git ls-files -z --cached --others --exclude-standard '*.cpp' '*.hpp' | xargs -0r clang-format-14 -i

.PHONY: clean
clean: ## Remove everything that was built.
	rm -rf build

.PHONY: packages
packages:
	@tests/install-packages build test
