# The two commands that matter are `make run` and `make test`; `make` alone lists the others.
# They need git, make and Python 3.11 or newer; everything else is brought into .venv, from hashed locks.

PORT ?= 5000
DATA ?= data
WORKERS ?= 3
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PYTEST := $(PY) -m pytest
LOCK := $(PY) -m uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header

# An empty or read-only HOME is no obstacle: caches then live in the checkout.
ifneq ($(shell test -n "$$HOME" && test -w "$$HOME" && echo yes),yes)
export HOME := $(CURDIR)/.cache/home
export XDG_CACHE_HOME := $(CURDIR)/.cache
endif
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
# Behind an inspecting proxy only the machine's own certificates help; where there are none, pip has its own.
export UV_SYSTEM_CERTS := 1

.PHONY: help run test test-all check bench screens lock upgrade-locks clean
.DEFAULT_GOAL := help

help:
	@echo "make run        start regsys with the demo   (PORT=$(PORT) DATA=$(DATA))"
	@echo "make test       everything that CI runs      (TESTS=tests/house narrows it)"
	@echo "make test-all   the same and the long runs"
	@echo "make check      ruff and mypy only"
	@echo "make bench      measure, in one run, ratios that can be compared"
	@echo "make screens    a picture of every page, at 390 and 1280 px, light and dark, in screens/"
	@echo "make lock       write requirements/*.lock anew after a change of pyproject.toml"
	@echo "make clean      remove .venv and caches; your data stay"

run: $(VENV)/run.stamp
	@exec $(PY) -m regsys run --port "$(PORT)" --data "$(DATA)"

test: $(VENV)/test.stamp
	$(call check_and_test,)

test-all: $(VENV)/test.stamp
	$(call check_and_test,--long)

# mypy works beside the tests, which often wait; what it says comes after theirs.
define check_and_test
	@$(PY) -m tests.support.needs
	$(PY) -m ruff check
	@$(PY) -m mypy > $(VENV)/mypy.txt 2>&1 & mypy=$$!; \
	run="$(PYTEST) -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder --database both $(1) $(TESTS)"; \
	echo "$$run"; $$run; code=$$?; \
	echo "$(PY) -m mypy"; wait $$mypy || code=1; cat $(VENV)/mypy.txt; exit $$code
endef

check: $(VENV)/test.stamp
	$(PY) -m ruff check
	$(PY) -m mypy

bench: $(VENV)/test.stamp
	@exec $(PY) -m bench $(BENCH)

screens: $(VENV)/test.stamp
	@$(PY) -m tests.support.needs
	@$(PY) -m tests.support.shots

# ---- the environment: made once, and again when a lock changes ----

PYTHON_TOO_OLD = "regsys needs Python 3.11 or newer, and found none." \
  "Install it (Debian and Ubuntu: apt-get install python3 python3-venv)," \
  "or name the one you have: make run PYTHON=/path/to/python3.11"
NO_VENV = "This Python cannot make virtual environments." \
  "Debian and Ubuntu keep that part in a package of its own: apt-get install python3-venv"

$(PY):
	@for python in "$(PYTHON)" python3 python3.14 python3.13 python3.12 python3.11; do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	  python=; \
	done; \
	if [ -z "$$python" ]; then printf '%s\n' $(PYTHON_TOO_OLD) >&2; exit 1; fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then printf '%s\n' $(NO_VENV) >&2; exit 1; fi; \
	echo "Making the environment in $(VENV) (once; a few seconds)."; \
	rm -rf $(VENV) && "$$python" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
	@$(PY) -m pip install -q --require-hashes --only-binary :all: -r requirements/uv.lock 2>/dev/null || true

# uv is four times faster; pip does the same where uv cannot be had.
define install
	@echo "Installing $(1)."
	@$(PY) -m uv pip install -q --python $(PY) --require-hashes -r $(1) 2>/dev/null \
	  || $(PY) -m pip install -q --require-hashes -r $(1) \
	  || { echo "Some packages could not be installed; is the package index reachable?" >&2; exit 1; }
endef

$(VENV)/run.stamp: requirements/run.lock | $(PY)
	$(call install,requirements/run.lock)
	@touch $@

$(VENV)/test.stamp: requirements/test.lock $(VENV)/run.stamp
	$(call install,requirements/test.lock)
	@touch $@

lock: | $(PY)
	$(LOCK) requirements/uv.in -o requirements/uv.lock
	$(LOCK) pyproject.toml -o requirements/run.lock
	$(LOCK) requirements/test.in -o requirements/test.lock

upgrade-locks: | $(PY)
	$(LOCK) --upgrade pyproject.toml -o requirements/run.lock
	$(LOCK) --upgrade requirements/test.in -o requirements/test.lock

clean:
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache
