# One command each, on a fresh machine with Python 3.11+, make and git: `make run`, `make test`, `make check`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
UV ?= uv
# Compiled modules are kept, also where the surroundings forbid it: else every process of the tests compiles them anew.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest

.PHONY: help install run test check fuzz format lint types contracts messages lock bench pictures clean

help: ## What there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/.runtime ## Set up the virtual environment with the keyport command; start nothing

run: $(VENV)/.runtime ## Start KeyPort: your bot if a token is configured, else the sandbox
	@$(BIN)/keyport start

test: $(VENV)/.dev ## Run the tests, in parallel and in random order; `make check` adds the few that take long
	@$(PYTEST) -n 4 -m 'not long'

check: $(VENV)/.dev ## Everything CI runs: format, lint, types, contracts, tests
	@$(BIN)/ruff format --check --quiet . || { echo "Run 'make format'."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(MAKE) --no-print-directory test
	@$(PYTEST) -n 4 -m long

fuzz: $(VENV)/.dev ## Send a live server thousands of requests made from /openapi.json (FUZZ_EXAMPLES, FUZZ_SEED)
	@FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-1000} FUZZ_SEED=$${FUZZ_SEED:-$$(date +%s)} \
		$(PYTEST) tests/api/test_schemathesis.py -n 2 -rP --timeout 3600

format: $(VENV)/.dev ## Format the code and mend what can be mended by itself
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --fix --quiet .

messages: $(VENV)/.dev ## Bring every language's catalogue up to date with the texts in the code
	@$(BIN)/python -m i18n.extract

bench: $(VENV)/.dev ## Measure speed, size and truth at a million licenses, into docs/performance.md
	@$(BIN)/python -m bench

pictures: $(VENV)/.dev ## Take the pictures that the docs show, of the sandbox's page (needs Chromium)
	@$(BIN)/python -m bench.pictures

lock: ## Resolve the dependencies anew (needs uv)
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--extra speed --group build pyproject.toml -o requirements.lock
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--extra speed --group dev pyproject.toml -o requirements-dev.lock

clean: ## Remove the virtual environment and every cache
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info

# A stamp records what was installed, so that a second run installs nothing.
$(VENV)/.runtime: requirements.lock pyproject.toml
	@echo "Setting up $(VENV) (once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Adding the test tools (once) ..."
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@
