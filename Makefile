PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || echo python3)
VENV := .venv
BIN := $(VENV)/bin

# Without compiled files on the disk every process of the tests compiles all it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test quick storm check docs screenshots bench clean

run: $(VENV)/.ready
	@$(BIN)/pi-opensync start

test: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -n auto --dist worksteal

quick: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow"

# What `make test` shortens, in full: every call that a run may end at, thousands of random runs, the real sizes.
storm: $(VENV)/.ready-dev
	FULL_LENGTH=1 $(BIN)/python -m pytest -n auto --dist worksteal -m shortened

bench: $(VENV)/.ready-dev
	$(BIN)/python -m bench

check: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/zensical build --clean --strict --config-file mkdocs.yml

docs: $(VENV)/.ready-dev
	$(BIN)/zensical build --clean --strict --config-file mkdocs.yml

# The pictures of README and docs, from the samples; needs a Chromium.
screenshots: $(VENV)/.ready-dev
	$(BIN)/python -m tests.docs.screenshots

# Every version is the one in uv.lock; `uv lock` writes it anew after a change of pyproject.toml.
$(VENV)/.ready: pyproject.toml uv.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"
	@$(BIN)/uv sync --quiet --locked --inexact --no-dev
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	@$(BIN)/uv sync --quiet --locked --inexact
	@touch $@

clean:
	rm -rf $(VENV) .tools
