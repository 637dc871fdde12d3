"""From a file to documents that are laid out, split and screened. Nothing here writes, and nothing here is protected:
``ingestion.isolation`` runs it in a process of its own, since a file may be made to hang or crash its loader."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from ingestion import loaders
from ingestion.archives import Limits, unpack
from ingestion.loaders import format_of, load
from ingestion.loaders.lines import language_code
from ingestion.screening import flags_of
from ingestion.splitting import CountTokens, lay_out, split, token_counter
from ingestion.types import Block, BlockKind, LoadedDocument, ParsedDocument
from rag.flags import HIDDEN
from rag.packaged_embedder import load_tokenizer
from rag.types import NewPassage

_SAMPLE = (
    "Background: We aimed to compare the effect of treatment with that of placebo in patients with diabetes, and to "
    "estimate the risk of death. Methods: In this randomized controlled trial, 120 adults (mean age 54 years) were "
    "included. Results: There was no significant difference between the groups (95% CI, 0.5 to 1.2; P = 0.03). "
    "急性发作时首选吸入沙丁胺醇，每20分钟一次。"
)


def parse(path: Path, count_tokens: CountTokens) -> Iterator[ParsedDocument]:
    """The documents in ``path``, in order. Raises UnsupportedFormat and UnreadableFile as ``ingestion.loaders``."""
    format_name = format_of(path)
    for loaded in load(path):
        yield parsed(loaded, format_name, count_tokens)


def parsed(loaded: LoadedDocument, format_name: str, count_tokens: CountTokens) -> ParsedDocument:
    laid_out = lay_out(loaded.blocks)
    passages = _screened(split(loaded.blocks, laid_out, count_tokens), laid_out.text)
    if any(set(passage.flags) - {HIDDEN} for passage in passages):
        again = split(loaded.blocks, laid_out, count_tokens, lambda sentence: bool(flags_of(sentence)))
        passages = _screened(again, laid_out.text)
    return ParsedDocument(format_name, loaded.metadata, laid_out.text, laid_out.page_starts, tuple(passages))


def _screened(passages: list[NewPassage], text: str) -> list[NewPassage]:
    screened = []
    for passage in passages:
        found = flags_of(text[passage.char_start : passage.char_end])
        screened.append(replace(passage, flags=(*passage.flags, *map(str, found))) if found else passage)
    return screened


@cache
def _count_tokens(home: str) -> CountTokens:
    return token_counter(load_tokenizer(Path(home)))


def prepare(home: str) -> None:
    """Loads the tokenizer, every format's parser and what they load late, for processes forked from this one."""
    sample = LoadedDocument((Block(BlockKind.PARAGRAPH, _SAMPLE),))
    parsed(sample, "text", _count_tokens(home))
    language_code("en")
    for module in iter_modules(loaders.__path__, f"{loaders.__name__}."):
        import_module(module.name)


def documents(home: str, path: str) -> Iterator[ParsedDocument]:
    """``parse`` by names alone, as another process asks for it."""
    return parse(Path(path), _count_tokens(home))


def members(path: str, into: str, limits: dict[str, int]) -> Iterator[tuple[str, str]]:
    """``archives.unpack`` by names alone: each member's name and the path of its file."""
    for member in unpack(Path(path), Path(into), Limits(**limits)):
        yield member.name, str(member.path)
