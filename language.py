"""Translation of everything that a person reads; English is the source language."""

import gettext
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

from settings import ROOT, WrongSetting, current

_language: ContextVar[str | None] = ContextVar("language", default=None)


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("tidemark", ROOT / "translations", [language], fallback=True)


def spoken() -> str:
    """The language of this request; where none was chosen (threads, fragments, callbacks) the setting."""
    try:
        return _language.get() or current().language
    except WrongSetting:  # which is itself about to be told
        return "en"


def _(text: str) -> str:
    """The text in the language of this request or job."""
    return _catalogue(spoken()).gettext(text)


def ngettext(one: str, many: str, n: int) -> str:
    """The form of the text that the language uses for n things, with {n} filled in."""
    return _catalogue(spoken()).ngettext(one, many, n).format(n=f"{n:,}")


def N_(text: str) -> str:
    """Marks a text for translation where it is defined; `_` translates it where it is shown."""
    return text


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Everything inside is said in that language."""
    token = _language.set(language)
    try:
        yield
    finally:
        _language.reset(token)
