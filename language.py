"""Translation of everything that a person reads; English is the source language."""

import gettext
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TypeVar

from settings import ROOT, WrongSetting, current

T = TypeVar("T")

LANGUAGES = {"en": "English", "ko": "한국어"}  # each by its own name
_language: ContextVar[str | None] = ContextVar("language", default=None)
_choosers: list[Callable[[], str | None]] = []


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("tidemark", ROOT / "translations", [language], fallback=True)


def spoken() -> str:
    """The language of this request, else of the session whose fragment or callback this is, else the setting."""
    if language := _language.get() or next(filter(None, (choose() for choose in _choosers)), None):
        return language
    try:
        return current().language
    except WrongSetting:  # which is itself about to be told
        return "en"


def _(text: str) -> str:
    """The text in the language of this request or job."""
    return _catalogue(spoken()).gettext(text) if text else ""  # for "" a catalogue tells of itself


def ngettext(one: str, many: str, n: int) -> str:
    """The form of the text that the language uses for n things, with {n} filled in."""
    return _catalogue(spoken()).ngettext(one, many, n).format(n=f"{n:,}")


def N_(text: str) -> str:
    """Marks a text for translation where it is defined; `_` translates it where it is shown."""
    return text


def ask_for_language(choose: Callable[[], str | None]) -> None:
    """Whom `spoken` asks outside `speaking`: fragments, dialogs and callbacks run in no request of their own."""
    _choosers[:] = [choose]


def kept(make: Callable[[], T]) -> Callable[[], T]:
    """The same call in the language of now, for threads, which know nothing of the session that started them."""
    language = spoken()

    def do() -> T:
        with speaking(language):
            return make()

    return do


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Everything inside is said in that language."""
    token = _language.set(language)
    try:
        yield
    finally:
        _language.reset(token)
