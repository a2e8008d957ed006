# The course's commands. Each creates or updates the environment in .venv first; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help lab test quick lint notebooks exercises badges lite grade audit bench peers lock clean FORCE

BIN   := .venv/bin
READY := .venv/.ready

help:   ## list the commands
	@sed -n 's/^\([a-z]*\):[^#]*## */\1|/p' Makefile | awk -F'|' '{printf "make %-11s %s\n", $$1, $$2}'

lab: $(READY)   ## open the course in JupyterLab
	@$(BIN)/python tools/lab.py $(ARGS)

test: $(READY)   ## test everything: lint, units, every notebook, JupyterLab in a browser
	@$(BIN)/python tools/suite.py

quick: $(READY)   ## test without a browser, and run the notebooks without comparing outputs
	@$(BIN)/python tools/suite.py --quick

lint: $(READY)   ## ruff, for notebooks too
	@$(BIN)/ruff check --output-format=concise

notebooks: $(READY)   ## execute and normalize notebooks/ (ALL=1: cells that show wall time, too)
	@$(BIN)/python tools/notebooks.py run $(if $(ALL),--all) notebooks

exercises: $(READY)   ## generate exercises/ from solutions/ (KEEP=mine: move your work to *-mine.ipynb first)
	@$(BIN)/python tools/exercises.py generate $(if $(KEEP),--keep-as $(KEEP))

badges: $(READY)   ## write the links to Binder, Colab and CI, from the address in pyproject.toml, or take them out
	@$(BIN)/python tools/badges.py

lite: $(READY)   ## build the course as a web page in _site/, whose Python runs in the browser (JupyterLite)
	@$(BIN)/python tools/lite.py $(ARGS)

grade: $(READY)   ## grade notebooks: make grade PATHS=submissions REPORT=points (JOBS=2, ARGS="--strict --seed 7")
	@test -n "$(PATHS)" || { echo 'Which notebooks? For example: make grade PATHS="submissions" REPORT=points'; exit 2; }
	@$(BIN)/python -P -m nnlib.grading $(PATHS) $(if $(REPORT),--report $(REPORT)) $(if $(JOBS),--jobs $(JOBS)) $(ARGS)

audit: $(READY)   ## check the checks, with mutants of the right answers (ARGS="--no-mutation", ARGS=ex01_logistic_regression)
	@$(BIN)/python -m nnlib.grading.audit --jobs $(or $(JOBS),-1) $(ARGS)

bench: $(READY)   ## measure speed, memory, growth, training on real digits, key presses (ARGS=--readme: renew README.md)
	@failed=""; \
	for script in speed memory growth; do $(BIN)/python tests/benchmarks/$$script.py $(ARGS) || failed="$$failed $$script"; echo; done; \
	for script in real_data keypress_latency; do $(BIN)/python tests/benchmarks/$$script.py || failed="$$failed $$script"; echo; done; \
	test -z "$$failed" || { echo "Not as it should be:$$failed"; exit 1; }

peers: $(READY)   ## install what `make bench` compares with: PyTorch, MyGrad, HIPS autograd
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@sed -e '/--hash=/d' -e 's/ *\\$$//' requirements.lock > .venv/constraints.txt
	@$(BIN)/python -m pip install --disable-pip-version-check -r tests/benchmarks/peers.txt -c .venv/constraints.txt

# jsonschema 4.25 brings rfc3987-syntax, which builds 39 parsers at every import: a second more until JupyterLab answers.
lock:   ## renew requirements.lock (needs uv; RESOLUTION=lowest-direct: the oldest versions in range)
	@command -v uv >/dev/null || { echo "make lock needs uv (pip install uv)."; exit 1; }
	@printf 'flit_core >=3.11,<4\njsonschema <4.25\n' | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --upgrade $(if $(RESOLUTION),--resolution $(RESOLUTION)) --all-extras --no-header --no-annotate --no-emit-index-url pyproject.toml - -o requirements.lock
	@echo "requirements.lock is renewed; make test, then commit it with pyproject.toml."

clean:   ## remove .venv, the page of make lite and caches; never a notebook, .grading/ or your progress
	@rm -rf .venv .venv-lite _site .pytest_cache .ruff_cache .hypothesis
	@find nnlib tests tools -name __pycache__ -prune -exec rm -rf {} +

# An environment whose Python has gone, or that was moved with its folder, is mended although its stamp looks fresh.
ifneq ($(shell cat $(READY) 2>/dev/null && $(BIN)/python -c "print('works')" 2>/dev/null),$(CURDIR) works)
$(READY): FORCE
endif

# Versions are tried by running them (a version manager's shim may exist and fail), first those that can make a
# venv. PYTHON=... names another one.
$(READY): requirements.lock pyproject.toml tools/environment.py
	@python="$(PYTHON)"; \
	for need in "sys, venv, ensurepip" sys; do for name in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	  test -n "$$python" || ! $$name -c "import $$need; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))" \
	    >/dev/null 2>&1 || python=$$name; \
	done; done; \
	if test -z "$$python"; then \
	  echo "No Python 3.11 to 3.14 found. Install one, or name it: make $(or $(MAKECMDGOALS),lab) PYTHON=/path/to/python3"; exit 1; \
	fi; \
	"$$python" tools/environment.py
