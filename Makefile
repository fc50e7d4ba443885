# Everything is done inside .venv, which the first target that needs it makes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MINISTACK := $(VENV)/ministack
CACHE := $(CURDIR)/.cache
# Parts of the comparison with botocore: operations, paginators and waiters, endpoints, signatures.
COMPARED := __main__ paging endpoint_rules routes
SOURCES := tornado_aws codegen tests benchmarks examples docs setup.py

# Caches of the tools stay in the project, and nothing of the user's own Python gets in.
export BLACK_CACHE_DIR := $(CACHE)/black
export MYPY_CACHE_DIR := $(CACHE)/mypy
export RUFF_CACHE_DIR := $(CACHE)/ruff
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check generate install format lint types conformance catalogue docs bench \
	soak build clean

help:  # list the targets
	@grep -E '^[a-z-]+:.*  # ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*  # /\1|/' \
	| awk -F '|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

demo: generate  # show raw and generated calls against a local AWS that checks signatures
	$(BIN)/python -m examples.demo

test: install  # run every test
	$(BIN)/python -m pytest -q $(ARGS)

check: install lint types docs  # all that can be checked without running the tests
	$(BIN)/python -m codegen check

generate: install  # write generated/ from models/
	$(BIN)/python -m codegen generate

install: $(VENV)/.installed  # make .venv with all that development needs

format: install  # lay out and tidy the sources
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/black --quiet $(SOURCES)

lint: install  # look for faults of style; changes nothing
	$(BIN)/ruff check $(SOURCES) generated; ruff=$$?; \
	$(BIN)/black --check $(SOURCES) && exit $$ruff

types: install  # check the types with mypy and pyright
	$(BIN)/mypy tornado_aws codegen generated tests; mypy=$$?; \
	$(BIN)/pyright --pythonpath $(BIN)/python && exit $$mypy

conformance: install  # compare all of every service with botocore; ARGS="--seed 7 s3", COMPARED=paging
	@set -e; for name in $(COMPARED); do \
	  echo; echo "== $$name"; $(BIN)/python -m tests.conformance.$$name $(ARGS); done

catalogue: install  # generate, import and type-check the clients of every service there is
	$(BIN)/python -m tests.codegen.catalogue $(ARGS)

docs: $(VENV)/.installed-docs  # build the documentation in docs/_build/html
	$(BIN)/python docs/settings.py
	$(BIN)/sphinx-build --quiet --fresh-env --fail-on-warning --builder html docs docs/_build/html

bench: install $(VENV)/.installed-bench  # measure, and compare with others; ARGS="calls --record"
	$(BIN)/python -m benchmarks $(ARGS)

soak: install  # call for a minute among random faults, and account for every call
	$(BIN)/python -m tests.faults.soak $(ARGS)

build: install  # build the wheel in dist/
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

clean:  # remove all that was built, .venv included
	rm -rf $(VENV) $(CACHE) build dist docs/_build *.egg-info .pytest_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed: setup.py pyproject.toml $(MINISTACK)/.installed | $(BIN)/python
	@echo 'Installing into $(VENV); this takes a minute.'
	$(BIN)/python -m pip install --quiet --editable '.[curl,test]'
	@touch $@

$(VENV)/.installed-%: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[$*]'
	@touch $@

# ministack pins the botocore that it takes its models from, and gets an environment of its own.
$(MINISTACK)/.installed: | $(BIN)/python
	$(BIN)/python -m venv --without-pip $(MINISTACK)
	$(BIN)/python -m pip --python $(MINISTACK)/bin/python install --quiet ministack==1.5.33
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "tornado-aws needs Python 3.11 or newer, and $(PYTHON) is not;" \
	    "name another one: make PYTHON=python3.13" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
