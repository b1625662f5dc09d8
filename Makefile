# make run, make test: the two commands. No make? Each target is two lines that run as they stand.
PYTHON ?= python3
VENV := .venv/bin/python

.PHONY: run test test-heavy lint bench soak screenshots lock translations
.DEFAULT_GOAL := run

run:
	@$(PYTHON) install.py run
	@$(VENV) run.py

# Three at once, for two cores: a test often waits for a process or a browser.
test:
	@$(PYTHON) install.py test
	@$(VENV) -m ruff check .
	@$(VENV) -m ruff format --check .
	@$(VENV) -m mypy -n 2 .
	@$(VENV) -m pytest -n 3 --dist loadgroup -rs

# What needs requirements-heavy.txt, which `make test` skips without it.
test-heavy:
	@$(PYTHON) install.py test
	@$(VENV) -c "import torch, chronos" || (echo "First: $(VENV) -m pip install -r requirements-heavy.txt" >&2; exit 1)
	@$(VENV) -m pytest -m heavy

lint:
	@$(PYTHON) install.py test
	@$(VENV) -m ruff format .
	@$(VENV) -m ruff check --fix .
	@$(VENV) -m mypy -n 2 .

bench:
	@$(PYTHON) install.py test
	@$(VENV) -m bench $(BENCH)

# An hour of faults; less of it: make soak SOAK="--minutes 2 --kills 5 --only crowd".
soak:
	@$(PYTHON) install.py test
	@$(VENV) -m soak $(SOAK)

screenshots:
	@$(PYTHON) install.py test
	@$(VENV) -m tests.browser.screenshots

# After a change of a pin: resolves the whole tree again, for every platform and Python.
lock:
	@$(PYTHON) install.py test
	@grep -hv '^-' requirements.txt requirements-dev.txt | $(VENV) -m uv pip compile --quiet --universal \
		--python-version 3.11 --no-header --no-annotate --no-emit-index-url --no-emit-find-links - -o requirements-lock.txt

# After a change of a text that people read: the catalogues follow, and what is untranslated is named.
translations:
	@$(PYTHON) install.py run
	@$(VENV) -m translations
