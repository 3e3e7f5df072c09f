# Every target prepares what it needs: on a fresh machine `make test` and `make demo` are the first command.
# Only python3 with venv, make and bash must be there; node and npm too for the tests marked `node`.

PYTHON ?= python3
RUNS ?= 6
BIN := .venv/bin
INSTALLED := .venv/.installed
NODE := tests/interop/node
CALLING := tests/interop tests/quality/test_generation.py
WAITING := tests/loop tests/docs tests/reports
DIALECTS := translator speech-v1 speech-v2
CLIENTS := $(if $(shell command -v npm),$(NODE)/node_modules/.package-lock.json)

.PHONY: help install libraries test lint format unit coverage selfproof kill-matrix docs quality flake mutants flaky slow bench bench-engines demo constraints clean

help: ## Say what there is
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 14

install: $(INSTALLED) $(CLIENTS) ## Make .venv with what constraints.txt pins, and fetch the clients for the tests

# The launcher and the plugin are in the list because an installation holds copies of them, under names of their own.
$(INSTALLED): pyproject.toml constraints.txt conformance/launcher.py conformance/pytest_plugin.py
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed: make PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

libraries: $(INSTALLED) ## Have what the tests need of the system: install what is missing, if we may
	@bash tests/libraries $(BIN)/python

$(NODE)/node_modules/.package-lock.json: $(NODE)/package.json $(NODE)/package-lock.json
	npm ci --prefix $(NODE) --ignore-scripts --no-audit --no-fund --no-update-notifier
	@touch $@

# Three parts at a time: those with sockets wait most of the time, while the other computes.
test: lint libraries $(CLIENTS) ## Everything that has to hold before a change lands
	@mkdir -p build
	@$(BIN)/python -m pytest -m "not slow" $(CALLING) >build/calling.log 2>&1 & calling=$$!; \
	$(BIN)/python -m pytest -m "not slow" $(WAITING) >build/waiting.log 2>&1 & waiting=$$!; \
	$(BIN)/python -m pytest -m "not slow" --ignore tests/benchmarks $(addprefix --ignore ,$(CALLING) $(WAITING)); \
	computed=$$?; wait $$calling; called=$$?; wait $$waiting; waited=$$?; \
	cat build/calling.log build/waiting.log; exit $$((computed | called | waited))

lint: $(INSTALLED) ## Style, types and architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(INSTALLED) ## Put the source into the one layout
	$(BIN)/ruff format .

unit: $(INSTALLED) ## Only the tests without sockets
	$(BIN)/python -m pytest tests/unit

coverage: $(INSTALLED) ## Each module of protocol/ and of the judge: 100 % of its branches, by its own unit test alone
	$(BIN)/python -m pytest tests/quality/test_own_coverage.py

selfproof: $(INSTALLED) ## Break every requirement once and see that the suite finds it
	@mkdir -p build
	@for dialect in $(DIALECTS); do \
	  $(BIN)/speechwire selfproof --dialect $$dialect --json build/selfproof-$$dialect.json || exit 1; done

# Two at a time, so that each run has to do without half of the machine.
docs: $(INSTALLED) ## Write the documentation of the formats anew
	$(BIN)/speechwire docs schemas

kill-matrix: $(INSTALLED) ## Write the published kill matrix anew
	@for dialect in $(DIALECTS); do \
		$(BIN)/speechwire selfproof --dialect $$dialect --markdown conformance/faults/matrix-$$dialect.md || exit $$?; done

quality: $(INSTALLED) ## Find every fault that drawn conversations alone can find, with twenty seeds
	SPEECHWIRE_SEEDS=20 $(BIN)/python -m pytest tests/quality/test_generation.py

flake: libraries ## Check the reference server again and again in all surroundings; figures in build/flake.md
	@mkdir -p build
	@printf '| runs of | runs | not green | seconds |\n|---|---|---|---|\n' >build/flake.md
	SPEECHWIRE_FIGURES=build/flake.md $(BIN)/python -m pytest tests/quality/test_always_green.py

mutants: $(INSTALLED) ## Break the protocol's code in fifty places; the unit tests have to see it
	$(BIN)/python -m pytest tests/quality/test_mutants.py

flaky: libraries $(CLIENTS) ## Run the tests with sockets RUNS times under load; a test that fails once is flaky
	@mkdir -p build/flaky
	@seq $(RUNS) | xargs -P 2 -I SEED sh -c '$(BIN)/python -m pytest -m "not slow" --hypothesis-seed=SEED \
	  tests/loop tests/interop tests/faults >build/flaky/SEED.log 2>&1 && tail -n 1 build/flaky/SEED.log \
	  || { cat build/flaky/SEED.log; exit 1; }'

slow: libraries $(CLIENTS) ## The tests that take minutes
	$(BIN)/python -m pytest -m slow --timeout 3600 --ignore tests/benchmarks

bench: $(INSTALLED) ## Measure; prints figures
	$(BIN)/python -m pytest -s --timeout 3600 --ignore tests/benchmarks/test_bench_engines.py tests/benchmarks

bench-engines: libraries ## Measure the real engines on real speech; prints figures
	$(BIN)/python -m pytest -s --timeout 3600 tests/benchmarks/test_bench_engines.py

demo: $(INSTALLED) ## Speech in, Portuguese text and voice out, in each dialect; then the verdict. WAV=FILE for your own
	@bash .ci/demo $(if $(WAV),"$(WAV)")

# With the oldest Python that is supported: it needs every back-port that the newer ones need.
constraints: ## Pin the newest versions that pyproject.toml allows
	$(PYTHON) -m venv build/pip-tools
	build/pip-tools/bin/python -m pip install --quiet --disable-pip-version-check pip-tools==7.6.2
	build/pip-tools/bin/pip-compile --quiet --upgrade --extra dev --build-deps-for editable --generate-hashes \
	  --strip-extras --no-header --no-annotate --no-emit-options --no-config --output-file constraints.txt pyproject.toml

clean: ## Remove what the targets have made, but for .venv and node_modules
	rm -rf build dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
	find conformance protocol reference_server schemas tests -name __pycache__ -type d -prune -exec rm -rf {} +
