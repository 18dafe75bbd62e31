# Gossamer. `make serve` and `make test` work on a machine that has Python 3.11 or newer with pip.
PYTHON ?= python3
PORT ?= 8000
# What the site ships: names that `gossamer models` lists, the first one the default.
MODELS ?= u2netp modnet
# On WASM: fp32, int8 (smaller, nearly as exact), or auto: what models/catalog.toml says.
PRECISION ?= auto
# What the networks may run on: wasm, and any of webgpu and webgl.
BACKENDS ?= wasm webgpu
# Networks of so many pixels a side, in place of each one's own; none: as models/catalog.toml says.
SIZE ?=
CHOICES = --precision $(PRECISION) --backend $(BACKENDS) $(SIZE:%=--size %) $(MODELS:%=--model %)

VENV := .venv
BIN := $(VENV)/bin
# First in PATH, so that a Node from inside the environment is found where the machine has none.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# npm's own cache is below HOME, which need not be writable.
ifdef GOSSAMER_CACHE
export npm_config_cache := $(GOSSAMER_CACHE)/npm
endif
MAKEFLAGS += --no-print-directory

SOURCES := $(shell find exporter pyside_logic web models -type f \
	-not -path '*/__pycache__/*' -not -path '*/.*')

# uv installs in a tenth of pip's time, from where pip would. Where it does not run, or reaches
# nothing, pip does.
PIPS_INDEX = $${PIP_INDEX_URL:-$$($(BIN)/python -m pip config get global.index-url 2>/dev/null)}
install = { UV_DEFAULT_INDEX="$(PIPS_INDEX)" \
	$(BIN)/uv pip install --quiet --python $(BIN)/python $(1) 2>/dev/null \
	|| $(BIN)/python -m pip install --quiet $(1); }
