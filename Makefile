# make demo    fit a photo to a reference and show the sliders
# make test    every check and test
# make bench   speed and accuracy, as ratios and tables, into benchmarks/results
# make format  tidy the code
# make generate  write anew what follows from the declarations: help pages, inventory, lists of operations and packages

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

# ComfyUI's editors that the tests open in Chromium: that of the oldest ComfyUI we support, and the newest.
EDITORS := 1.27.10 1.58.1

.PHONY: demo test chromium bench format generate clean

demo: $(READY)
	@echo "Fitting the sliders of workflows/match_reference.json until the photo looks like its reference ..."
	@mkdir -p out
	$(BIN)/luxgrad fit workflows/match_reference.json --out out/demo --force

test: $(READY) $(VENV)/editors chromium
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	MYPYPATH=$(VENV)/typing $(BIN)/mypy -p luxgrad
	$(BIN)/pytest

bench: $(READY)
	$(BIN)/python -m luxgrad.benchmarks

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(READY)
	$(BIN)/python docs/generate.py

# Installed once; again only when what is to be installed changes. PyTorch goes first and by exact version, so that no
# other package draws in a larger build of it.
$(READY): pyproject.toml constraints.txt
	@echo "Setting up $(VENV) (once) ..."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^torch==' constraints.txt)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[fit,files,exr,raw,test]'
	mkdir -p $(VENV)/typing && ln -sfn $(CURDIR) $(VENV)/typing/luxgrad
	touch $@

$(VENV)/editors: Makefile $(READY)
	mkdir -p $@ && rm -f $@/*
	for version in $(EDITORS); do \
		$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --dest $@ \
			comfyui-frontend-package==$$version || exit; \
	done
	touch $@

# What a user does first is tested in a browser. Only root can install one.
chromium:
	@if command -v chromium || command -v chromium-browser || command -v google-chrome; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; \
	else \
		echo "The tests of ComfyUI's editor are left out. To run them: sudo apt-get install chromium"; \
	fi >&2

clean:
	rm -rf $(VENV) build out *.egg-info
