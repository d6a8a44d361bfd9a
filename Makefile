# Each habit has one target; every target sets up what it needs. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test lint conformance faults keycloak kubernetes browser sumdb bench bench-masking lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

install: $(INSTALLED)  ## set up .venv with the `sluicegate` command in it

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v >= (3, 11) else "Sluicegate needs Python 3.11 or newer, this is %d.%d: run make PYTHON=python3.11 …" % v)'
	@test -x $(BIN)/python || { echo "» creating $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "» installing the locked packages into $(VENV) (first time: about 250 MB)"
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes --progress-bar on -r requirements.lock \
		| sed -u -n 's/^ *Downloading \([^ ]*\).*(\(.*\))$$/  \1 (\2)/p; s/^Installing collected packages.*/» unpacking them/p'
	@$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	@touch $@
	@echo "» ready: $(BIN)/sluicegate --help"

demo: install  ## start everything, let an agent work through the gateway, show the trail, stay up
	@exec $(BIN)/sluicegate demo

test: install lint  ## lint, then all tests (a real broker and a real chDB; no Docker, no Java to install)
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: install  ## ruff, mypy strict, import contracts
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

conformance: install  ## the official MCP conformance suite, direct against through the gateway, also with a token on every request
	@$(BIN)/python -m tests.conformance
	@$(BIN)/python -m tests.conformance --through guarded

faults: install  ## kill -9 everything under load and count what was lost
	@$(BIN)/python -m tests.faults

keycloak: install  ## identity against a real Keycloak (fetched once, about 200 MB): groups, rotation, the official client's OAuth flow
	@$(BIN)/python -m tests.keycloak

kubernetes: install  ## a real control plane (built once from Go modules, 8 minutes), real kubectl and clients: direct against through
	@$(BIN)/python -m tests.kubernetes

browser: install  ## the console in a real Chromium (the system's): ten tasks, accessibility, screenshots
	@$(BIN)/python -m tests.browser

sumdb: install  ## notes, tree heads and proofs against Go's golang.org/x/mod/sumdb, both ways (needs Go)
	@$(BIN)/python -m tests.sumdb

bench: install  ## direct against through, side by side: MCP, then Kubernetes
	@$(BIN)/python -m benchmarks
	@$(BIN)/python -m benchmarks.kubernetes

bench-masking: install  ## masking beside the same rules as plain regular expressions
	@$(BIN)/python -m benchmarks.masking

lock: $(INSTALLED)  ## renew requirements.lock from pyproject.toml
	@$(BIN)/python -m pip install -q uv && $(BIN)/uv pip compile pyproject.toml --extra dev --extra names --universal --generate-hashes --no-emit-index-url --no-header -q -o requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --constraint requirements.lock --universal --generate-hashes --no-emit-index-url --no-header -q -o deploy/requirements.lock

clean:  ## remove what the targets made (not ./var, where trails live)
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info build
