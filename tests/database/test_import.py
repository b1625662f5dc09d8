"""Files into model_evaluations: what is stored, what is refused, and what the report says of it."""

import csv
import gzip
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, func, select, text

from db.calendar import change_timezone
from db.check import check
from db.demo.holding import holds_demo
from db.engine import data_version
from db.errors import Refused
from db.importing import Report, import_file
from db.importing import files as importing_files
from db.tables.models import Model, ModelEvaluation

Bring = Callable[..., Report]
Stored = Callable[[], list[dict[str, Any]]]

HEADER = "prediction_id,model_name,predicted_at,evaluated_at,final_score,target_achieved\n"
A = "a,atlas-2,2026-11-16T00:00:00Z,2026-11-16T05:00:00Z,70,1\n"
B = "b,atlas-2,2026-11-16T01:00:00Z,2026-11-16T06:00:00Z,60.5,0\n"
C = "c,borealis-7b,2026-11-17T01:00:00Z,,,\n"


def counts(report: Report) -> dict[str, int]:
    """The counts that are not 0; always those of every row that was read."""
    names = ("new", "updated", "unchanged", "rejected", "repeated")
    found = {name: getattr(report, name) for name in names if getattr(report, name)}
    assert report.read == sum(found.values())
    return found


def reasons(report: Report) -> list[tuple[int, str, str]]:
    return [(row.line, row.column, row.reason) for row in report.rejects]


def test_rows_are_stored_as_they_are(bring: Bring, stored: Stored) -> None:
    assert counts(bring(HEADER + A + B + C)) == {"new": 3}
    first, second, third = stored()
    assert first["prediction_id"] == "a"
    assert first["model_name"] == "atlas-2"
    assert first["predicted_at"] == datetime(2026, 11, 16, 0, 0, tzinfo=UTC)
    assert first["evaluated_at"] == datetime(2026, 11, 16, 5, 0, tzinfo=UTC)
    assert (first["final_score"], first["target_achieved"], first["day"]) == (70.0, True, date(2026, 11, 16))
    assert (second["final_score"], second["target_achieved"]) == (60.5, False)
    assert third["evaluated_at"] is third["final_score"] is third["target_achieved"] is None
    assert third["timing_score"] is None  # no such column in the file


def test_same_file_twice_changes_nothing(engine: Engine, bring: Bring) -> None:
    bring(HEADER + A + B + C)
    before = everything(engine)
    assert counts(bring(HEADER + A + B + C)) == {"unchanged": 3}
    assert everything(engine) == before  # updated_at and the marks too


def everything(engine: Engine) -> tuple[Any, ...]:
    with engine.connect() as connection:
        evaluations = connection.execute(select(ModelEvaluation.__table__).order_by(ModelEvaluation.id)).all()
        marks = connection.execute(text("SELECT day, key FROM stale_marks ORDER BY id")).all()
    return evaluations, marks


def test_corrected_file_updates_what_it_corrects(engine: Engine, bring: Bring, stored: Stored) -> None:
    bring(HEADER + A + B + C)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM stale_marks"))
    assert counts(bring(HEADER + A + B.replace("60.5", "61") + C)) == {"updated": 1, "unchanged": 2}
    assert [row["final_score"] for row in stored()] == [70.0, 61.0, None]
    with engine.connect() as connection:
        marks = connection.execute(text("SELECT DISTINCT day, key FROM stale_marks")).all()
    assert len(marks) == 1


def test_corrected_time_moves_the_row_to_its_day(bring: Bring, stored: Stored) -> None:
    bring(HEADER + A)
    bring(HEADER + A.replace("2026-11-16T00", "2026-11-13T00"))
    assert stored()[0]["day"] == date(2026, 11, 13)


def test_column_that_the_file_lacks_is_left_and_an_empty_cell_sets_null(bring: Bring, stored: Stored) -> None:
    bring(HEADER + A)
    short = "prediction_id,model_name,predicted_at,timing_score\na,atlas-2,2026-11-16T00:00:00Z,55\n"
    assert counts(bring(short)) == {"updated": 1}
    assert (stored()[0]["final_score"], stored()[0]["timing_score"]) == (70.0, 55.0)
    bring(short.replace(",55", ","))
    assert (stored()[0]["final_score"], stored()[0]["timing_score"]) == (70.0, None)


