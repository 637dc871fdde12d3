"""What compose and the Dockerfile say: valid, closed to other machines, and in step with the program."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values

from api.cli import main
from conftest import PROJECT
from rag.settings import Settings

Compose = dict[str, Any]
COMPOSE_FILES = ["docker-compose.yml", "docker-compose.gpu.yml"]
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
VARIABLE = re.compile(r"\$\{(\w+)(?:(:-|-|:\?)([^}]*))?\}")
EXAMPLE = dotenv_values(PROJECT / ".env.example", interpolate=False)
FILLED_IN = {**EXAMPLE, "POSTGRES_PASSWORD": "p@ss/word"}
NEEDS_NO_PASSWORD = {"POSTGRES_PASSWORD": "x"}
AUTHORS_FLAGS = ["--dtype bfloat16", "--max-model-len 8192", "--gpu-memory-utilization 0.9", "--trust-remote-code"]


def read(file: str, variables: dict[str, str | None]) -> Compose:
    """The file with its variables filled in as compose does: in what YAML holds, empty as not set."""

    def fill(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        value = variables.get(name)
        missing = value is None if kind == "-" else not value
        if missing and kind == ":?":
            raise LookupError(f"{name}: {rest}")
        return (rest if missing else value) or ""

    def filled(part: Any) -> Any:
        match part:
            case str():
                return VARIABLE.sub(fill, part)
            case dict():
                return {name: filled(value) for name, value in part.items()}
            case list():
                return [filled(value) for value in part]
        return part

    loaded: Compose = filled(yaml.safe_load((PROJECT / file).read_text(encoding="utf-8")))
    return loaded


@pytest.fixture(params=[FILLED_IN, NEEDS_NO_PASSWORD], ids=["as in .env.example", "by the defaults"])
def compose(request: pytest.FixtureRequest) -> Compose:
    return read("docker-compose.yml", request.param)


@pytest.mark.parametrize("file", COMPOSE_FILES)
def test_compose_is_valid_by_the_schema_of_its_specification(file: str, tmp_path: Path) -> None:
    checked = checked_by_schema(read(file, FILLED_IN), tmp_path)
    assert checked.returncode == 0, checked.stdout


def test_the_schema_notices_what_is_wrong(compose: Compose, tmp_path: Path) -> None:
    compose["services"]["api"]["healthchek"] = compose["services"]["api"].pop("healthcheck")
    assert "healthchek" in checked_by_schema(compose, tmp_path).stdout


def checked_by_schema(compose: Compose, folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "compose.yml"
    file.write_text(yaml.safe_dump(compose), encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("files", [COMPOSE_FILES[:1], COMPOSE_FILES], ids=["one GPU", "two GPUs"])
def test_docker_compose_takes_it(files: list[str], tmp_path: Path) -> None:
    if not shutil.which("docker") or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        pytest.skip("docker compose is not installed")
    environment = tmp_path / "env"
    environment.write_text("".join(f"{name}={value}\n" for name, value in FILLED_IN.items()), encoding="utf-8")
    command = ["docker", "compose", "--env-file", str(environment), *(part for file in files for part in ("-f", file))]
    subprocess.run([*command, "config", "--quiet"], cwd=PROJECT, check=True, timeout=60)


def test_it_does_not_start_without_a_password() -> None:
    with pytest.raises(LookupError, match="POSTGRES_PASSWORD"):
        read("docker-compose.yml", EXAMPLE)


def test_no_password_is_written_down() -> None:
    for file in COMPOSE_FILES:
        text = (PROJECT / file).read_text(encoding="utf-8")
        for line in re.findall(r"^.*(?:PASSWORD|SECRET|TOKEN|KEY)\w*:.*$", text, re.MULTILINE):
            assert re.search(r": \$\{\w+(:-\}$|:\?)", line), line
    secrets = {name: value for name, value in EXAMPLE.items() if re.search("PASSWORD|SECRET|TOKEN|KEY", name)}
    assert secrets == {"POSTGRES_PASSWORD": "", "RAG_LLM_API_KEY": ""}


def test_nothing_answers_beyond_this_machine(compose: Compose) -> None:
    for name, service in compose["services"].items():
        for port in service.get("ports", ()):
            assert str(port).startswith("127.0.0.1:"), name
        if service.get("network_mode") == "host":
            command = service["command"]
            assert command[command.index("--host") + 1] == "127.0.0.1"


def test_what_reads_files_and_what_keeps_records_has_no_network(compose: Compose) -> None:
    assert {name for name, service in compose["services"].items() if service.get("network_mode") == "none"} == {
        "postgres",
        "worker",
    }


def test_containers_cannot_gain_rights_and_ours_cannot_change(compose: Compose) -> None:
    for service in compose["services"].values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not service.get("privileged")
    for name in ("postgres", "worker", "api"):
        assert compose["services"][name]["read_only"]
    assert user_of_the_image() not in ("", "0", "root")


def user_of_the_image() -> str:
    users = re.findall(r"^USER (\S+)$", dockerfile(), re.MULTILINE)
    return str(users[-1]).partition(":")[0] if users else ""


def test_every_service_tells_of_its_health_and_is_waited_for_by_it(compose: Compose) -> None:
    for name, service in compose["services"].items():
        assert service["healthcheck"]["test"], name
        for needed, condition in service.get("depends_on", {}).items():
            assert compose["services"][needed]
            assert condition == {"condition": "service_healthy"}


def test_every_image_has_a_version(compose: Compose) -> None:
    base = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", dockerfile(), re.MULTILINE)
    assert base
    for image in [*base, *(service["image"] for service in compose["services"].values())]:
        assert re.search(r":v?\d+\.\d+", image), image


def test_our_image_is_named_for_the_version_of_the_program() -> None:
    for file in COMPOSE_FILES:
        text = (PROJECT / file).read_text(encoding="utf-8")
        found = re.findall(r"image: taiyi-rag:(\S+)-(?:cpu|gpu)$", text, re.MULTILINE)
        assert found == [PYPROJECT["version"]]


@pytest.mark.parametrize("file", COMPOSE_FILES)
def test_services_are_given_settings_that_exist(file: str) -> None:
    known = {f"RAG_{name.upper()}" for name in Settings.model_fields}
    for service in read(file, FILLED_IN)["services"].values():
        assert {name for name in service.get("environment", {}) if name.startswith("RAG_")} <= known
    assert {name for name in EXAMPLE if name.startswith("RAG_")} <= known


def test_the_settings_that_services_are_given_are_understood(compose: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = read("docker-compose.gpu.yml", FILLED_IN)
    for name in ("worker", "api"):
        for given in (compose, gpu):
            for variable, value in given["services"][name]["environment"].items():
                monkeypatch.setenv(variable, value)
        settings = Settings(_env_file=None)
        assert settings.sql_url.startswith("postgresql://")
        assert "p@ss/word" not in settings.sql_url


def test_the_service_asks_for_the_model_by_the_name_it_is_served_under(compose: Compose) -> None:
    asked = compose["services"]["api"]["environment"]["RAG_LLM_MODEL"]
    assert f"--served-model-name {asked} " in compose["services"]["vllm"]["command"]


def test_the_model_is_served_as_its_authors_did_and_without_internet(compose: Compose) -> None:
    vllm = compose["services"]["vllm"]
    assert vllm["image"] == "vllm/vllm-openai:v0.6.0"
    for flag in [*AUTHORS_FLAGS, "--model /model", "--enable-prefix-caching"]:
        assert flag in vllm["command"]
    assert vllm["environment"]["HF_HUB_OFFLINE"] == "1"
    devices = vllm["deploy"]["resources"]["reservations"]["devices"]
    assert [device["capabilities"] for device in devices] == [["gpu"]]


def test_every_variable_is_described_in_the_example_and_every_one_there_is_used() -> None:
    used = {
        name: default
        for file in COMPOSE_FILES
        for name, _, default in VARIABLE.findall((PROJECT / file).read_text(encoding="utf-8"))
    }
    assert used.keys() == EXAMPLE.keys()
    for name, default in used.items():
        if name != "POSTGRES_PASSWORD":
            assert " ".join(default.split()) == EXAMPLE[name]


def test_services_run_commands_that_the_program_has(compose: Compose) -> None:
    for name in ("worker", "api"):
        command: Any = main
        for word in compose["services"][name]["command"]:
            if not hasattr(command, "commands"):
                break
            command = command.commands[word]
        assert not hasattr(command, "commands")


def test_the_image_is_built_from_files_that_exist() -> None:
    allowed = re.findall(r"^!(\S+)$", (PROJECT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile(), re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert sorted(copied) == sorted(allowed)
    for source in copied:
        assert (PROJECT / source).exists()


def test_the_image_is_built_with_extras_that_exist(compose: Compose) -> None:
    gpu = read("docker-compose.gpu.yml", FILLED_IN)
    arguments = [file["services"]["api"]["build"]["args"] for file in (compose, gpu)]
    assert [given["ACCELERATOR"] for given in arguments] == ["cpu", "gpu"]
    assert {"cpu", "gpu", "postgresql"} <= PYPROJECT["optional-dependencies"].keys()
    accepted = set(re.findall(r"^ARG (\w+)", dockerfile(), re.MULTILINE))
    assert {name for given in arguments for name in given} <= accepted


def dockerfile() -> str:
    return (PROJECT / "Dockerfile").read_text(encoding="utf-8")
