# goodfunds: every way in. `make demo` shows the main job, `make test` proves it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CORPUS ?=
# Test files run side by side, each worker with servers of its own; twice the two cores of a small machine, since
# a test that waits leaves its core to others.
JOBS ?= 4
# Of the quick bench: the system's rate to the floor's. Below it something has become slow, noise or not.
LEAST_RATIO ?= 0.10
# Where it forbids Python to keep what it compiled, each of hundreds of processes would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test lint collect unit schemas format bench reading sim model fuzz dictionary chaos soak growth mutants check clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(STAMP) ## Make .venv and install goodfunds with all it needs

$(STAMP): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --editable '.[dev]'
	@touch $@

demo: setup ## The main job end to end (FILE=… N=… FAULTS=… KEEP=1 JSON=1)
	@$(BIN)/goodfunds --folder $(if $(KEEP),.goodfunds,.goodfunds-demo) demo $(if $(FILE),--file '$(FILE)') \
	    $(if $(N),--payments $(N)) $(if $(FAULTS),--faults '$(FAULTS)') $(if $(KEEP),--keep) $(if $(JSON),--json)

# In the order of collection: by number of tests the files of one long story would come last.
test: setup ## Lint, then the suite but for its long tests (CORPUS=folder of real bank files, JOBS=4)
	@$(MAKE) --no-print-directory -j2 lint collect
	@CORPUS='$(CORPUS)' $(BIN)/python -m pytest -q --durations=10 -m 'not long' -n $(JOBS) --dist loadfile \
	    --no-loadscope-reorder

# Beside the types, which keep one core busy: what Python and pytest compile is found by every worker. What cannot
# be collected the suite says.
collect: setup
	@$(BIN)/python -m pytest --collect-only -qq > /dev/null || true

unit: setup ## The tests that need no server
	@$(BIN)/python -m pytest -q -m 'not long' tests/unit tests/tidy tests/contract

lint: setup ## Style, types, the import law, generated files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/goodfunds schemas check

schemas: setup ## Generate types, JSON Schemas and AsyncAPI from schemas/events
	@$(BIN)/goodfunds schemas generate

format: setup ## Format the code
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

bench: setup ## Speed against the floor of the machine; writes docs/performance.md (N=… JSON=1, QUICK=1: a first look)
	@$(BIN)/python -m tests.bench $(if $(N),--payments $(N)) $(if $(QUICK),--quick) $(if $(JSON),--json)

reading: setup ## Memory and speed of the readers on files of MB=100 (PAGE=docs/reading.md JSON=1)
	@$(BIN)/python -m tests.bench.reading $(if $(MB),--megabytes $(MB)) $(if $(PAGE),--page '$(PAGE)') \
	    $(if $(JSON),--json)

sim: setup ## Stories of seeds, told and audited (SEED=… STEPS=…, or SEEDS=200 FIRST_SEED=1; SHOW=1 JSON=1)
	@$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS)) \
	    $(if $(FIRST_SEED),--first-seed $(FIRST_SEED)) $(if $(STEPS),--steps $(STEPS)) $(if $(SHOW),--show) \
	    $(if $(JSON),--json)

fuzz: setup ## Mutated bytes for every reader of foreign ones (SECONDS=20 each, SEED=1 PAGE=docs/fuzz.md JSON=1)
	@$(BIN)/python -m tests.fuzz $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED)) \
	    $(if $(PAGE),--page '$(PAGE)') $(if $(JSON),--json)

dictionary: setup ## The types of ISO 20022 messages from a folder of their official schemas (XSD=…)
	@$(BIN)/python -m tests.dictionary '$(XSD)'

chaos: setup ## Faults on the real thing, three brokers, then the audit (MINUTES=5 SEED=… PAGE=… JSON=1)
	@$(BIN)/python -m tests.chaos --minutes $(or $(MINUTES),5) $(if $(SEED),--seed $(SEED)) \
	    $(if $(PAGE),--page '$(PAGE)') $(if $(JSON),--json)

model: setup ## Search the lane protocol's larger worlds, and write docs/model.md
	@$(BIN)/python -m tests.model

soak: setup ## Load at 80 % of the top rate for MINUTES=60; docs/soak.md says whether all stays flat
	@$(BIN)/python -m tests.bench.soak $(if $(MINUTES),--minutes $(MINUTES))

growth: setup ## The cost of a payment with N=10000000 in the tables against 100,000; writes docs/growth.md
	@$(BIN)/python -m tests.bench.growth $(if $(N),--payments $(N))

mutants: setup ## Planted bugs, each found by a test (ONE=name or area, SAMPLE=n SEED=n, CHECK=1)
	@$(BIN)/python -m tests.mutants $(if $(ONE),--one '$(ONE)') $(if $(SAMPLE),--sample $(SAMPLE)) \
	    $(if $(SEED),--seed $(SEED)) $(if $(CHECK),--check) $(if $(JSON),--json)

check: setup ## What is too long for `make test`: long tests, properties at length, fuzz, stories, planted bugs, speed, chaos
	@$(BIN)/python -m pytest -q -m 'long or hypothesis' --hypothesis-profile=thorough --durations=10 -n $(JOBS) \
	    --dist loadfile
	@$(BIN)/python -m tests.fuzz --seconds 20
	@$(BIN)/python -m tests.simulation --seeds 30 --first-seed 1000 --steps 80
	@$(BIN)/python -m tests.mutants --sample 12
	@$(BIN)/python -m tests.bench --quick --least-ratio $(LEAST_RATIO)
	@$(BIN)/python -m tests.chaos --minutes 5

clean: ## Remove what set-up and runs have left
	@rm -rf $(VENV) .goodfunds-demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
