# Everything here works on a fresh clone: each target first builds .venv/ from the locked files, once.
# `make help` lists the targets.

PYTHON ?=
RUNS ?= 50
MINUTES ?=
SEEDS ?= 1000
FIRST ?= 1
PLANTED ?= 200
STREAMS ?= 100000
ORDERS ?= 1000000
VERSIONS ?= 20

BIN := .venv/bin
TOOLS := .venv/tools-are-in
PROJECT := .venv/project-is-in

# Start-up time matters: whatever the environment says about bytecode, ours is written at set-up.
export PYTHONDONTWRITEBYTECODE :=
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

MEASURED_TESTS := tests/unit/core tests/unit/domain
SLOWER_TESTS := $(wildcard tests/contract tests/golden tests/hostile tests/simulation tests/system)
# Parts that run side by side print one after the other, where make can do that.
WHOLE_OUTPUTS := $(if $(filter output-sync,$(.FEATURES)),--output-sync)
CAMPAIGN := $(wildcard src/tandem/sim/campaign.py)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run check .rules .examples .properties .others test simulate model million judge bars chaos hostile lan drill day fleet bench lock clean

help:  ## List the targets.
	@sed -n 's/^\([a-z]*\):[^#]*## /\1	/p' Makefile | expand -t 12

setup: $(PROJECT)  ## Build .venv/ from the locked requirement files.
	@$(BIN)/python -m compileall -q src

run: setup  ## Trade the example share list on this computer, with a worker killed on the way.
	@rm -rf .run
	$(BIN)/tandem trade examples/sharelist.txt --workers 9 --drill --home .run/home

check: setup  ## Lint, types, rings, house rules, unit tests and coverage: under a minute.
	@$(MAKE) --no-print-directory -j 2 $(WHOLE_OUTPUTS) .properties .examples .others .rules

# The four parts of `check`, two at a time, the longest first. Coverage counts written examples of
# core and domain only (tests/conftest.py says why), so nothing else needs the tracer, which makes
# properties several times as slow.
.rules:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.examples:
	$(BIN)/python -m pytest -q --cov --cov-report=term -m "not no_cover" $(MEASURED_TESTS)

.properties:
	$(BIN)/python -m pytest -q -m no_cover $(MEASURED_TESTS)

.others:
	$(BIN)/python -m pytest -q $(addprefix --ignore=,$(MEASURED_TESTS)) tests/test_tidy.py tests/unit

test: check  ## `make check` and all the rest; this is what CI runs.
	$(if $(CAMPAIGN),$(BIN)/python -m tandem.sim.campaign --seeds 300 --first 1)
	$(if $(SLOWER_TESTS),$(BIN)/python -m pytest -q $(SLOWER_TESTS))

simulate: setup  ## Run SEEDS simulated minutes of faults, from seed FIRST on; then take mechanisms away.
	$(BIN)/python -m tandem.sim.campaign --seeds $(SEEDS) --first $(FIRST)
	$(BIN)/python -m tandem.sim.campaign --planted --seeds $(PLANTED)

model: setup  ## Search a small pool to its end, in every fence class; then take mechanisms away.
	$(BIN)/python -m tandem.sim.model

judge: setup  ## Feed STREAMS random streams of orders to the paper exchange and to its naive judge.
	$(BIN)/python -m tests.simulation.judging --streams $(STREAMS)

million: setup  ## ORDERS random orders of all types and modes through the cores; then take mechanisms away.
	$(BIN)/python -m tests.simulation.million --orders $(ORDERS) --seed $(FIRST)
	$(BIN)/python -m tests.simulation.million --planted

bars: setup  ## Spoil recorded feeds in VERSIONS ways: the market core makes the bars of the clean ones.
	$(BIN)/python -m tests.contract.bars_run $(VERSIONS)

chaos: setup  ## Kill real processes around a share list and strategies, RUNS times; or a storm of MINUTES.
ifdef MINUTES
	$(BIN)/python -m tests.system.storm --minutes $(MINUTES)
else
	$(BIN)/python -m tests.system.chaos --runs $(RUNS)
	$(BIN)/python -m tests.system.storm --runs $(RUNS)
endif

hostile: setup  ## Evaluate strategies that try to get out, to hang or to harm others, and print the table.
	$(BIN)/python -m tests.hostile

lan: setup  ## Eleven computers (network namespaces) trade the share list while cables are pulled.
	$(BIN)/python -m tests.system.lan

drill: setup  ## Kill the coordinator over 1,000 open orders, halt, and see every one gone in time.
	@rm -rf .run/drill
	$(BIN)/tandem halt --drill --kill-coordinator --home .run/drill

day: setup  ## Trade two days of the calendar at 100 times life, 10,000 trades each, flat at their ends.
	$(BIN)/python -m tests.system.day

fleet: setup  ## Decide 250 instruments x 40 strategies for 30 simulated minutes; kill evaluators.
	$(BIN)/python -m tests.system.fleet

bench: setup  ## Measure this machine and print the table of docs/benchmarks.md.
	$(BIN)/python -m bench

lock: setup  ## Choose the newest versions that fit and write the locked files anew.
	$(LOCK) --upgrade pyproject.toml -o requirements/run.txt
	$(LOCK) --upgrade --constraint requirements/run.txt --extra lan pyproject.toml \
		-o requirements/lan.txt
	$(LOCK) --upgrade --constraint requirements/lan.txt --extra metrics --extra top \
		pyproject.toml -o requirements/watch.txt
	$(LOCK) --upgrade --constraint requirements/run.txt --extra calendars pyproject.toml \
		-o requirements/calendars.txt
	$(LOCK) --upgrade --constraint requirements/calendars.txt --extra strategies pyproject.toml \
		-o requirements/strategies.txt
	$(LOCK) --upgrade --constraint requirements/lan.txt --constraint requirements/watch.txt \
		--constraint requirements/calendars.txt --constraint requirements/strategies.txt \
		--extra lan --extra metrics --extra top --extra parquet --extra calendars \
		--extra strategies pyproject.toml requirements/dev.in -o requirements/dev.txt

# Hashes, and no address of any registry or folder: whoever installs decides where from.
LOCK = env -u PIP_FIND_LINKS -u UV_FIND_LINKS $(BIN)/uv pip compile --quiet --no-config \
	--universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links

clean:  ## Remove .venv/ and everything that the tools left behind.
	rm -rf .venv .run .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache \
		.pytest_cache .ruff_cache bench/limits/build build dist
	find src tests -name __pycache__ -type d -exec rm -rf {} +

# The first interpreter that is new enough and can make environments; PYTHON=... overrules.
$(TOOLS): requirements/dev.txt
	@for python in $(or $(PYTHON),python3 python3.11 python3.12 python3.13); do \
		"$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
			2>/dev/null || continue; \
		echo "Building .venv/ with $$("$$python" --version)"; \
		exec "$$python" -m venv --clear .venv; \
	done; \
	echo "Tandem needs Python 3.11 or newer with its venv module" \
		"(on Debian: apt-get install python3 python3-venv make)" >&2; \
	exit 1
	$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements/dev.txt
	@touch $@

$(PROJECT): $(TOOLS) pyproject.toml
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
