# Everything here works from a fresh clone with Python >= 3.11, make and pip: the environment is made in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TESTS ?= tests
CLUSTER_TESTS ?= tests/cluster
# What is not kept compiled is compiled by each of the hundreds of processes that tests start.
unexport PYTHONDONTWRITEBYTECODE
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --no-input

.PHONY: help demo test control-plane test-cluster lint format bench bench-cluster crds values lock clean

help:  ## Show what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime  ## Show a push that starts a build, in a development cluster
	@$(BIN)/hookwright demo

test: $(VENV)/.dev  ## Run every test that needs PyPI packages alone, and those on a control plane if it is there
	$(BIN)/python -m pytest $(TESTS)

control-plane: | $(BIN)/python  ## Build a real control plane for tests, where there is Go and none yet
	@$(BIN)/python tests/support/binaries.py
	@PYTHONPATH=tests $(BIN)/python -m support.upstream

test-cluster: control-plane $(VENV)/.dev  ## Run the tests on a real control plane
	$(BIN)/python -m pytest $(CLUSTER_TESTS)

lint: $(VENV)/.dev  ## Check style, types and who imports whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev  ## Put the code into its form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/.dev  ## Measure, and print ratios
	$(BIN)/python tests/bench/journal.py
	$(BIN)/python tests/bench/intake.py
	$(BIN)/python tests/bench/metrics.py
	$(BIN)/python tests/bench/starts.py
	$(BIN)/python tests/bench/footprint.py
	$(BIN)/python tests/bench/groups.py
	$(BIN)/python tests/bench/following.py
	$(BIN)/python tests/bench/scale.py

bench-cluster: control-plane $(VENV)/.dev  ## Measure a cold start on a real control plane
	$(BIN)/python tests/bench/cold.py

crds: $(VENV)/.runtime  ## Write crds/, and the chart's copies, anew from the models
	$(BIN)/hookwright crds --to crds
	$(BIN)/hookwright crds --to charts/hookwright/files/crds

values: $(VENV)/.dev  ## Write the page of the chart's values anew from its values.yaml
	$(BIN)/python tests/support/values_page.py

lock: $(VENV)/.dev  ## Choose the newest versions that pyproject.toml allows
	$(PIP) install 'uv>=0.9'
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command 'make lock' --output-file requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command 'make lock' --constraint requirements.lock --group dev \
		--output-file requirements-dev.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command 'make lock' --group build --output-file requirements-build.lock

clean:  ## Remove the environment and all caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Hookwright needs Python 3.11 or newer (PYTHON=…)"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	@echo "setting up $(VENV)"
	@$(PIP) install --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@$(PIP) install --require-hashes --requirement requirements-dev.lock
	@touch $@