@pytest.mark.parametrize(
    "header",
    [
        "Prediction,Model,Prediction Time,evaluation-time,FINAL_SCORE,target_hit\n",
        "prediction_id;model;created_at;evaluated_at;final_score;target_achieved\n",
        "\ufeffprediction_id\tmodel_name\tpredicted_at\tevaluated_at\tfinal_score\ttarget_achieved\n",
    ],
)
def test_usual_other_names_and_delimiters(bring: Bring, stored: Stored, header: str) -> None:
    delimiter = max(",;\t", key=header.count)
    assert counts(bring(header + A.replace(",", delimiter))) == {"new": 1}
    assert stored()[0]["target_achieved"] is True


@pytest.mark.parametrize(
    "at",
    [
        "1763251200",
        "1763251200000",
        "2025-11-16T00:00:00Z",
        "2025-11-16T09:00:00+09:00",
        "2025-11-16 09:00",
        "2025-11-16T09:00:00",
    ],
)
def test_ways_to_write_a_time(bring: Bring, stored: Stored, at: str) -> None:
    bring(f"prediction_id,model_name,predicted_at\na,atlas-2,{at}\n")
    assert stored()[0]["predicted_at"] == datetime(2025, 11, 16, tzinfo=UTC)


def test_map_and_set(bring: Bring, stored: Stored) -> None:
    rows = "id,who,evaluated_at,Punkte\na,atlas-2,2026-11-16T05:00:00Z,70\n"
    report = bring(
        rows,
        mapping={"who": "model_name", "Punkte": "final_score", "id": "prediction_id"},
        filling={"predicted_at": "evaluated_at"},
    )
    assert counts(report) == {"new": 1}
    (row,) = stored()
    assert row["predicted_at"] == row["evaluated_at"]
    assert (row["final_score"], row["prediction_id"]) == (70.0, "a")


@pytest.mark.parametrize("ending", ["", ",\x01"])  # the second makes each cell be looked at by itself
def test_names_that_look_equal_are_equal(bring: Bring, stored: Stored, ending: str) -> None:
    one, two = "caf\u00e9", "cafe\u0301"
    rows = "".join(f"{name},{name},2026-11-16T00:00:00Z\n" for name in (one, two))
    report = bring(
        "prediction_id,model_name,predicted_at\n" + rows + (f"x{ending[1:]},{two},2026\n" * bool(ending))
    )
    assert (report.new, report.repeated) == (1, 1)
    assert [(row["model_name"], row["prediction_id"]) for row in stored()] == [(one, one)]


def test_set_fills_empty_cells_only(bring: Bring, stored: Stored) -> None:
    rows = (
        "prediction_id,model_name,predicted_at,seen\n"
        "a,atlas-2,2026-11-16T00:00:00Z,2026-11-18T00:00:00Z\nb,atlas-2,,2026-11-18T00:00:00Z\n"
    )
    bring(rows, filling={"predicted_at": "seen"})
    assert [row["predicted_at"].day for row in stored()] == [16, 18]


def test_unknown_columns_are_named(bring: Bring) -> None:
    report = bring(HEADER.replace("final_score", "mood") + A)
    assert "column mood is not known here and was left out" in report.notes


def test_own_name_comes_before_other_names_and_map_before_both(bring: Bring, stored: Stored) -> None:
    rows = (
        "prediction_id,model,predicted_at,created_at\na,atlas-2,2026-11-16T00:00:00Z,2026-11-17T00:00:00Z\n"
    )
    report = bring(rows)
    assert "column created_at was left out: predicted_at comes from another column" in report.notes
    assert stored()[0]["predicted_at"].day == 16
    bring(rows, mapping={"created_at": "predicted_at"})
    assert stored()[0]["predicted_at"].day == 17


