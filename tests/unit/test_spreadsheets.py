"""Text that a spreadsheet would run, guarded and as it was."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from db.spreadsheets import guarded, guarded_raw, unguarded


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2", "@x", "\tx", "\rx", "=", "-"])
def test_what_a_spreadsheet_runs_gets_an_apostrophe(text):
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=1", "'", "''", "'a", "O'Brien", "1-2", " =1", "“=”"])
def test_other_text_stays_as_it_is(text):
    assert guarded(text) == unguarded(text) == text


@given(st.text(st.sampled_from("'=+-@\t\ra ")) | st.text())
@example("'=1")
@example("''=1")
@example("'")
def test_guarding_is_undone_exactly(text):
    assert unguarded(guarded(text)) == text
    assert unguarded(guarded_raw(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.text(st.sampled_from("'=+-a")))
def test_no_two_texts_become_one(text):
    assert {
        other for other in (text, f"'{text}", f"''{text}", text[1:]) if guarded(other) == guarded(text)
    } == {text}


@pytest.mark.parametrize("cell", ["-5", "+3.25", "-1e3", "-inf"])
def test_numbers_stay_numbers_where_a_column_may_hold_some(cell):
    assert guarded_raw(cell) == cell


def test_a_guarded_cell_is_one_cell_of_a_csv():
    stream = io.StringIO()
    csv.writer(stream).writerow([guarded("\rx"), guarded("=a,b")])
    assert next(csv.reader(io.StringIO(stream.getvalue(), newline=""))) == ["'\rx", "'=a,b"]