# Every package in the version and with the hash that is written in a lock file.
locked = $(call install,--require-hashes --no-deps --requirement locks/$(1).txt)
itself = $(call install,--no-build-isolation --editable '$(1)')
made_for = $$(pwd -P) $$($(1) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes \
	--python-version 3.11 --no-annotate --no-header --upgrade

.PHONY: help serve site lib test docs bench soak check browser matrix lock audit clean force

help:
	@echo "make serve   build the site and serve it at http://127.0.0.1:$(PORT) (PORT= changes it)"
	@echo "make site    build the site into dist/ (MODELS=\"u2netp modnet\" chooses its networks,"
	@echo "             PRECISION=int8 makes all of them smaller, BACKENDS=\"wasm webgl\" what they"
	@echo "             may run on; the fastest: MODELS=u2netp SIZE=256)"
	@echo "make lib     write the package for other sites into build/lib/gossamer, with the same"
	@echo "             choices, and pages that use it beside it: gossamer serve --dist build/lib"
	@echo "make test    check and test everything"
	@echo "make docs    build the documentation into build/docs"
	@echo "make matrix  measure the networks in every engine into docs/benchmarks.md"
	@echo "make bench   measure the site beside a peer, and what 12 and 48 megapixels cost Python"
	@echo "             (BENCH=\"--eval DIR\" measures quality, too; gossamer bench --help)"
	@echo "make check   linters and type checkers only"
	@echo "make soak    the long tests: 200 photos in one page, millions of damaged inputs"
	@echo "make lock    the newest packages that pyproject.toml and package.json allow, into the locks"
	@echo "make audit   asks the package registries for known vulnerabilities of what is locked"
	@echo "make browser installs the browsers of the tests: from Debian where you are root on it"
	@echo "make clean   remove everything that was built"
	@echo
	@echo "PYTHON=python3.13 is another Python for .venv, and GOSSAMER_CACHE=DIR keeps what is"
	@echo "fetched in another place than the user's cache folder."

serve: dist/index.html
	@gossamer serve --port $(PORT)

site: dist/index.html

lib: $(BIN)/.dev node_modules/.installed
	@gossamer lib --out build/lib/gossamer $(CHOICES)
	@cp -R web/examples/. build/lib
	@mkdir -p build/lib/other && ln -sfn ../gossamer build/lib/other/gossamer
	@python -c "from skimage import data, io; io.imsave('build/lib/photo.jpg', data.astronaut())"

test: check browser
	@pytest

# The variable silences what the theme's authors say about a MkDocs that nobody has installed here.
docs: $(BIN)/.dev
	@NO_MKDOCS_2_WARNING=1 mkdocs build --quiet --strict --config-file docs/mkdocs/mkdocs.yml
	@echo "The documentation is in build/docs: open index.html"

bench: browser
	@mkdir -p build/bench
	@python -c "from skimage import data, io; io.imsave('build/bench/astronaut.png', data.astronaut())"
	@gossamer bench --picture build/bench/astronaut.png --out build/bench $(BENCH)
	@pytest -q -s -p no:cacheprovider tests/bench/bench_refine.py

# What takes too long for every change.
soak: browser node_modules/.installed
	@pytest -m soak --timeout=7200 -rP tests

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
	@gossamer site --out dist $(CHOICES)

# Another choice of networks is another site, though no source is newer.
build/site-choices: force
	@mkdir -p build
	@echo '$(CHOICES)' | cmp -s - $@ || echo '$(CHOICES)' >$@

force:

# What this environment was made for. Its programs name its folder, and its packages lie below its
# Python's version: in a checkout that was copied or moved, or with another Python, it is made anew,
# as it is where it was never finished.
NAMED_PYTHON = $(if $(filter file,$(origin PYTHON)),$(BIN)/python,$(PYTHON))
$(BIN)/.made: force
	@[ "$$(cat $@ 2>/dev/null)" = "$(call made_for,$(NAMED_PYTHON))" ] || rm -rf $(VENV)
	@[ -e $@ ] || $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Expected Python 3.11 or newer, received $$($(PYTHON) --version)." \
			"Run: make PYTHON=python3.11" >&2; exit 1; }
	@[ -e $@ ] || { echo "Making a Python environment in $(VENV) ..."; \
		$(PYTHON) -m venv $(VENV) 2>/dev/null || { \
			$(PYTHON) -m venv --clear --without-pip $(VENV) && \
			$(PYTHON) -m pip --quiet --python $(BIN)/python install pip; }; }
	@[ -e $@ ] || echo "$(call made_for,$(BIN)/python)" >$@

$(BIN)/.installed: pyproject.toml locks/build.txt locks/node.txt locks/uv.txt $(BIN)/.made
	@echo "Installing Gossamer's Python packages ..."
	@$(BIN)/python -m pip install --quiet --require-hashes --no-deps \
		--requirement locks/uv.txt 2>/dev/null || true
	@$(call locked,build)
	@$(call itself,.)
	@node -e 'process.exit(process.versions.node.split(".")[0] < 18 ? 1 : 0)' 2>/dev/null \
		&& command -v npm >/dev/null || { \
		echo "Installing Node (this machine has none that is new enough) ..." && \
		$(call locked,node); }
	@touch $@

$(BIN)/.dev: locks/dev.txt $(BIN)/.installed
	@echo "Installing what the tests need ..."
	@$(call locked,dev)
	@$(call itself,.[dev])
	@touch $@

node_modules/.installed: package-lock.json .npmrc | $(BIN)/.installed
	@echo "Installing the JavaScript checkers ..."
	@npm ci --loglevel=error
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

# Also those that only `make soak` measures.
matrix: browser
	@pytest -m "soak or not soak" tests/engines
	@python -m tests.engines.table

# Without node_modules: npm would leave what they lack, other platforms' files, out of its lock.
lock: $(BIN)/.installed
	@$(COMPILE) --output-file locks/dev.txt --extra dev pyproject.toml locks/setuptools.in
	@$(COMPILE) --output-file locks/build.txt --constraint locks/dev.txt \
		pyproject.toml locks/setuptools.in
	@$(COMPILE) --output-file locks/node.txt locks/node.in
	@$(COMPILE) --output-file locks/uv.txt locks/uv.in
	@rm -rf build/npm && mkdir -p build/npm && cp package.json .npmrc build/npm
	@npm install --prefix build/npm --package-lock-only --loglevel=error
	@cp build/npm/package-lock.json .

# Both are asked, and either may fail: the exit status is that of both.
audit: build/supply/.installed
	@python=0; node=0; \
	build/supply/bin/pip-audit --strict --disable-pip --requirement locks/dev.txt \
		--requirement locks/node.txt --requirement locks/uv.txt || python=$$?; \
	npm audit || node=$$?; \
	[ $$python$$node = 00 ]

build/supply/.installed: pyproject.toml $(BIN)/.made
	@$(PYTHON) -m venv --clear build/supply
	@build/supply/bin/python -m pip install --quiet pip-audit==2.10.1
	@touch $@

clean:
	rm -rf dist build $(VENV) node_modules *.egg-info
