PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || echo python3)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test quick check bench clean

run: $(VENV)/.ready
	@$(BIN)/pi-opensync start

test: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -n auto

quick: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -n auto -m "not slow"

bench: $(VENV)/.ready-dev
	$(BIN)/python -m bench

check: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

$(VENV)/.ready: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	@touch $@

clean:
	rm -rf $(VENV) .tools
