# make serve              install what serving needs, then run the service on PORT
# make test               everything that CI runs
# make check              the same without pytest
# make install            what development needs; make serve and make test do their part of it by themselves
# make scores             measure the bundled models on CORPORA and write the tables of README.md and the cards
# make install-training   what training the bundled models needs besides (a pretrained encoder, some 90 MB)
# make format             rewrite the sources as ruff likes them
# make clean              remove what was made from the sources (to start afresh: rm -r .venv)

HOST ?= 127.0.0.1
PORT ?= 8000
CORPORA ?= corpora
TORCH_VERSION ?= 2.13.0
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

BIN := .venv/bin
SERVE := .venv/.installed-serve
DEV := .venv/.installed-dev
TRAINING := .venv/.installed-training

.PHONY: serve test check scores install install-training format clean

serve: $(SERVE)
	@echo "Tagline is starting on http://$(HOST):$(PORT) (Ctrl-C stops it)"
	@exec $(BIN)/tagline serve --host $(HOST) --port $(PORT)

test: check
	$(BIN)/pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

check: $(DEV)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

install: $(DEV)

install-training: $(TRAINING)

scores: $(TRAINING)
	$(BIN)/python benchmarks/scores.py --corpora $(CORPORA)

format: $(DEV)
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

clean:
	rm -rf build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -path ./.venv -prune -o -name __pycache__ -prune -exec rm -r {} +

# Each stamp in .venv says that one set of packages is installed as pyproject.toml and this file have them.

$(SERVE): pyproject.toml Makefile | $(BIN)/python
	$(call install,.[bulk])
	@touch $@

$(DEV): pyproject.toml Makefile | $(BIN)/python
	$(call install,.[dev])
	@touch $(SERVE) $@

$(TRAINING): pyproject.toml Makefile | $(BIN)/python
	$(call install,.[bulk,minilm])
	@touch $(SERVE) $@

$(BIN)/python:
	$(or $(PYTHON),$(error $(no_python))) -m venv --clear .venv

no_python := no Python 3.11 or newer with its venv module was found; name one: make PYTHON=/path/to/python

# torch comes in builds. On Linux PyPI's brings gigabytes of CUDA libraries, so without a working GPU we ask for the one
# whose version ends in +cpu: from the wheels that pip is configured to find beside its index, or else from TORCH_INDEX.
# Asking in the same call as for tagline keeps pip from replacing it when another package would like a newer one.
define install
	@index=; if [ "$$(uname -s)" = Linux ] && ! nvidia-smi --list-gpus 2>/dev/null | grep -q GPU; then \
		torch="torch==$(TORCH_VERSION)+cpu"; \
		$(BIN)/pip install -q --dry-run --no-index --no-deps $$torch 2>/dev/null || index="--extra-index-url $(TORCH_INDEX)"; \
	else \
		torch="torch==$(TORCH_VERSION),!=$(TORCH_VERSION)+cpu"; \
	fi; \
	set -x; $(BIN)/pip install --disable-pip-version-check $$index "$$torch" -e '$(1)'
endef