def test_two_other_names_need_a_map(bring: Bring, stored: Stored) -> None:
    rows = "prediction_id,model,created_at,prediction_time\na,atlas-2,2026-11-16,2026-11-17\n"
    with pytest.raises(Refused, match="say with --map which one it is"):
        bring(rows)
    assert counts(bring(rows, mapping={"created_at": "predicted_at"})) == {"new": 1}


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
@pytest.mark.parametrize(
    "options", [{"mapping": {"no such": "timing_score"}}, {"filling": {"human_evaluated_at": "no_such"}}]
)
def test_column_of_map_or_set_that_is_nowhere_is_refused(
    bring: Bring, stored: Stored, options: dict[str, Any], ending: str
) -> None:
    json = '{"prediction_id": "a", "model_name": "atlas-2", "predicted_at": "2026-11-16T00:00:00Z"}\n'
    rows = HEADER + A if ending == "csv" else json
    with pytest.raises(Refused, match=r"no column no_such, .*it has prediction_id, model_name") as refused:
        bring(rows, name=f"rows.{ending}", **options)
    assert refused.value.status == 2
    assert stored() == []


def test_column_of_set_that_only_some_rows_have(bring: Bring) -> None:
    row = '{"prediction_id": "a", "model_name": "atlas-2", "predicted_at": "2026-11-16T00:00:00Z"}\n'
    other = row.replace('"a"', '"b"').replace("}", ', "at": "2026-11-17T00:00:00Z"}')
    report = bring(row + other, name="rows.jsonl", filling={"evaluated_at": "at"})
    assert counts(report) == {"new": 2}
    assert "there is no column at in some rows" in report.notes


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"mapping": {"x": "no_such"}}, "cannot set no_such"),
        ({"filling": {"no_such": "x"}}, "cannot set no_such"),
        ({"mapping": {"final_score": "model_name", "evaluated_at": "model_name"}}, "Two columns"),
    ],
)
def test_wrong_mapping_is_refused(bring: Bring, options: dict[str, Any], told: str) -> None:
    with pytest.raises(Refused, match=told) as refused:
        bring(HEADER + A, **options)
    assert refused.value.status == 2


def test_dry_run_writes_nothing(engine: Engine, bring: Bring) -> None:
    bring(HEADER + A + B)
    before, version = everything(engine), data_version(engine)
    report = bring(HEADER + A + B.replace("60.5", "61") + C, dry_run=True)
    assert counts(report) == {"new": 1, "updated": 1, "unchanged": 1}
    assert "new models: borealis-7b" in report.notes
    assert report.summary().startswith("dry run")
    assert (everything(engine), data_version(engine)) == (before, version)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Model)) == 1


def test_dry_run_of_json_lines(bring: Bring) -> None:
    line = '{"prediction_id": "a", "model_name": "atlas-2", "predicted_at": "2026-11-16T00:00:00Z"}\n'
    assert counts(bring(line, "rows.jsonl", dry_run=True)) == {"new": 1}


def test_strict_writes_nothing_when_a_row_is_rejected(bring: Bring, stored: Stored) -> None:
    report = bring(HEADER + A + B.replace("60.5", "600"), strict=True)
    assert (report.new, report.rejected) == (0, 1)
    assert stored() == []
    assert counts(bring(HEADER + A, strict=True)) == {"new": 1}


BAD = [
    ("final_score", "101", "101 is outside 0 to 100"),
    ("final_score", "-1", "-1 is outside 0 to 100"),
    ("final_score", "nan", "“nan” is not a number"),
    ("final_score", "inf", "inf is outside 0 to 100"),
    ("final_score", "1_0", "“1_0” is not a number"),
    ("final_score", "80%", "“80%” is not a number"),
    ("human_rating_overall", "0", "0 is outside 1 to 5"),
    ("target_achieved", "maybe", "“maybe” is neither true nor false"),
    ("predicted_at", "yesterday", "“yesterday” is not a time; write it as 2026-11-15T09:30:00Z"),
    ("predicted_at", "2026-02-30", "“2026-02-30” is not a time; write it as 2026-11-15T09:30:00Z"),
    ("predicted_at", "1969-12-31", "1969-12-31 is not between 1970 and tomorrow"),
    ("predicted_at", "2026-11-22T00:00:00Z", "2026-11-22T00:00:00Z is not between 1970 and tomorrow"),
    ("predicted_at", "", "predicted_at is missing"),
    ("model_name", "", "model_name is missing"),
    ("model_name", "x" * 201, "“" + "x" * 59 + "…” has more than 200 characters"),
    ("model_name", "a\x01b", "“a\\x01b” holds a character that cannot be seen"),
    ("prediction_id", "p" * 501, "“" + "p" * 59 + "…” has more than 500 characters"),
]


