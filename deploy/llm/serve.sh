#!/usr/bin/env bash
# Serves a prepared model on the CPU through vLLM's OpenAI-compatible API: serve.sh MODEL PORT [VLLM-ARGUMENT]...
# MODEL is smollm2 or tiny-chatglm. VLLM_CPU_OMP_THREADS_BIND names the cores, by default all.
# In float32, because a CPU without bfloat16 instructions reads a prompt six times slower in bfloat16. Prompts are read in
# one piece: vLLM 0.32 on a CPU dies of a seeded request whose prompt it reads in parts.
set -euo pipefail
environment="$(cd "$(dirname "$0")/../.." && pwd)/.venv-vllm"
model=$1 port=$2
shift 2

export HF_HUB_OFFLINE=1 VLLM_NO_USAGE_STATS=1
export VLLM_CPU_KVCACHE_SPACE="${VLLM_CPU_KVCACHE_SPACE:-1}"
export VLLM_CPU_OMP_THREADS_BIND="${VLLM_CPU_OMP_THREADS_BIND:-all}"
exec "$environment/bin/python" -m vllm.entrypoints.openai.api_server \
    --host 127.0.0.1 --port "$port" \
    --model "$environment/models/$model" --served-model-name "$model" \
    --dtype float32 --max-model-len 8192 --max-num-seqs 8 --enforce-eager \
    --no-enable-chunked-prefill --max-num-batched-tokens 8192 \
    --enable-prefix-caching --enable-prompt-tokens-details \
    --structured-outputs-config '{"backend":"xgrammar","disable_any_whitespace":true}' \
    "$@"
