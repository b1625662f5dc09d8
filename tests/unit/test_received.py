"""A received file: its private copy, the name it is told by, and the choice of its columns."""

import tempfile
from pathlib import Path

import pytest

from db.errors import Refused
from db.importing.choices import choices, choices_of
from db.importing.received import Received
from db.importing.specs import MODEL_EVALUATIONS


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("sent_as", "ending"),
    [("a.csv", ".csv"), ("A.CSV.GZ", ".csv.gz"), ("../x/y.jsonl", ".jsonl"), ("/etc/a.parquet", ".parquet")],
)
def test_the_copy_is_private_and_has_nothing_of_the_name_but_its_ending(folder, sent_as, ending):
    with Received(sent_as, b"content").on_disk() as path:
        assert path.read_bytes() == b"content"
        assert path.parent.parent == folder and path.parent.stat().st_mode & 0o777 == 0o700
        assert (
            path.name.endswith(ending) and path.name.isascii() and "." not in path.name.removesuffix(ending)
        )
    assert not list(folder.iterdir())


@pytest.mark.parametrize("error", [Refused("no"), ValueError(), KeyboardInterrupt()])
def test_the_copy_goes_whatever_happens(folder, error):
    with pytest.raises(type(error)), Received("a.csv", b"").on_disk():
        raise error
    assert not list(folder.iterdir())


def test_what_is_said_of_the_copy_is_said_of_the_file():
    with (
        pytest.raises(Refused, match=r"^my a\.csv: bad; my a\.csv$") as caught,
        Received("my a.csv", b"").on_disk() as path,
    ):
        raise Refused(f"{path}: bad; {path.name}", status=2)
    assert caught.value.status == 2


@pytest.mark.parametrize("sent_as", ["", "a", "csv", "a.xlsx", ".csv.", "a.csv\0", "a.gz"])
def test_other_endings_are_refused_without_a_copy(folder, sent_as):
    with pytest.raises(Refused, match="the ending must be one of"), Received(sent_as, b"").on_disk():
        pytest.fail("there is a copy")
    assert not list(folder.iterdir())


def test_a_name_is_shown_short_and_without_what_cannot_be_seen():
    assert Received("a\u202e\n.csv", b"").name == r"a\u202e\n.csv"
    assert len(Received("a" * 500 + ".csv", b"").name) == 60


def test_lines_are_counted_where_they_can_be():
    assert Received("a.CSV", b"a\n1\n2\n").lines == 3
    assert Received("a.csv.gz", b"\n").lines is None and Received("a.parquet", b"\n").lines is None


def test_a_disk_without_room_is_told(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with pytest.raises(Refused, match=r"a\.csv cannot be kept while it is read: No such file"):
        Received("a.csv", b"").on_disk().__enter__()


def test_a_file_with_all_that_is_needed_leaves_little_to_choose():
    assert choices(["model_name", "predicted_at", "target_achieved"], MODEL_EVALUATIONS).offered == {}
    left = choices(["model", "predicted_at", "evaluated_at", "final_score"], MODEL_EVALUATIONS)
    assert left.offered == {"evaluated_at": ("predicted_at",)} and not left.missing


def test_unknown_columns_are_offered_for_all_that_lacks_the_needed_ones_first():
    left = choices(["who", "evaluated_at", "points"], MODEL_EVALUATIONS)
    assert left.missing == ("model_name", "predicted_at") == tuple(left.offered)[:2]
    assert left.offered["model_name"] == ("who", "points")
    assert left.offered["predicted_at"] == ("who", "points", "evaluated_at"), (
        "a time may come from another one"
    )
    assert left.as_import({"model_name": "who", "timing_score": "points", "predicted_at": "made up"}) == (
        {},
        {"model_name": "who", "timing_score": "points"},
    )


def test_a_column_that_is_there_twice_is_mapped():
    left = choices(["model_name", "created_at", "prediction_time"], MODEL_EVALUATIONS)
    assert left.doubled == ("predicted_at",)
    assert left.as_import({"predicted_at": "created_at"}) == ({"created_at": "predicted_at"}, {})


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", "Who Is;When\n"), ("a.jsonl", '{"Who Is": 1}\n\nno\n{"When": 2}\n')],
)
def test_the_names_come_from_the_file(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    assert choices_of(tmp_path / name, MODEL_EVALUATIONS).offered["model_name"] == ("who_is", "when")
