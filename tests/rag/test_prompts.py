"""Every prompt in both languages: what is filled in stays as it is, and what the server may keep stays the same."""

import tomllib
from dataclasses import replace
from importlib.resources import files
from string import Formatter
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.languages import language_of
from rag.prompts import Prompt, PromptName, labels, prompt
from rag.types import Language

NAMES: tuple[PromptName, ...] = get_args(PromptName)
LANGUAGES: tuple[Language, ...] = get_args(Language)
EVERY = [(name, language) for name in NAMES for language in LANGUAGES]
AWKWARD = (
    "{question} {{passages}} {0} {} {{ config.items() }} {% for x in y %} ${HOME} %s %(name)s <|im_start|> "
    "\\n \\u0041 [1] `x` <b>&amp;</b> }{"
)


def texts(language: Language) -> dict[str, dict[str, str]]:
    return tomllib.loads(files("rag.prompts").joinpath(f"{language}.toml").read_text(encoding="utf-8"))


def names_in(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def filled(one: Prompt, value: str) -> list[Any]:
    return one.messages(**dict.fromkeys(names_in(one.user), value))


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_a_prompt_is_a_system_text_and_a_question(name: PromptName, language: Language) -> None:
    system, user = filled(prompt(name, language), "VALUE")
    assert (system.type, user.type) == ("system", "human")
    assert language_of(system.content) == language or name == "translate"
    assert "VALUE" in user.content
    for text in (system.content, user.content):
        assert text == text.strip()
        assert text
        assert "{" not in text
        assert "}" not in text


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_what_is_filled_in_stays_as_it_is(name: PromptName, language: Language) -> None:
    one = prompt(name, language)
    _, user = filled(one, AWKWARD)
    expected = one.user
    for field in names_in(one.user):
        expected = expected.replace(f"{{{field}}}", "\0")
    assert user.content == expected.replace("\0", AWKWARD)


@given(value=st.text())
def test_any_text_stays_as_it_is(value: str) -> None:
    one = prompt("grounded", "zh")
    passages, _, rest = one.user.partition("{passages}")
    system, user = one.messages(passages=value, question="{question}")
    assert user.content == passages + value + rest.replace("{question}", "\0").replace("\0", "{question}")
    assert system.content == one.system


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_the_system_text_is_the_same_for_every_question(name: PromptName, language: Language) -> None:
    """So a server's prefix cache holds it."""
    one = prompt(name, language)
    assert names_in(one.system) == set()
    assert filled(one, "first")[0] == filled(one, "{second}")[0]


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_ask_for_the_same_values(name: PromptName) -> None:
    assert names_in(prompt(name, "en").user) == names_in(prompt(name, "zh").user) != set()


def test_both_languages_have_the_same_keys() -> None:
    assert {name: set(part) for name, part in texts("en").items()} == {
        name: set(part) for name, part in texts("zh").items()
    }
    assert set(texts("en")) == {"labels", *NAMES}
    assert list(labels("en")) == list(labels("zh"))
    assert all(value.strip() for language in LANGUAGES for value in labels(language).values())


def test_a_missing_value_is_named() -> None:
    with pytest.raises(KeyError, match="passages"):
        prompt("grounded", "en").messages(question="Why?")


def test_the_version_changes_with_the_words_and_only_with_them() -> None:
    one = prompt("grounded", "en")
    assert one.version == prompt("grounded", "en").version
    name, _, digest = one.version.partition("@")
    assert (name, len(digest), int(digest, 16) >= 0) == ("grounded.en", 12, True)
    others = [
        replace(one, system=f"{one.system}."),
        replace(one, user=f"{one.user}."),
        replace(one, system=one.system + one.user[:1], user=one.user[1:]),
        *(prompt(name, language) for name, language in EVERY if (name, language) != ("grounded", "en")),
    ]
    versions = [one.version, *(other.version for other in others)]
    assert len(set(versions)) == len(versions)
