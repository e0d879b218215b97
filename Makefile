# make run   opens the app on the virtual rig        make test   runs the tests
# make demo  the main job without a screen           make check  linters, types, walls, C sanitizers
# make bench every speed claim against its reference
SHELL := /bin/bash
# The first Python that runs and is new enough (a pyenv shim may be there and not run); used for .venv only.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
# Extra words for pip, for instance an index that holds the torch build for your GPU.
PIP_ARGS ?=
# Tests wait for devices more than they compute: two at a time.
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
SOURCES := pyproject.toml constraints.txt setup.py $(wildcard rig/virtual/protocol.h rig/virtual/producer/*.[ch] rig/virtual/producer/*.py rig/virtual/sensor/*.c rig/camera/unpack/*.[ch] processing/geometry/*.[ch] processing/png/*.[ch])

.PHONY: run demo test check bench format clean
.DEFAULT_GOAL := run
.DELETE_ON_ERROR:  # a .venv that was half made is made again

run: $(VENV)/.run
	@exec $(BIN)/beamrig run $(ARGS)

demo: $(VENV)/.run
	@exec $(BIN)/beamrig demo $(ARGS)

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	CC=$${CC:-cc} PYTHON="$$PWD/$(BIN)/python" tests/c/run.sh

bench: $(VENV)/.dev
	@for script in benchmarks/bench_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build *.egg-info rig/virtual/*.cti rig/virtual/*.so rig/camera/*.so processing/*.so

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "beamrig needs Python 3.11 or newer; none was found (set PYTHON=...)" >&2; exit 1; }
	tools/system_libraries.sh "$(PYTHON)"
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.run: $(BIN)/python $(SOURCES)
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(BIN)/python $(SOURCES)
	tools/system_libraries.sh $(BIN)/python tests
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) -c constraints.txt -e ".[dev]"
	@touch $@ $(VENV)/.run
