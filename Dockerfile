# The program: service, ingestion worker and command line in one image.
# --build-arg ACCELERATOR=gpu installs the extra "gpu" (faiss-gpu) instead of "cpu", --build-arg
# EXTRAS="postgresql milvus ray" what a cluster needs; see docs/deploy.md.
ARG PYTHON_IMAGE=python:3.11.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
RUN python -m venv /opt/taiyi
ENV PATH=/opt/taiyi/bin:$PATH
WORKDIR /build

# What the program depends on changes rarely and takes long, so it is a layer of its own.
ARG ACCELERATOR=cpu
ARG EXTRAS=postgresql
ARG TORCH=torch==2.13.0
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
COPY pyproject.toml ./
RUN python -c "import tomllib; \
project = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
extras = project['optional-dependencies']; \
wanted = ['${ACCELERATOR}', *'${EXTRAS}'.split()]; \
print(*project['dependencies'], *(needed for extra in wanted for needed in extras[extra]), sep='\n')" > requirements.txt
RUN --mount=type=cache,target=/root/.cache/pip pip install "${TORCH}" -r requirements.txt

COPY LICENSE README.md ./
COPY corpora/manifest.toml corpora/
COPY rag rag
COPY ingestion ingestion
COPY api api
RUN --mount=type=cache,target=/root/.cache/pip pip install --no-deps .

FROM ${PYTHON_IMAGE}
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tesseract-ocr tesseract-ocr-chi-sim \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin taiyi \
    && install --directory --owner=taiyi --group=taiyi --mode=0750 /data
COPY --from=build /opt/taiyi /opt/taiyi
# Nothing is fetched at run time: models are the packaged ones or folders. HOME is for what libraries cache.
ENV PATH=/opt/taiyi/bin:$PATH \
    RAG_HOME=/data \
    HOME=/tmp \
    HF_HUB_OFFLINE=1 \
    NO_PROXY=localhost,127.0.0.1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
ENTRYPOINT ["taiyi-rag"]
CMD ["serve"]
HEALTHCHECK --interval=30s --timeout=10s --start-period=2m \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=8)"]
