# make demo    fuse real volumes and say where the results are (demo-output/)
# make test    run every test, style included
# make setup   only what both need first: the virtual environment in .venv
# make clean   remove the environment and what the commands left
#
# Needs Python 3.11 or newer and make. Set-up runs once; it is repeated when pyproject.toml or
# constraints.txt change.

PYTHON ?= python3
VENV := .venv
READY := $(VENV)/ready

.PHONY: demo test setup clean

demo: $(READY)
	@$(VENV)/bin/wdualmine demo --force

test: $(READY)
	@sh .ci/programs "$(VENV)"
	@$(VENV)/bin/python -m pytest -q

setup: $(READY)

$(READY): pyproject.toml constraints.txt .ci/setup
	@PYTHON="$(PYTHON)" sh .ci/setup "$(VENV)"
	@touch $@

clean:
	rm -rf $(VENV) demo-output build dist