@pytest.mark.parametrize(("column", "cell", "reason"), BAD)
def test_bad_value_is_told_with_line_and_reason(
    sqlite_engine: Engine, zone: ZoneInfo, now: datetime, tmp_path: Path, column: str, cell: str, reason: str
) -> None:
    good = {"prediction_id": "a", "model_name": "atlas-2", "predicted_at": "2026-11-16", column: "1"}
    if column in ("model_name", "prediction_id", "predicted_at"):
        good[column] = {"predicted_at": "2026-11-16"}.get(column, "x")
    path = tmp_path / "rows.csv"
    with path.open("w", newline="") as stream:
        rows = csv.DictWriter(stream, list(good))
        rows.writeheader()
        rows.writerows([good, good | {column: cell}, good | {"prediction_id": "b"}])
    report = import_file(sqlite_engine, "model_evaluations", path, zone=zone, now=now)
    assert reasons(report) == [(3, column, reason)]
    assert counts(report)["rejected"] == 1


def test_time_that_the_clocks_skip(sqlite_engine: Engine, now: datetime, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("model_name,predicted_at\natlas-2,2026-03-29 02:30\natlas-2,2026-10-25 02:30\n")
    report = import_file(
        sqlite_engine, "model_evaluations", path, zone=ZoneInfo("Europe/Berlin"), now=now, dry_run=True
    )
    assert reasons(report) == [
        (2, "predicted_at", "2026-03-29 02:30 does not exist in Europe/Berlin: the clocks skip it")
    ]


def test_ragged_rows_and_blank_lines(bring: Bring) -> None:
    report = bring(HEADER + A + "\n" + "b,atlas-2\n" + C[:-1] + ",surplus\n" + C)
    assert reasons(report) == [
        (4, "", "2 cells, the header has 6"),
        (5, "", "7 cells, the header has 6"),
    ]
    assert counts(report) == {"new": 2, "rejected": 2}


def test_quoted_line_break_counts_as_the_lines_that_it_spans(bring: Bring) -> None:
    header = HEADER.rstrip("\n") + ",remark\n"
    report = bring(header + 'a,atlas-2,2026-11-16,,,,"two\nlines"\n' + "c,atlas-2,never,,,,\n")
    assert [row.line for row in report.rejects] == [4]
    assert counts(report) == {"new": 1, "rejected": 1}


def test_rejects_file_can_be_mended_and_imported(bring: Bring, stored: Stored, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    bring(HEADER + A + B.replace("60.5", "605") + C.replace("2026-11-17", "2026-13-17"), rejects=rejects)
    kept = rejects.read_text()
    assert [line.split(",")[-2] for line in kept.splitlines()] == ["_line", "3", "4"]
    mended = kept.replace("605", "60.5", 1).replace("2026-13-17", "2026-11-17", 1)
    report = bring(mended)
    assert counts(report) == {"new": 2}
    assert "final_score: 605 is outside 0 to 100" in kept
    assert not [note for note in report.notes if "not known" in note]
    assert [row["final_score"] for row in stored()] == [70.0, 60.5, None]


def test_two_imports_of_the_same_rows_in_opposite_order(bring: Bring, stored: Stored) -> None:
    lines = [f"p{k},atlas-2,2026-11-16T09:00:00Z,{k % 100}\n" for k in range(3_000)]
    header = "prediction_id,model_name,predicted_at,final_score\n"
    bring(header + "".join(lines))
    for turn in range(3):
        texts = [line.replace(",atlas", f"-{turn},atlas") for line in lines]
        with ThreadPoolExecutor(2) as both:
            files = [header + "".join(texts), header + "".join(reversed(texts))]
            one, other = both.map(bring, files, ["one.csv", "other.csv"])
        assert one.new + other.new + one.unchanged + other.unchanged == 6_000
        assert one.new + other.new == 3_000
    assert len(stored()) == 12_000


def test_key_of_the_longest_names_that_are_allowed(bring: Bring, stored: Stored) -> None:
    """2,800 bytes, of characters that PostgreSQL does not compress away; and one such key twice."""
    wide = "".join(chr(0x20000 + k) for k in range(700))
    line = f"{wide[:500]},{wide[500:]},2026-11-16T09:00:00Z,70\n"
    header = "prediction_id,model_name,predicted_at,final_score\n"
    assert counts(bring(header + line)) == {"new": 1}
    assert counts(bring(header + line + line.replace(",70", ",71"))) == {"updated": 1, "repeated": 1}
    assert [row["final_score"] for row in stored()] == [71]


def test_rejects_of_json_lines_keep_every_column(bring: Bring, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    lines = (
        "not json\n"
        '{"model_name": "m", "predicted_at": "2026-11-16", "final_score": 500}\n'
        '{"model_name": "m", "predicted_at": "2026-11-16", "timing_score": 600}\n'
    )
    assert counts(bring(lines, "rows.jsonl", rejects=rejects)) == {"rejected": 3}
    with rejects.open(newline="") as stream:
        kept = list(csv.DictReader(stream))
    assert [(row["_line"], row["final_score"], row["timing_score"]) for row in kept] == [
        ("1", "", ""),
        ("2", "500", ""),
        ("3", "", "600"),
    ]


def test_rejects_file_that_cannot_be_written(bring: Bring, stored: Stored, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be written"):
        bring(HEADER + A + B.replace("60.5", "605"), rejects=tmp_path / "nowhere" / "rejects.csv")
    assert stored() == []


def test_rows_without_key_are_all_kept_and_recognised_again(bring: Bring, stored: Stored) -> None:
    row = "atlas-2,2026-11-16T00:00:00Z,70\n"
    rows = "model_name,predicted_at,final_score\n" + row + row + row.replace("70", "80")
    report = bring(rows)
    assert counts(report) == {"new": 3}
    assert any("prediction_id was missing" in note for note in report.notes)
    assert len({found["prediction_id"] for found in stored()}) == 3
    assert counts(bring(rows)) == {"unchanged": 3}
    assert counts(bring(rows + row)) == {"new": 1, "unchanged": 3}


def test_derived_key_does_not_hang_on_how_a_value_is_written(bring: Bring) -> None:
    bring("model_name,predicted_at,final_score,target_achieved\natlas-2,2026-11-16T00:00:00Z,70,yes\n")
    other = "target_hit,final_score,model,predicted_at\ntrue,70.0,atlas-2,2026-11-16T09:00:00+09:00\n"
    assert counts(bring(other)) == {"unchanged": 1}


def test_derived_key_does_not_hang_on_the_time_zone(
    sqlite_engine: Engine, zone: ZoneInfo, now: datetime, tmp_path: Path
) -> None:
    path, berlin = tmp_path / "rows.csv", ZoneInfo("Europe/Berlin")
    path.write_text("model_name,predicted_at\natlas-2,2026-11-16T22:00:00Z\n")
    import_file(sqlite_engine, "model_evaluations", path, zone=zone, now=now)
    change_timezone(sqlite_engine, berlin)
    report = import_file(sqlite_engine, "model_evaluations", path, zone=berlin, now=now)
    assert counts(report) == {"unchanged": 1}


def test_repeated_key_later_row_wins(bring: Bring, stored: Stored) -> None:
    report = bring(HEADER + A + B + A.replace(",70,", ",75,"))
    assert counts(report) == {"new": 2, "repeated": 1}
    assert "lines 2 and 4 have the same key (atlas-2, a) and differ: line 4 counts" in report.notes
    assert stored()[0]["final_score"] == 75.0


def test_equal_rows_count_once(bring: Bring) -> None:
    report = bring(HEADER + A + A)
    assert counts(report) == {"new": 1, "repeated": 1}
    assert not any("differ" in note for note in report.notes)


def test_json_lines(bring: Bring, stored: Stored) -> None:
    lines = (
        '{"prediction_id": "a", "model_name": "atlas-2", "predicted_at": "2026-11-16T00:00:00Z", '
        '"final_score": 70, "target_achieved": true}\n\n'
        '{"prediction_id": "b", "model_name": "atlas-2", "predicted_at": 1763251200, "final_score": null}\n'
        '["no", "object"]\n'
        '{"prediction_id": "c"\n'
    )
    report = bring(lines, "rows.jsonl")
    assert reasons(report) == [(4, "", "not a JSON object"), (5, "", "not a JSON object")]
    assert counts(report) == {"new": 2, "rejected": 2}
    assert [row["final_score"] for row in stored()] == [70.0, None]
    assert stored()[0]["target_achieved"] is True


def test_compressed_file(engine: Engine, zone: ZoneInfo, now: datetime, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress((HEADER + A + B).encode()))
    assert counts(import_file(engine, "model_evaluations", path, zone=zone, now=now)) == {"new": 2}
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(Refused, match="damaged"):
        import_file(engine, "model_evaluations", path, zone=zone, now=now)


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"", "rows.csv", "is empty"),
        (b"\xff\xfea\x00", "rows.csv", "not UTF-8"),
        (b"plain", "rows.csv.gz", "damaged"),
        (b"a,b\n", "rows.xlsx", "ending must be one of"),
        (b"a,A\n1,2\n", "rows.csv", "Two columns"),
        (b"a,a\n1,2\n", "rows.csv", "names a twice"),
    ],
)
def test_file_that_is_not_what_its_ending_says(
    sqlite_engine: Engine, zone: ZoneInfo, now: datetime, tmp_path: Path, content: bytes, name: str, told: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Refused, match=told):
        import_file(sqlite_engine, "model_evaluations", path, zone=zone, now=now)


def test_header_alone_is_no_row(bring: Bring) -> None:
    assert counts(bring(HEADER)) == {}


def test_unknown_table(engine: Engine, zone: ZoneInfo, now: datetime, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="model_evaluations") as refused:
        import_file(engine, "job_runs", tmp_path / "rows.csv", zone=zone, now=now)
    assert refused.value.status == 2


def test_large_import_goes_in_steps(bring: Bring, stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing_files, "ONE_TRANSACTION", 7)
    rows = HEADER + "".join(A.replace("a,", f"a{i},", 1) for i in range(30))
    assert counts(bring(rows)) == {"new": 30}
    assert counts(bring(rows.replace(",70,", ",71,"))) == {"updated": 30}
    assert len(stored()) == 30


def test_real_rows_replace_the_demo(demo: Engine, bring: Bring, stored: Stored) -> None:
    assert not bring(HEADER + A, dry_run=True).removed_demo
    assert not bring(HEADER + A.replace("70", "700")).removed_demo  # no good row, no change
    report = bring(HEADER + A)
    assert report.removed_demo
    assert [row["prediction_id"] for row in stored()] == ["a"]
    with demo.connect() as connection:
        assert not holds_demo(connection)
        assert list(connection.scalars(select(Model.name))) == ["atlas-2"]


SHARED = {
    "B_model_evaluations__aider_edit_leaderboard.csv": ({"predicted_at": "evaluated_at"}, 98),
    "B_model_evaluations__convai2_final_2018_human.csv": ({}, 593),
    "B_model_evaluations__flusight_2023_2025.csv.gz": ({}, 35_202),
}


@pytest.mark.parametrize("name", SHARED)
def test_real_files(
    engine: Engine, zone: ZoneInfo, now: datetime, stored: Stored, shared_data: Path, name: str
) -> None:
    filling, rows = SHARED[name]

    def bring_it() -> Report:
        path = shared_data / name
        return import_file(engine, "model_evaluations", path, zone=zone, now=now, filling=filling)

    first = bring_it()
    assert first.rejected == 0
    assert first.read == first.new + first.repeated == rows
    assert counts(bring_it())["unchanged"] == first.new
    assert check(engine, zone).wrong == []
    assert scores(stored()) == scores(read(shared_data / name))


def read(path: Path) -> list[dict[str, Any]]:
    """The last row of each key, by the csv module alone."""
    packed = path.suffix == ".gz"
    text = gzip.decompress(path.read_bytes()).decode() if packed else path.read_text()
    rows = {(row["model_name"], row["prediction_id"]): row for row in csv.DictReader(text.splitlines())}
    return [rows[key] for key in sorted(rows)]


def scores(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    names = ("final_score", "risk_management_score", "human_rating_overall")
    numbers = [[float(row[n]) if row[n] not in ("", None) else None for n in names] for row in rows]
    return [(row["prediction_id"], *found) for row, found in zip(rows, numbers, strict=True)]
