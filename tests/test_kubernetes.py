"""The manifests for a cluster: valid by the schemas of Kubernetes, closed, and in step with the program. None was
applied to a cluster here."""

import ast
import copy
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from api.cli import main
from conftest import PROJECT
from rag.settings import Settings

Manifest = dict[str, Any]
FOLDER = PROJECT / "deploy" / "kubernetes"
OLDEST, NEWEST = "1.30", kubernetes_validate.latest_version()
OURS = "taiyi-rag"
OF_A_CRD = {"RayCluster"}
"""Of these the pods alone are checked: their own schema is the operator's."""


def kustomized(folder: Path) -> list[Manifest]:
    """What ``kubectl kustomize`` makes of a folder, as far as these folders use it: resources, namespace, images."""
    stated = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    images = {image["name"]: f"{image['newName']}:{image['newTag']}" for image in stated["images"]}
    found: list[Manifest] = []
    for name in stated["resources"]:
        for manifest in yaml.safe_load_all((folder / name).read_text(encoding="utf-8")):
            if manifest["kind"] != "Namespace":
                manifest["metadata"]["namespace"] = stated["namespace"]
            for _, pod in pods([manifest]):
                for container in pod["spec"]["containers"]:
                    container["image"] = images.get(container["image"].partition(":")[0], container["image"])
            found.append(manifest)
    return found


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """The pods that manifests ask for, by name."""
    for manifest in manifests:
        name, spec = manifest["metadata"]["name"], manifest.get("spec", {})
        if manifest["kind"] in ("Deployment", "StatefulSet"):
            yield name, spec["template"]
        if manifest["kind"] == "RayCluster":
            for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"]):
                yield f"{name}-{group.get('groupName', 'head')}", group["template"]


@pytest.fixture(scope="module")
def product() -> list[Manifest]:
    return kustomized(FOLDER)


@pytest.fixture(scope="module")
def manifests(product: list[Manifest]) -> list[Manifest]:
    return [*product, *kustomized(FOLDER / "ingestion")]


def of_kind(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    return {manifest["metadata"]["name"]: manifest for manifest in manifests if manifest["kind"] == kind}


def valid(manifest: Manifest, version: str) -> None:
    if manifest["kind"] in OF_A_CRD:
        for name, pod in pods([manifest]):
            alone = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": pod["spec"]}
            kubernetes_validate.validate(alone, version, strict=True)
    else:
        kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_manifest_is_valid_by_the_schemas_of_kubernetes(manifests: list[Manifest], version: str) -> None:
    for manifest in manifests:
        valid(manifest, version)


def test_the_schemas_notice_what_is_wrong(manifests: list[Manifest]) -> None:
    for kind in ("Deployment", "RayCluster"):
        wrong = copy.deepcopy(next(iter(of_kind(manifests, kind).values())))
        [_, pod] = next(pods([wrong]))
        container = pod["spec"]["containers"][0]
        container["livenesProbe"] = container.pop("livenessProbe")
        with pytest.raises(kubernetes_validate.ValidationError, match="livenesProbe"):
            valid(wrong, NEWEST)


@pytest.mark.parametrize("folder", [FOLDER, FOLDER / "ingestion"], ids=["product", "ingestion"])
def test_kustomize_makes_the_same_of_them(folder: Path) -> None:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed")
    made = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True, timeout=60)

    def known(manifests: list[Manifest]) -> dict[tuple[str, str], Manifest]:
        return {(manifest["kind"], manifest["metadata"]["name"]): manifest for manifest in manifests}

    assert known(list(yaml.safe_load_all(made.stdout))) == known(kustomized(folder))


def test_no_pod_can_be_root_gain_rights_or_change_its_image(manifests: list[Manifest]) -> None:
    [namespace] = of_kind(manifests, "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for name, pod in pods(manifests):
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"], name
        assert spec["securityContext"]["runAsUser"] > 0, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is False, name
        assert not any(spec.get(shared) for shared in ("hostNetwork", "hostPID", "hostIPC")), name
        for container in spec["containers"]:
            expected = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True}
            assert container["securityContext"] == {**expected, "capabilities": {"drop": ["ALL"]}}, name
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            claimed = {template["metadata"]["name"] for template in claim_templates(manifests, name)}
            assert mounted == {volume["name"] for volume in spec["volumes"]} | claimed, name
            assert "hostPath" not in str(spec["volumes"]), name


