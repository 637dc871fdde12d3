from pathlib import Path

import pytest

from conftest import PROJECT
from rag.errors import InvalidRequest
from rag.settings import Settings, read_settings


def test_the_readme_lists_every_setting_with_its_default_and_meaning() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else str(field.default)
        default = default.lower() if isinstance(field.default, bool) else default  # as one writes it in the environment
        row = f"| `RAG_{name.upper()}` | {f'`{default}`' if default else 'empty'} | {field.description} |"
        assert row in readme


def test_a_wrong_value_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_THREADS", "many")
    with pytest.raises(InvalidRequest, match=r"RAG_THREADS.*many"):
        read_settings()


def test_an_empty_threshold_is_none_and_a_wrong_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_ABSTAIN_BELOW", "")
    assert read_settings().abstain_below is None
    monkeypatch.setenv("RAG_ABSTAIN_BELOW", "0.9")
    assert read_settings().abstain_below == 0.9
    monkeypatch.setenv("RAG_ABSTAIN_BELOW", "90")
    with pytest.raises(InvalidRequest, match="RAG_ABSTAIN_BELOW"):
        read_settings()


def test_an_index_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_INDEX_URL", "elsewhere:")
    with pytest.raises(InvalidRequest, match="RAG_INDEX_URL"):
        read_settings()


def test_settings_come_from_a_dotenv_file_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("RAG_HOME=elsewhere\nUNRELATED=1\n")
    assert read_settings().home == Path("elsewhere")


def test_the_database_is_sqlite_under_the_home_by_default(tmp_path: Path) -> None:
    assert Settings(home=tmp_path).sql_url == f"sqlite:///{tmp_path}/taiyi.db"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:port/v1", "http://h:99999/v1", "http://[::1/v1", "http://me:pw@h/v1"]
)
def test_an_address_of_a_model_that_none_can_have_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("RAG_LLM_URL", url)
    with pytest.raises(InvalidRequest, match="RAG_LLM_URL"):
        read_settings()
