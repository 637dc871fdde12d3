"""What ``docs/security.md`` promises: the tests it names exist, and the packages run nothing that they read."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
TABLE = (PROJECT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", TABLE)
PACKAGES = sorted(path for name in ("rag", "ingestion", "api") for path in (PROJECT / name).rglob("*.py"))
FORBIDDEN_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
UNSAFE_XML = {"xml.etree.ElementTree", "xml.dom.minidom", "xml.sax", "xml.dom.pulldom"}
SHELLS = {"os.system", "os.popen", "commands.getoutput", "subprocess.getoutput", "subprocess.getstatusoutput"}


def test_every_threat_names_a_test() -> None:
    rows = TABLE.partition("## Threats")[2].partition("## Dependencies")[0].splitlines()
    threats = [row for row in rows if row.startswith("| ") and not row.startswith(("| threat", "|---"))]
    assert len(threats) == len(NAMED) >= 30


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_each_named_test_exists(path: str, name: str) -> None:
    module = ast.parse((PROJECT / path).read_text(encoding="utf-8"))
    defined = {node.name for node in module.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in defined


def test_the_packages_run_nothing_that_they_read() -> None:
    assert [
        f"{path.relative_to(PROJECT)}: {found}" for path in PACKAGES for found in dangers(path.read_text("utf-8"))
    ] == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import pickle", "pickle"),
        ("from joblib import load", "joblib"),
        ("import numpy as np\nnp.load('a', allow_pickle=True)", "allow_pickle"),
        ("eval('1')", "eval"),
        ("import subprocess\nsubprocess.run('ls', shell=True)", "shell"),
        ("import os\nos.system('ls')", "os.system"),
        ("import xml.etree.ElementTree as ET", "xml.etree.ElementTree"),
        ("import torch\ntorch.load('a')", "torch.load"),
        ("import yaml\nyaml.load('a')", "yaml.load"),
    ],
)
def test_such_a_thing_would_be_found(source: str, found: str) -> None:
    assert dangers(source) == [found]


def dangers(source: str) -> list[str]:
    """What in a module could run what it reads."""
    return [found for node in ast.walk(ast.parse(source)) for found in _in(node)]


def _in(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (one.name for one in names if _forbidden(one.name))
        case ast.ImportFrom(module=str(module)) if _forbidden(module):
            yield module
        case ast.Call(func=called, keywords=keywords):
            name = ast.unparse(called)
            stated = {keyword.arg: ast.unparse(keyword.value) for keyword in keywords}
            if name in FORBIDDEN_CALLS or name in SHELLS or name == "yaml.load":
                yield name
            if name == "torch.load" and stated.get("weights_only") != "True":
                yield name
            yield from (option for option in ("shell", "allow_pickle") if stated.get(option, "False") != "False")


def _forbidden(module: str) -> bool:
    return module.partition(".")[0] in FORBIDDEN_MODULES or module in UNSAFE_XML
