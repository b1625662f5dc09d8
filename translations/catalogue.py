"""A language's catalogue: translations/LANGUAGE/LC_MESSAGES/tidemark.po, and the .mo that the program reads."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from settings import ROOT
from translations.extraction import template

LANGUAGES = ("ko",)  # English is the source
DOMAIN = "tidemark"


def po_file(language: str) -> Path:
    return ROOT / "translations" / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def mo_file(language: str) -> Path:
    return po_file(language).with_suffix(".mo")


def read(language: str) -> Catalog:
    """The catalogue as it stands in the file; raises PoFileError where that is none, as with marks of a merge."""
    with po_file(language).open("rb") as stream:
        return read_po(stream, locale=language, domain=DOMAIN, abort_invalid=True)


def update(language: str) -> Catalog:
    """Brings the file up to date with the code, and compiles it; what is gone from the code goes."""
    catalogue = read(language)
    catalogue.update(template(), no_fuzzy_matching=True, update_creation_date=False)
    po_file(language).write_bytes(written(catalogue))
    mo_file(language).write_bytes(compiled(catalogue))
    return catalogue


def written(catalogue: Catalog) -> bytes:
    """The .po file: without line numbers and without wrapping, so that a change of the code changes little here."""
    stream = BytesIO()
    write_po(stream, catalogue, width=0, ignore_obsolete=True, include_lineno=False)
    return stream.getvalue()


def compiled(catalogue: Catalog) -> bytes:
    """The .mo file."""
    stream = BytesIO()
    write_mo(stream, catalogue)
    return stream.getvalue()


def untranslated(catalogue: Catalog) -> Iterator[Message]:
    """The texts without a translation, and those whose translation is only a guess."""
    for message in catalogue:
        forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.id and (message.fuzzy or not all(forms)):
            yield message
