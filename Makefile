# Two commands are enough:  make demo   (set up, render a loop)   and   make test   (set up, check everything).
# Variables: VENV=folder of the environment, PYTHON=interpreter to make it with, DEMO=pattern to render, DATA=training material.

VENV ?= .venv
DEMO ?= examples/patterns/boom-bap.mid
# material that only `evaluate` and `bench` need
DATA ?= ../shared/data
GOLDEN ?= ../shared/golden
# how long `fuzz` tries each kind of input
FUZZ_SECONDS ?= 60
# the versions that every dependency has wheels for
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c '$(SUPPORTED)' 2>/dev/null && echo "$$p" && break; done)

BIN := $(VENV)/bin
READY := $(VENV)/.ready
# as silent as pip can be; errors are still shown
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
TORCH := $(shell sed -n 's/^torch==//p' constraints.txt)
TORCH_CPU_INDEX := https://download.pytorch.org/whl/cpu

.PHONY: demo test lint format docs evaluate evaluate-paper bench bench-parts throughput fuzz matrix wheel clean
.DELETE_ON_ERROR:

demo: $(READY)
	@$(BIN)/loopnet generate $(DEMO) -o demo.wav --plot demo.png --overwrite
	@echo "Listen to $(CURDIR)/demo.wav, look at $(CURDIR)/demo.png"

test: lint
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

lint: $(READY)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "formatting differs: run 'make format'" >&2; exit 1; }
	@$(BIN)/mypy --no-error-summary

format: $(READY)
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

# docs/cli.md and docs/commands, from the commands themselves.
docs: $(READY)
	@$(BIN)/python -m loopnet_cli.cli.docs docs/cli.md

# The figures of docs/RESULTS.md, measured again (needs the training material, see NOTICE).
evaluate: $(READY)
	@$(BIN)/python -m loopnet_cli.evaluation $(DATA) $(EVALUATE_ARGS)

# The paper's tables, measured again on the bars that the bundled models were made with (rendered first, if missing).
BARS ?= build/bars.h5
EMBEDDING ?= ../shared/yamnet/yamnet.tflite
evaluate-paper: $(READY)
	@mkdir -p $(dir $(BARS))
	@[ -e $(BARS) ] || $(BIN)/loopnet dataset render -o $(BARS) --bars 3000 --seed 1 --material $(DATA)
	@$(BIN)/loopnet evaluate tables $(BARS) --out docs --state build/evaluation --material $(DATA) \
		--workers 2 $(if $(wildcard $(EMBEDDING)),--embedding-weights $(EMBEDDING)) $(EVALUATE_ARGS)

# How long things take, in one table, against the figures of docs/bench.json (BENCH_ARGS=--save keeps the new ones).
bench: $(READY)
	@$(BIN)/python -m loopnet_cli.evaluation.benchmark $(BENCH_ARGS)

# How well and how fast MIDI files are read, bars are rendered, timbre is measured and tempos are found;
# how long a loop takes, cold and warm.
bench-parts: $(READY)
	@$(BIN)/python -m loopnet_cli.pattern.bench $(DATA)/grooves
	@OMP_NUM_THREADS=1 $(BIN)/python -m loopnet_cli.data.bench $(DATA)
	@OMP_NUM_THREADS=1 $(BIN)/python -m loopnet_cli.analysis.bench $(GOLDEN)
	@OMP_NUM_THREADS=1 $(BIN)/python -m loopnet_cli.analysis.tempo_bench $(DATA) -o docs/TEMPO.md
	@$(BIN)/python -m loopnet_cli.evaluation.speed $(SPEED_ARGS)

# A thousand one-bar loops by `batch`, with 1 and 2 workers: loops a second, memory, the same bytes. Minutes.
throughput: $(READY)
	@$(BIN)/python -m loopnet_cli.evaluation.throughput $(THROUGHPUT_ARGS)

# Inputs that nobody has tried yet, so many seconds for each kind of file and command (about 27 of them); the counts go into
# docs/RELIABILITY.md, what fails into build/fuzz.
fuzz: $(READY)
	@OMP_NUM_THREADS=1 $(BIN)/python tests/fuzz/long.py --seconds $(FUZZ_SECONDS) --table docs/RELIABILITY.md $(FUZZ_ARGS)

# The oldest libraries that pyproject.toml allows, and the newest there are, with every Python found.
matrix:
	@$(or $(PYTHON),python3) .ci/matrix $(PYTHONS)

wheel: $(READY)
	@$(BIN)/python -m hatchling build -t wheel -d dist

clean:
	@rm -rf "$(VENV)" dist build demo.wav demo.png out .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find loopnet_cli tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt
	@$(or $(PYTHON),false) -c '$(SUPPORTED)' 2>/dev/null || { \
		echo "loopnet needs Python 3.11, 3.12 or 3.13 and found $(or $(PYTHON),none)." \
			"Install one, then: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@.ci/system-packages "$(PYTHON)"
	@echo "Setting up $(VENV) with $$($(PYTHON) --version): a few minutes, once." >&2
	@"$(PYTHON)" -m venv "$(VENV)"
	@# on Linux PyPI's torch brings gigabytes of CUDA: take the CPU build where one can be had
	@index=; if [ "$$(uname -s)" = Linux ] \
		&& ! $(BIN)/python -m pip index versions torch 2>/dev/null | grep -qF '$(TORCH)+cpu' \
		&& "$(PYTHON)" -c 'import urllib.request as u; u.urlopen("$(TORCH_CPU_INDEX)/torch/", timeout=5)' 2>/dev/null; \
		then index='--extra-index-url $(TORCH_CPU_INDEX)'; fi; \
		$(PIP) install $$index -c constraints.txt torch
	@# what the two source builds below (madmom, loopnet itself) compile with
	@$(PIP) install -c constraints.txt numpy cython setuptools hatchling editables
	@$(PIP) install -c constraints.txt --no-build-isolation madmom || { \
		echo "NOTE: madmom could not be built (is there a C compiler?): beat tracking falls back to essentia" >&2; \
		[ -z "$$CI" ]; }
	@$(PIP) install -c constraints.txt --no-build-isolation -e '.[train,dask,dev]'
	@touch $@
