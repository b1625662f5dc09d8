"""Text in pieces, tables in columns: nothing lost, no number and no character cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.blocks import Table
from reports.monospace import WIDTH, cells_wide, lines_of
from reports.splitting import NUMBER, clean, graphemes, pieces, units

FAMILY, FLAGS, KEYCAP, ACCENT = "👨‍👩‍👧", "🇰🇷🇩🇪", "1️⃣", "é"
PARTS = st.sampled_from(
    ["모델", "gpt-4.5", " ", "−18%", "+$1,204.50", FAMILY, FLAGS, KEYCAP, ACCENT, "👍🏽", "نموذج", "x"]
)
TEXTS = st.lists(PARTS, max_size=80).map("".join)


def test_what_is_read_as_one_character_is_one() -> None:
    assert list(graphemes(FAMILY + FLAGS + KEYCAP + ACCENT + "👍🏽" + "각")) == [
        FAMILY,
        "🇰🇷",
        "🇩🇪",
        KEYCAP,
        ACCENT,
        "👍🏽",
        "각",
    ]


@given(TEXTS, st.integers(16, 60))
def test_pieces_are_the_text_and_cut_nothing(text: str, limit: int) -> None:
    found = pieces(text, limit)
    assert "".join(found) == text
    wholes = [whole for whole in NUMBER.findall(text) if units(whole) <= limit]
    if len(wholes) == len(NUMBER.findall(text)):
        assert all(units(piece) <= limit for piece in found)
        assert [whole for piece in found for whole in NUMBER.findall(piece)] == wholes
    assert [one for piece in found for one in graphemes(piece)] == list(graphemes(text))


def test_words_stay_whole_where_they_can() -> None:
    assert pieces("one two 3,000 four", 8) == ["one two ", "3,000 ", "four"]
    assert pieces("7" * 20, 8) == ["7" * 8, "7" * 8, "7" * 4], "what fits nowhere is cut all the same"


@given(st.text(st.characters()))
def test_clean_text_is_one_line_that_can_be_encoded(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert len(cleaned.splitlines()) <= 1 or not cleaned
    assert not any(one in cleaned for one in "\0\u202e\u2066\u2028")


CELLS = st.sampled_from(
    ["", "64%", "+$1,120", "−0.3", "뚜렷한 변화 없음", "a long name of a model", "1,204,311", "é👍🏽"]
)


@given(
    st.integers(1, 6).flatmap(
        lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=1, max_size=8)
    )
)
def test_tables_are_at_most_forty_columns_wide(rows: list[list[str]]) -> None:
    head, told = lines_of(Table(rows[0], rows[1:]))
    lines = [*head, *(line for row in told for line in row)]
    assert all(cells_wide(line) <= WIDTH for line in lines)
    for row in rows[1:]:
        for cell in row:
            assert all(number in "\n".join(lines) for number in NUMBER.findall(cell))


def test_korean_counts_double_and_columns_line_up() -> None:
    head, rows = lines_of(Table(("에이전트", "n"), (("fx", "2"), ("실적", "22"))))
    assert head == ["에이전트   n"]
    assert rows == [["fx         2"], ["실적      22"]]


def test_long_names_go_on_below_and_wide_figures_too() -> None:
    name = "a-name-that-is-much-too-long-for-a-column-of-a-phone"
    _head, [lines] = lines_of(Table(("model", "score"), ((name, "70.4"),)))
    assert lines[0].endswith("  70.4") and "".join(line.split()[0] for line in lines) == name
    head, [lines] = lines_of(
        Table(("model", "a", "b", "c"), (("x", "1,000,000,000", "−2,000,000,000", "3,000,000"),))
    )
    assert head == ["model"]
    assert lines == ["x", "  a 1,000,000,000", "  b −2,000,000,000", "  c 3,000,000"]


@pytest.mark.parametrize("table", [Table((), ()), Table(("",), ()), Table((), (("x",),))])
def test_tables_of_nearly_nothing(table: Table) -> None:
    lines_of(table)
