# Two commands do everything: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOME_DIR ?= demo-home
PORT ?= 8700
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test test-long check format lint types contracts docs bench clean

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.serve-and-train: pyproject.toml
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV) || { \
	  rm -rf $(VENV); \
	  echo "Python cannot make virtual environments here; on Debian: apt install python3-venv"; \
	  exit 1; }
	@echo "installing into $(VENV) (the first time downloads hundreds of megabytes or more)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[train]'
	@touch $@

$(VENV)/.everything: $(VENV)/.serve-and-train
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[train,search,dev]'
	@touch $@

demo: $(VENV)/.serve-and-train ## Simulate a platform, learn its feed, serve it (EXIT=1: then stop)
	@$(BIN)/playbill demo --home $(HOME_DIR) --port $(PORT) $(if $(EXIT),--exit)

test: $(VENV)/.everything ## Run the tests
	@$(BIN)/python -m pytest -n $(WORKERS) -m 'not long and not data'

test-long: $(VENV)/.everything ## Run the tests that take minutes, too
	@$(BIN)/python -m pytest -n $(WORKERS) -m 'not data'

check: format lint types contracts test ## Format, lint, types, import contracts, tests

format: $(VENV)/.everything ## Refuse code that is not formatted
	@$(BIN)/ruff format --check src tests bench

lint: $(VENV)/.everything ## Refuse code that a linter objects to
	@$(BIN)/ruff check src tests bench

types: $(VENV)/.everything ## Refuse code whose types do not fit
	@$(BIN)/mypy

contracts: $(VENV)/.everything ## Refuse imports against the order of stations
	@$(BIN)/lint-imports

docs: $(VENV)/.everything ## Write the reference pages again from the code
	@$(BIN)/playbill reference --write docs

bench: $(VENV)/.everything ## Measure this machine; results in bench-results/
	@$(BIN)/python -m bench --out bench-results

clean: ## Remove what make built, and the demo's home
	@rm -rf $(VENV) $(HOME_DIR) bench-results
