"""Text cut into pieces: at words where it can be, never in a number or in what is read as one character."""

import re
import unicodedata
from collections.abc import Callable, Iterator

NUMBER = re.compile(r"[+\-−±]?[$€£¥₩]?\d(?:[\d.,:]*\d)?%?")
_WORDS = re.compile(r"\S*\s+|\S+")
_JOINERS = frozenset("\u200c\u200d")
# Line breaks of all kinds and other control characters; embeddings, overrides and isolates of text direction.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_HALVES = re.compile("[\ud800-\udfff]")
RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)


def clean(text: str) -> str:
    """One line of text that no character in it can break, hide or turn round."""
    return _HALVES.sub("�", _DIRECTIONS.sub("", _CONTROLS.sub(" ", text)))


def units(text: str) -> int:
    """Its length as the strictest counts it: an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def pieces(text: str, limit: int, size: Callable[[str], int] = units) -> list[str]:
    """The text in pieces of at most `limit`; joined they are the text."""
    return [piece for piece in _pieces(text, limit, size, 0) if piece]


def _pieces(text: str, limit: int, size: Callable[[str], int], level: int) -> list[str]:
    found = [""]
    for part in _LEVELS[level](text):
        if size(found[-1] + part) <= limit:
            found[-1] += part
        elif size(part) > limit and level + 1 < len(_LEVELS):
            found += _pieces(part, limit, size, level + 1)
        else:
            found.append(part)
    return found


def _words(text: str) -> Iterator[str]:
    """Words, each with the blanks behind it."""
    return iter(_WORDS.findall(text))


def _atoms(text: str) -> Iterator[str]:
    """Numbers, and the characters between them."""
    inside = {at for found in NUMBER.finditer(text) for at in range(found.start() + 1, found.end())}
    atom, at = "", 0
    for one in graphemes(text):
        if atom and at not in inside:
            yield atom
            atom = ""
        atom, at = atom + one, at + len(one)
    yield atom


def graphemes(text: str) -> Iterator[str]:
    """What is read as one character: a letter with its marks, an emoji of many parts, a flag."""
    cluster, flags = "", 0
    for one in text:
        is_flag = "\U0001f1e6" <= one <= "\U0001f1ff"
        if cluster and not (_goes_on(cluster[-1], one) or (is_flag and flags % 2)):
            yield cluster
            cluster = ""
        cluster, flags = cluster + one, flags + 1 if is_flag else 0
    if cluster:
        yield cluster


def _goes_on(before: str, one: str) -> bool:
    """Whether a character belongs to the one before it."""
    part_of_emoji = "\U0001f3fb" <= one <= "\U0001f3ff" or "\U000e0020" <= one <= "\U000e007f"
    syllable = "\u1160" <= one <= "\u11ff" and "\u1100" <= before <= "\u11ff"  # Korean in its single letters
    marks = unicodedata.category(one) in ("Mn", "Mc", "Me")
    return before == "\u200d" or one in _JOINERS or marks or part_of_emoji or syllable


_LEVELS: tuple[Callable[[str], Iterator[str]], ...] = (_words, _atoms, graphemes, iter)
