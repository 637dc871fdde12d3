# make run       set up, load the sample documents, answer one English and one Chinese question, serve the page
# make test      set up, check style and types, run every kind of test
# make test-full the same, the long tests at the size that published figures come from

PYTHON ?= $(shell command -v python3.11 || command -v python3)
TORCH ?= torch==2.13.0
PORT ?= 8000
SERVE ?= 1
BIN := .venv/bin

.PHONY: run test test-full check clean

run: .venv/installed
	$(BIN)/taiyi-rag ingest corpora/sample
	@echo
	$(BIN)/taiyi-rag ask "Below which eGFR is metformin contraindicated?"
	@echo
	$(BIN)/taiyi-rag ask "哮喘第1级治疗的首选方案是什么？"
ifneq ($(SERVE),0)
	@echo
	@echo "Open http://127.0.0.1:$(PORT) (Ctrl-C stops)"
	$(BIN)/taiyi-rag serve --port $(PORT)
endif

test: check
	$(BIN)/pytest -m "not full"

test-full: check
	$(BIN)/pytest

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.venv/installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet "$(TORCH)"
	$(BIN)/pip install --quiet --editable ".[cpu]"
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/pip install --quiet --editable ".[cpu,dev]"
	touch $@

clean:
	rm -rf .venv data
