# make demo    fit a photo to a reference and show the sliders
# make test    every check and test
# make bench   speed and accuracy, as ratios and tables, into benchmarks/results
# make format  tidy the code
# make generate  write anew what follows from the declarations: help pages, inventory, lists of operations and packages

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: demo test bench format generate clean

demo: $(READY)
	@echo "Fitting the sliders of workflows/match_reference.json until the photo looks like its reference ..."
	@mkdir -p out
	$(BIN)/luxgrad fit workflows/match_reference.json --out out/demo --force

test: $(READY)
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

clean:
	rm -rf $(VENV) build out *.egg-info
