SHELL := bash
PYTHON := .venv/bin/python
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help setup setup-tests run stop clean-data test journeys faults count prove bench bench-full screenshots lint image-check schemas format lock

help: ## Print this.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install all that is needed under this directory; make run, test and lint do it by themselves.
	@deploy/setup.sh

setup-tests:
	@deploy/setup.sh tests

run: setup ## Run it all on this machine with an example programme, until Ctrl-C; with JIEDUI_DETACH=1 until make stop.
	@.venv/bin/jiedui up

stop: ## End it.
	@if [[ -x .venv/bin/jiedui ]]; then .venv/bin/jiedui stop; fi

clean-data: ## Remove the data of make run.
	@if [[ -x .venv/bin/jiedui ]]; then .venv/bin/jiedui clean; fi

test: setup-tests ## Run every test, in two processes, each against a Kafka and a MongoDB of its own.
	@$(PYTHON) -m pytest --numprocesses 2 --no-loadscope-reorder

journeys: setup-tests ## Visit the console with a browser in each role in the other language at each width: what make test leaves out (three minutes).
	@JIEDUI_TEST_CONSOLE=other $(PYTHON) -m pytest tests/flows/console

faults: setup ## The faults of make test with broker and database away for a minute each, and kills at each step of the money (ten minutes).
	@JIEDUI_TEST_PROVE=1 JIEDUI_TEST_AWAY_S=60 $(PYTHON) -m pytest tests/faults

count: setup ## Count 300,000 events by a consumer that is killed ten times (two minutes).
	@JIEDUI_TEST_COUNT=300000 $(PYTHON) -m pytest tests/kit/test_counting.py

prove: setup ## Hold the matching against 20,000 enumerations and another solver, 1,000 claims against the slots, a million events against the archive, 1,000 cuts and a client that does not read against the stream, and the ledger against 10,000 tampers (half an hour).
	@JIEDUI_TEST_PROVE=1 $(PYTHON) -m pytest tests/pairing/test_matching.py tests/pairing/test_matching_milp.py tests/pairing/test_claims.py
	@JIEDUI_TEST_PROVE=1 $(PYTHON) -m pytest tests/notify/test_archive_scan.py tests/notify/test_stream.py tests/notify/test_stream_memory.py
	@JIEDUI_TEST_PROVE=1 $(PYTHON) -m pytest tests/funding/test_tampers.py

bench: setup-tests ## Measure beside peers (needs Node and Maven), and put the figures into this README (an hour).
	@$(PYTHON) -m bench
	@$(PYTHON) -m bench.console

screenshots: setup-tests ## Take the pictures of the documents anew, from the example programme (a minute).
	@$(PYTHON) -m tests.flows.console.screenshots

bench-full: setup ## The same with eleven repeats.
	@$(PYTHON) -m bench --full

lint: setup ## Check style, types (Python's and the console's), imports, schemas and API documents.
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check --quiet .
	@$(PYTHON) -m mypy
	@if [ -d services/notify/console/node_modules ]; then cd services/notify/console && npm run --silent check; fi
	@.venv/bin/lint-imports --no-logo
	@$(PYTHON) -m schemas.check

image-check: setup ## Run the install step of the image once (half a minute).
	@JIEDUI_TEST_IMAGE=1 $(PYTHON) -m pytest tests/deploy/test_image.py

format: setup ## Format the code.
	@$(PYTHON) -m ruff check --fix-only --quiet .
	@$(PYTHON) -m ruff format --quiet .

schemas: setup ## Generate the JSON Schemas and asyncapi.yaml from the event classes.
	@$(PYTHON) -m schemas.generate

lock: ## Pin the packages of pyproject.toml anew, with hashes (needs uv).
	uv pip compile --upgrade --generate-hashes --no-header --python-version 3.11 pyproject.toml -o requirements.lock
	uv pip compile --upgrade --generate-hashes --no-header --python-version 3.11 --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
