"""The catalogues have every text of the code, and every translation keeps what the text holds."""

import ast
import gettext
import io
import re
import string
from collections import Counter

import pytest

from language import LANGUAGES as SPOKEN
from language import _, kept, ngettext, speaking, spoken
from settings import Settings
from translations import catalogue
from translations.catalogue import LANGUAGES, mo_file, po_file, read
from translations.extraction import template, texts

HOW = "run make translations, then translate what it names"
MARKS = re.compile(r"\*\*|`|:[a-z-]+\[|:material/\w+:")
# A particle that depends on the last letter of the word before it, which nobody knows of a placeholder.
PARTICLE = re.compile(r"\}[*”’']*(은|는|이|가|을|를|과|와|으로|로)(?![가-힣(])")
ALL = [(language, message) for language in LANGUAGES for message in read(language) if message.id]


def forms(message) -> list[tuple[str, str]]:
    """Each form of a translation beside the text that it is of."""
    if isinstance(message.id, tuple):
        return [(message.id[-1], told) for told in message.string]
    return [(message.id, message.string)]


def placeholders(text: str) -> Counter[str]:
    """The {names} of a text with their formats; {{names}} are filled in by a second call of format."""
    found: Counter[str] = Counter()
    for literal, name, spec, conversion in string.Formatter().parse(text):
        found.update(re.findall(r"\{\w+\}", literal))
        found.update([f"{name}:{spec}!{conversion}"] if name is not None else [])
    return found


def blanks(text: str) -> tuple[str, str]:
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]


def test_every_language_but_the_source_has_a_catalogue_and_can_be_set():
    assert list(SPOKEN) == ["en", *LANGUAGES]
    for language in SPOKEN:
        assert Settings(language=language).language == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_has_the_texts_of_the_code_and_no_others(language):
    there, wanted = (
        {message.id for message in found if message.id} for found in (read(language), template())
    )
    assert there - wanted == set(), f"gone from the code: {HOW}"
    assert wanted - there == set(), f"new in the code: {HOW}"
    assert not read(language).obsolete, HOW


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_translated_by_a_person(language):
    assert [message.id for message in catalogue.untranslated(read(language))] == [], HOW


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_is_as_the_update_writes_it_and_the_compiled_one_is_made_of_it(language):
    found = read(language)
    assert catalogue.written(found) == po_file(language).read_bytes(), HOW
    assert catalogue.compiled(found) == mo_file(language).read_bytes(), HOW


def test_translations_keep_placeholders_marks_and_blanks():
    for language, message in ALL:
        for text, told in forms(message):
            assert set(placeholders(told)) == set(placeholders(text)), (language, text, told)
            marks = (Counter(MARKS.findall(one)) for one in (text, told))
            assert len(set(map(frozenset, (count.items() for count in marks)))) == 1, (language, text, told)
            assert blanks(told) == blanks(text), (language, text, told)
            assert told.count("\n") == text.count("\n"), (language, text, told)


def test_no_korean_particle_follows_a_word_that_nobody_knows():
    found = [told for language, message in ALL for _text, told in forms(message) if language == "ko"]
    assert [told for told in found if PARTICLE.search(told)] == []


def test_korean_has_one_form_for_any_number():
    compiled = gettext.GNUTranslations(io.BytesIO(mo_file("ko").read_bytes()))
    assert {compiled.plural(n) for n in (0, 1, 2, 5, 100)} == {0}
    with speaking("ko"):
        assert [ngettext("{n} row", "{n} rows", n) for n in (0, 1, 12_345)] == ["0행", "1행", "12,345행"]


def test_an_empty_text_stays_empty():
    with speaking("ko"):
        assert _("") == ""


def test_what_a_thread_does_later_is_said_in_the_language_of_now():
    with speaking("ko"):
        later = kept(spoken)
    assert (spoken(), later(), spoken()) == ("en", "ko", "en")


def test_texts_are_found_wherever_they_are_marked():
    code = (
        '"""Of the module."""\n'
        "_(__doc__ or '')\n"
        "f\"**{_('in an f-string')}**\"\n"
        "told = N_('of' ' two')\n"
        "_('one' if told else 'other')\n"
        "ngettext('{n} row', '{n} rows', 2)\n"
        "_(told)\n"
    )
    found = ["Of the module.", "in an f-string", "of two", "one", "other", ("{n} row", "{n} rows")]
    assert list(texts(ast.parse(code))) == found