def claim_templates(manifests: list[Manifest], name: str) -> list[Manifest]:
    found = of_kind(manifests, "StatefulSet").get(name)
    templates: list[Manifest] = found["spec"]["volumeClaimTemplates"] if found else []
    return templates


def test_every_container_has_probes_resources_and_an_image_of_a_version(manifests: list[Manifest]) -> None:
    for name, pod in pods(manifests):
        for container in pod["spec"]["containers"]:
            assert "livenessProbe" in container, name
            assert "readinessProbe" in container or name == "worker", name  # nobody sends the worker anything
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), name
            assert "memory" in container["resources"]["limits"], name
            assert re.search(r":v?\d+\.\d+", container["image"]), name


def test_everything_is_shut_and_what_is_open_leads_to_pods_that_there_are(manifests: list[Manifest]) -> None:
    policies = of_kind(manifests, "NetworkPolicy")
    assert policies["nothing"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    labels = [pod["metadata"]["labels"] for _, pod in pods(manifests)]
    known = {(key, value) for of in labels for key, value in of.items()}
    elsewhere = {("kubernetes.io/metadata.name", "kube-system"), ("kubernetes.io/metadata.name", "ingress-nginx")}
    elsewhere.add(("app.kubernetes.io/name", "kuberay-operator"))
    for name, policy in policies.items():
        for selector in selectors(policy["spec"]):
            for pair in selector.get("matchLabels", {}).items():
                assert pair in known | elsewhere, name
            for one in selector.get("matchExpressions", ()):
                assert all((one["key"], value) in known for value in one["values"]), name
    reaches = policies["worker"]["spec"]["egress"]
    targets = [to["podSelector"]["matchLabels"]["app"] for rule in reaches for to in rule["to"]]
    assert sorted(targets) == ["milvus", "postgres"]


def selectors(part: Any) -> Iterator[Manifest]:
    """Every selector in a part of a manifest."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key in ("podSelector", "namespaceSelector"):
                yield value
            else:
                yield from selectors(value)
    elif isinstance(part, list):
        for one in part:
            yield from selectors(one)


def test_services_lead_to_ports_that_are_open_in_pods_and_in_the_policies(manifests: list[Manifest]) -> None:
    by_app = {pod["metadata"]["labels"]["app"]: pod["spec"] for _, pod in pods(manifests)}
    for name, service in of_kind(manifests, "Service").items():
        [port] = service["spec"]["ports"]
        [container] = by_app[service["spec"]["selector"]["app"]]["containers"]
        assert port["port"] in [one["containerPort"] for one in container["ports"]], name
        rules = of_kind(manifests, "NetworkPolicy")[name]["spec"]["ingress"]
        assert port["port"] in [one["port"] for rule in rules for one in rule["ports"]], name
    for name, pod in pods(manifests):
        for container in pod["spec"]["containers"]:
            named = {port["name"] for port in container.get("ports", ())}
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                asked = container.get(probe, {}).get("httpGet")
                assert asked is None or asked["port"] in named, name


def test_volumes_and_secrets_are_those_that_are_made(manifests: list[Manifest]) -> None:
    claims, maps = of_kind(manifests, "PersistentVolumeClaim"), of_kind(manifests, "ConfigMap")
    deploy = (PROJECT / "docs" / "deploy.md").read_text(encoding="utf-8")
    told = set(re.findall(r"--from-literal=(\w+)=", deploy))
    for _, pod in pods(manifests):
        for volume in pod["spec"]["volumes"]:
            assert volume.get("persistentVolumeClaim", {"claimName": "home"})["claimName"] in claims
            assert volume.get("configMap", {"name": "settings"})["name"] in maps
        for container in pod["spec"]["containers"]:
            for variable in container.get("env", ()):
                secret = variable.get("valueFrom", {}).get("secretKeyRef")
                assert secret is None or (secret["name"] == "taiyi" and secret["key"] in told)
                assert secret or not re.search("PASSWORD|KEY", variable["name"])
    assert not of_kind(manifests, "Secret")


def environment(manifests: list[Manifest], container: Manifest) -> dict[str, str]:
    """As a container is given it, secrets filled in, ``$(NAME)`` too."""
    given: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        given |= of_kind(manifests, "ConfigMap")[source["configMapRef"]["name"]]["data"]
    for variable in container.get("env", ()):
        value = variable.get("value", "p-4.ss")
        given[variable["name"]] = re.sub(r"\$\((\w+)\)", lambda found: given[found[1]], value)
    return given


def test_our_pods_are_given_settings_that_exist_and_are_understood(
    manifests: list[Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {f"RAG_{name.upper()}" for name in Settings.model_fields}
    ours = [pod for _, pod in pods(manifests) if OURS in pod["spec"]["containers"][0]["image"]]
    assert len(ours) == 4
    for pod in ours:
        given = environment(manifests, pod["spec"]["containers"][0])
        assert {name for name in given if name.startswith("RAG_")} <= known
        with monkeypatch.context() as patch:
            for name, value in given.items():
                patch.setenv(name, value)
            settings = Settings(_env_file=None)
        if "RAG_DATABASE_URL" in given:
            assert settings.index_url == "milvus:http://root:p-4.ss@milvus:19530"
            assert settings.sql_url.startswith("postgresql://")
            assert given["PGPASSWORD"] not in settings.sql_url


def test_probes_ask_under_a_host_that_the_service_answers_to(product: list[Manifest]) -> None:
    [container] = of_kind(product, "Deployment")["api"]["spec"]["template"]["spec"]["containers"]
    allowed = environment(product, container)["RAG_ALLOWED_HOSTS"].split(",")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        [header] = container[probe]["httpGet"]["httpHeaders"]
        assert header["name"] == "Host"
        assert header["value"] in allowed
    [rule] = of_kind(product, "Ingress")["api"]["spec"]["rules"]
    assert rule["host"] in allowed


def test_our_pods_run_commands_that_the_program_has(product: list[Manifest]) -> None:
    for name in ("worker", "api"):
        [container] = of_kind(product, "Deployment")[name]["spec"]["template"]["spec"]["containers"]
        command: Any = main
        words = iter(container["args"])
        while hasattr(command, "commands"):
            command = command.commands[next(words)]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options


def test_the_model_is_asked_for_by_the_name_it_is_served_under(product: list[Manifest]) -> None:
    [container] = of_kind(product, "Deployment")["vllm"]["spec"]["template"]["spec"]["containers"]
    name = of_kind(product, "ConfigMap")["settings"]["data"]["RAG_LLM_MODEL"]
    assert f"--served-model-name={name}" in container["args"]


def test_ray_is_of_the_version_that_is_installed_and_whoever_uses_the_home_runs_beside_the_others(
    manifests: list[Manifest],
) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    [cluster] = of_kind(manifests, "RayCluster").values()
    [requirement] = project["optional-dependencies"]["ray"]
    least = re.findall(r">=(\d+\.\d+)", requirement)[0]
    assert cluster["spec"]["rayVersion"].startswith(f"{least}.")
    for name, pod in pods(manifests):
        claims = [volume.get("persistentVolumeClaim", {}).get("claimName") for volume in pod["spec"]["volumes"]]
        if "home" in claims:
            assert pod["metadata"]["labels"]["home"] == "used", name
            [rule] = pod["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
            assert rule["labelSelector"]["matchLabels"] == {"home": "used"}, name


def test_the_image_can_be_built_with_what_a_cluster_needs() -> None:
    """The program in the Dockerfile that chooses the requirements, run with the extras that docs/deploy.md names."""
    dockerfile = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    [program] = re.findall(r'RUN python -c "(import tomllib;.*?)" > requirements', dockerfile, re.DOTALL)
    [extras] = re.findall(
        r'--build-arg EXTRAS="([\w ]+)"', (PROJECT / "docs" / "deploy.md").read_text(encoding="utf-8")
    )
    for name, value in (("ACCELERATOR", "cpu"), ("EXTRAS", extras)):
        program = program.replace(f"${{{name}}}", value)
    code = program.replace("\\\n", "")
    ast.parse(code)
    made = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    for package in ("faiss-cpu", "psycopg", "pymilvus", "ray[data]", "fastapi"):
        assert any(line.startswith(package) for line in made.stdout.splitlines()), package
