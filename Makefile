# The commands a newcomer needs; `make` alone lists them.
#
# Everything lives in .venv. The stamps in it are older or newer than the files that say what to install, so that a
# second `make` does nothing and a changed file installs again. A stamp is touched last: what was cut short is begun
# again.

VENV := .venv
BIN := $(VENV)/bin

# What pip may install, also into the isolated environment that the package is built in: pip before 26 reads the first
# there, later ones the second.
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_BUILD_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Tests and demo start many processes: none is to compile the program again.
unexport PYTHONDONTWRITEBYTECODE

PACKAGE := pyproject.toml constraints.txt deploy/build_hook.py $(shell find proto -name '*.proto')
INSTALL := $(BIN)/python -m pip install --quiet

.DEFAULT_GOAL := help
.PHONY: help install demo test fuzz lint lint-style lint-format lint-types lint-proto lint-breaking chaos bench proto clean

help:
	@echo 'make demo                  install, start the demo federation, say where to look; Ctrl-C ends it'
	@echo 'make test                  install what the tests need, run every test (ARGS go to pytest)'
	@echo 'make install               only .venv with the program in it'
	@echo 'make lint                  style, types and the wire contract'
	@echo 'make bench [ONLY=name,…]   benchmarks: a table and bench-results.json'
	@echo 'make chaos [KILLS=n]       four tiers under load, killed again and again: nothing may be lost or doubled'
	@echo 'make fuzz [TIMES=n]         every property and state machine with n times the examples (20)'
	@echo 'make proto                 generate the protobuf modules again'
	@echo 'make clean                 remove .venv and everything generated'

install: $(VENV)/.installed
	@echo 'zongheng is in $(VENV): $(BIN)/zongheng --help'

demo: install
	@exec $(BIN)/zongheng demo

test: $(VENV)/.installed-test
	@sh tests/setup.sh
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: lint-style lint-format lint-types lint-proto lint-breaking

lint-style: $(VENV)/.installed-test
	$(BIN)/ruff check

lint-format: $(VENV)/.installed-test
	$(BIN)/ruff format --check

lint-types: $(VENV)/.installed-test
	$(BIN)/mypy --strict

lint-proto: $(VENV)/.installed-test
	$(BIN)/buf lint

lint-breaking: $(VENV)/.installed-test
	@sh .ci/breaking $(BIN)/buf

bench: $(VENV)/.installed-bench
	@sh tests/bench/setup.sh
	$(BIN)/python tests/bench/run.py $(if $(ONLY),--only '$(ONLY)')

KILLS := 20

chaos: $(VENV)/.installed-test
	@$(BIN)/python -m tests.chaos.run --kills $(KILLS) $(if $(SEED),--seed $(SEED))

TIMES := 20

fuzz: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 2 tests/unit --fuzz $(TIMES) -p no:cacheprovider $(ARGS)

proto: $(VENV)/.installed-test
	$(BIN)/python deploy/build_hook.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis bench-results.json
	find node federation tiers deploy tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.created:
	@sh deploy/venv.sh $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.created $(PACKAGE)
	@echo 'Installing zongheng into $(VENV); the first time takes some minutes.'
	@$(INSTALL) --editable .
	@touch $@

# An extra brings the program with it.
$(VENV)/.installed-%: $(VENV)/.created $(PACKAGE)
	@echo 'Installing zongheng into $(VENV), with what "make $*" needs; the first time takes some minutes.'
	@$(INSTALL) --editable '.[$*]'
	@touch $(VENV)/.installed $@

.SECONDARY:
