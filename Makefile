# make demo    fuse real volumes and say where the results are (demo-output/)
# make test    run every test, style and types included
# make check   style, types and the quick tests: about a minute
# make pictures  draw the documentation's pictures anew; TO=folder, ONLY="panel inspect ..."
# make setup   only what these need first: the virtual environment in .venv
# make clean   remove the environment and what the commands left
#
# Needs Python 3.11 or newer and make. Set-up runs once; it is repeated when pyproject.toml or
# constraints.txt change.

PYTHON ?= python3
VENV := .venv
READY := $(VENV)/ready

.PHONY: demo test check pictures setup clean

TO ?= Resources/Screenshots

demo: $(READY)
	@$(VENV)/bin/wdualmine demo --force

test: $(READY)
	@sh .ci/programs "$(VENV)"
	@$(VENV)/bin/python -m pytest -q

check: $(READY)
	@$(VENV)/bin/python -m ruff check --quiet .
	@$(VENV)/bin/python -m ruff format --check --quiet .
	@$(VENV)/bin/python -m mypy
	@$(VENV)/bin/python -m pytest -q -m "not slow"

pictures: $(READY)
	@$(VENV)/bin/python Testing/make_screenshots.py "$(TO)" $(ONLY)

setup: $(READY)

$(READY): pyproject.toml constraints.txt .ci/setup
	@PYTHON="$(PYTHON)" sh .ci/setup "$(VENV)"
	@touch $@

clean:
	rm -rf $(VENV) demo-output build dist
