# `make demo` and `make test` do all their own set-up in .venv; nothing else is installed by hand,
# except, where there is none yet, a Chromium for the browser tests (see tools/browser.py).

PYTHON ?= $(shell sh tools/python.sh)
VENV ?= .venv
PORT ?= 8000
EMULATOR_PORT ?= 8900
SKIN ?=
PYTEST_ARGS ?=
SECONDS ?= 180
SEED ?= 1
NUMBER ?= 100
REPORT ?=
FAULTS_ARGS ?=
SITES_ARGS ?=
FULL_ARGS ?=

BIN = $(VENV)/bin

# Compiled once for all processes, also where Python is told to leave nothing behind: beside it.
TESTS = env -u PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX=$(abspath $(VENV))/pycache $(BIN)/python -m pytest

.PHONY: demo demo-workers quick test full coverage faults live mutants bench lint types package messages clean

demo: $(VENV)/.example
	PORT=$(PORT) EMULATOR_PORT=$(EMULATOR_PORT) SKIN=$(SKIN) $(BIN)/python example_project/demo.py

# With workers in processes of their own; needs no server, and uses Celery where a broker is there.
demo-workers: $(VENV)/.example $(VENV)/.workers
	PORT=$(PORT) EMULATOR_PORT=$(EMULATOR_PORT) $(BIN)/python example_project/demo_workers.py

# What one runs while working: without a browser, matrices, and what builds packages.
quick: $(VENV)/.test
	HYPOTHESIS_PROFILE=quick $(TESTS) --numprocesses auto --dist worksteal \
		--ignore tests/browser --ignore tests/databases --ignore tests/workers \
		-m "not browser and not exhaustive and not slow" $(PYTEST_ARGS)

test: $(VENV)/.test $(VENV)/.workers
	$(BIN)/python tools/browser.py
	$(TESTS) --numprocesses auto --dist worksteal $(PYTEST_ARGS)

# Which lines no test runs. Neither a browser nor all combinations reach lines that nothing else does.
coverage: $(VENV)/.test $(VENV)/.workers
	$(TESTS) --numprocesses auto --dist worksteal --cov --cov-report term-missing:skip-covered \
		-m "not browser and not exhaustive" $(PYTEST_ARGS)

# What is larger than CI: all combinations of what is sampled there, by SEED, and tables of them.
full: $(VENV)/.test
	$(BIN)/python tools/browser.py
	FULL=1 $(TESTS) --numprocesses auto --dist worksteal -m "sampled or full" $(FULL_ARGS)

faults: $(VENV)/.test
	$(BIN)/python -m tests.faults --seconds $(SECONDS) --seed $(SEED) $(FAULTS_ARGS)

# With CLERK_LIVE_SECRET_KEY, the key of a development instance; without it says what it would do.
live: $(VENV)/.test
	$(BIN)/python -m tools.live

# From the built wheel, in environments of its own that are kept for the next time.
sites: $(VENV)/.test
	$(BIN)/python -m tests.sites --seed $(SEED) $(SITES_ARGS)

mutants: $(VENV)/.test $(VENV)/.mutants
	$(BIN)/python tools/mutants.py --seed $(SEED) --number $(NUMBER) $(if $(REPORT),--report $(REPORT))

bench: $(VENV)/.test $(VENV)/.bench
	$(BIN)/python -m benchmarks.bench --json docs/costs.json --markdown docs/costs.md

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test $(VENV)/.lint
	$(BIN)/mypy org_invitations example_project tests tools benchmarks

package: $(VENV)/.lint
	rm -rf build dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl

messages: $(VENV)/.example
	cd org_invitations && ../$(BIN)/django-admin makemessages --all --no-location --no-obsolete --ignore 'emulator/*'
	cd org_invitations && ../$(BIN)/django-admin compilemessages

clean:
	rm -rf .venv* build dist *.egg-info .coverage .mypy_cache .pytest_cache .ruff_cache

# A stamp for each set of packages: installed once, and again when pyproject.toml changes.
$(VENV)/.created:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: set PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	touch $@

$(VENV)/.example $(VENV)/.test $(VENV)/.workers $(VENV)/.lint $(VENV)/.mutants $(VENV)/.bench: $(VENV)/.%: pyproject.toml $(VENV)/.created
	$(BIN)/python -m pip install --quiet --editable ".[$*]"
	touch $@
