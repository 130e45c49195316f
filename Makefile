# Cyclopolis: everything a newcomer needs. `make demo` and `make test` do all set-up themselves.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name) 2>/dev/null)))
BIN := .venv/bin
EXAMPLE ?= changzhi

.PHONY: demo test lint types docs bench pins clean

demo: .venv/run.done ## set up and run the main job on a bundled example
	test -d demo/$(EXAMPLE) || $(BIN)/cyclopolis new demo/$(EXAMPLE) --from $(EXAMPLE)
	$(BIN)/cyclopolis run demo/$(EXAMPLE)

test: .venv/test.done ## set up with the test tools and run all tests
	$(BIN)/python -m pytest -n 2 --dist worksteal --durations 20 --cov --cov-report=term:skip-covered

lint: .venv/test.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/test.done
	$(BIN)/mypy

docs: .venv/test.done
	$(BIN)/python docs/generate_tables.py
	$(BIN)/python docs/generate_commands.py
	$(BIN)/mkdocs build --strict

bench: .venv/bench.done ## print the speed tables of docs/benchmarks.md
	for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

pins: .venv/test.done ## renew the hashed pins
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url --no-strip-extras pyproject.toml requirements/run.in -o requirements/run.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url --no-strip-extras pyproject.toml requirements/run.in requirements/test.in -c requirements/run.txt -o requirements/test.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url --no-strip-extras pyproject.toml requirements/run.in requirements/bench.in -c requirements/run.txt -o requirements/bench.txt

clean:
	rm -rf .venv demo dist build site .coverage* .mypy_cache .ruff_cache .pytest_cache

# The environment is made once and renewed when the pins or the package's description change.
.venv/made.done:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: apt-get install python3.11 python3.11-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; $(PYTHON) is older"; exit 1; }
	$(PYTHON) -m venv .venv || { echo "the venv module is missing: apt-get install python3-venv"; exit 1; }
	touch $@

.venv/run.done: .venv/made.done requirements/run.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

.venv/test.done: .venv/run.done requirements/test.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.txt
	touch $@

.venv/bench.done: .venv/run.done requirements/bench.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	touch $@
