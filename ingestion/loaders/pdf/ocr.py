"""The text of a scanned page, recognised by the ``tesseract`` program where it is installed.

The words come with their places, so that lines and boxes are made of them as of any other page's.
"""

import csv
import io
import os
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from statistics import median
from typing import Any

import numpy as np

from ingestion.loaders.pdf.words import Fragment, Word

LANGUAGES = ("eng", "chi_sim")
SECONDS_A_PAGE = 120
_DOTS_AN_INCH = 300
_MAX_PIXELS = 40_000_000
_MIN_CONFIDENCE = 40.0
_SURE = 75.0
_SIZE_SHARE = 0.8
_GAP_HEIGHTS = 0.9
_WIDE = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")
_WORD_LEVEL = "5"


_Row = dict[str, str]


class OcrFailed(Exception):
    """Tesseract gave no text; the message says why and continues "page 3 is a scan that "."""


@cache
def languages() -> tuple[str, ...]:
    """Those of English and simplified Chinese that can be recognised; none where Tesseract is not installed."""
    program = shutil.which("tesseract")
    if program is None:
        return ()
    listed = subprocess.run([program, "--list-langs"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    installed = set((listed.stdout + listed.stderr).split())
    return tuple(language for language in LANGUAGES if language in installed)


def recognised(page: Any) -> list[Fragment]:
    """The fragments of ``page`` (pypdfium2's), their places counted from its lower left corner as shown.

    Raises OcrFailed where Tesseract fails or takes too long.
    """
    width, height = page.get_width(), page.get_height()
    scale = min(_DOTS_AN_INCH / 72, (_MAX_PIXELS / max(width * height, 1.0)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True)
    pixels = np.ascontiguousarray(bitmap.to_numpy().reshape(bitmap.height, -1)[:, : bitmap.width])
    image = b"P5 %d %d 255\n" % (bitmap.width, bitmap.height) + pixels.tobytes()
    bitmap.close()
    return list(_fragments(_best_words(image, round(72 * scale)), scale, height))


def looks_like_text(page: Any) -> bool:
    """Whether the page is paper with something printed on it, rather than a photograph or blank."""
    bitmap = page.render(scale=min(1.0, 1000 / max(page.get_width(), page.get_height(), 1.0)), grayscale=True)
    pixels = bitmap.to_numpy().reshape(bitmap.height, -1)[:, : bitmap.width]
    grey = int(np.bincount(pixels.ravel(), minlength=256).argmax())
    distance = np.abs(pixels.astype(np.int16) - grey)
    bitmap.close()
    return bool((distance < 32).mean() > 0.6 and 0.002 < (distance > 80).mean() < 0.35)


def _best_words(image: bytes, dots_an_inch: int) -> list[_Row]:
    """The words as read with the languages in the order that fits: Tesseract favours the first of them."""
    known = languages()
    words = _words(_tesseract(image, dots_an_inch, known))
    if len(known) > 1 and (_confidence(words) < _SURE or any(_WIDE.search(row["text"]) for row in words)):
        words = max(words, _words(_tesseract(image, dots_an_inch, known[::-1])), key=_confidence)
    return words


def _words(table: str) -> list[_Row]:
    rows = csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE)
    return [row for row in rows if row["level"] == _WORD_LEVEL and (row["text"] or "").strip()]


def _without_noise(words: list[_Row]) -> Iterator[_Row]:
    """The words of all lines but those that are noise; of a line that is none, the words that are unsure too."""
    lines: dict[tuple[str, ...], list[_Row]] = defaultdict(list)
    for row in words:
        lines[row["block_num"], row["par_num"], row["line_num"]].append(row)
    return (row for line in lines.values() if _confidence(line) >= _MIN_CONFIDENCE for row in line)


def _confidence(words: list[_Row]) -> float:
    """0 to 100, the mean over all characters."""
    length = sum(len(row["text"]) for row in words)
    return sum(float(row["conf"]) * len(row["text"]) for row in words) / max(length, 1)


def _tesseract(image: bytes, dots_an_inch: int, known: Sequence[str]) -> str:
    command = ["tesseract", "stdin", "stdout", "-l", "+".join(known), "--dpi", str(dots_an_inch), "tsv"]
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    try:
        done = subprocess.run(command, input=image, capture_output=True, timeout=SECONDS_A_PAGE, env=environment)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise OcrFailed(f"Tesseract did not read within {SECONDS_A_PAGE} seconds") from error
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise OcrFailed(f"Tesseract could not read ({lines[-1] if lines else f'exit status {done.returncode}'})")
    return done.stdout.decode("utf-8", "replace")


def _fragments(words: list[_Row], scale: float, height: float) -> Iterator[Fragment]:
    paragraphs: dict[tuple[str, str], dict[str, list[tuple[Word, float]]]] = defaultdict(lambda: defaultdict(list))
    for row in _without_noise(words):
        text = row["text"].strip()
        left, top, wide, high = (int(row[name]) / scale for name in ("left", "top", "width", "height"))
        word = (text, left, height - top - high, left + wide)
        paragraphs[row["block_num"], row["par_num"]][row["line_num"]].append((word, high))
    for lines in paragraphs.values():
        size = max(median(max(high for _, high in line) for line in lines.values()) * _SIZE_SHARE, 1.0)
        for line in lines.values():
            yield from _line([word for word, _ in line], round(size * 2) / 2)


def _line(words: list[Word], size: float) -> Iterator[Fragment]:
    bottom = median(word[2] for word in words)
    group: list[Word] = []
    for text, left, _, right in words:
        if group and left - group[-1][3] > _GAP_HEIGHTS * 1.3 * size:
            yield _fragment(group, bottom, size)
            group = []
        if group and _WIDE.match(text) and _WIDE.match(group[-1][0][-1]):
            group[-1] = (group[-1][0] + text, group[-1][1], bottom, right)
        else:
            group.append((text, left, bottom, right))
    if group:
        yield _fragment(group, bottom, size)


def _fragment(words: list[Word], bottom: float, size: float) -> Fragment:
    text = " ".join(word[0] for word in words)
    left, right = min(word[1] for word in words), max(word[3] for word in words)
    return Fragment(text, left, right, bottom, bottom + size, size, bold=False, words=tuple(words))
