"""Words of the database on the page: every one is known, and every metric's rows have columns in words."""

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import columns, runs, wording
from dashboard.beside import as_csv
from dashboard.period import Period
from db.metrics import METRICS
from db.queries import models
from db.tables.operations import RUN_STATUSES, TRIGGERS
from reports.charts.coverage import coverage
from reports.charts.look import Look
from reports.charts.rates import rates
from reports.charts.trend import trend
from reports.wording import brief


def test_every_status_and_trigger_has_a_word_and_every_status_a_colour():
    assert set(wording.STATUSES) == set(runs.STATUS_COLOURS) == set(RUN_STATUSES)
    assert set(wording.TRIGGERS) == set(TRIGGERS)


def test_words_of_the_database_are_translated_where_they_are_shown(quoting):
    assert wording.said("succeeded", wording.STATUSES) == "«succeeded»"
    assert wording.said("something new", wording.STATUSES) == "«something new»"
    assert runs.badge("failed") == ":red-badge[«failed»]"
    assert runs.badge("succeeded") == ":green-badge[«succeeded»]"


@pytest.mark.parametrize("name", ["R&amp;D", "&lt;b&gt;", "*a*", "[x](y)"])
def test_names_are_shown_as_they_are(name):
    assert "\\" in wording.plain(name)
    assert "&amp;" not in wording.plain(name).replace("\\&", "")


@pytest.mark.parametrize("name", ["مرحبا النموذج", "\N{RIGHT-TO-LEFT OVERRIDE}evil", "מודל"])
def test_a_name_from_right_to_left_stays_apart_from_what_stands_beside_it(name):
    told = wording.plain(name)
    assert told.startswith("\N{FIRST STRONG ISOLATE}") and told.endswith("\N{POP DIRECTIONAL ISOLATE}")
    assert wording.plain("atlas 模型") == "atlas 模型", "others need no marks"


def test_a_figure_has_one_name_wherever_it_stands():
    label = METRICS["support_breach_rate"].label
    assert columns.EVALUATION["support_breached"].label == label
    assert columns.of_daily("support_breached_count") == f"{label}, count"
    assert columns.of_daily("avg_final_score") == "Score" and columns.of_daily("other") == "other"


def test_changes_stand_under_a_true_minus():
    shown = columns.with_minus(pd.DataFrame({"change": [-6.63, 2.0, None]}), ["change", "low"])
    assert [cell["display_value"] for (cell,) in map(cells, shown._translate(True, True)["body"])] == [
        "−6.6",
        "+2.0",
        "–",
    ]


def cells(row):
    return [cell for cell in row if cell["type"] == "td"]


def test_a_long_name_keeps_both_ends():
    assert brief("harbor-mini", 24) == "harbor-mini" and wording.longer("harbor-mini", 24) is None
    assert brief("a" * 100 + "-v2", 24) == "a" * 15 + "…" + "aaaaa-v2"
    assert wording.longer("a" * 100, 24) == "a" * 100


def test_lines_in_cells_keep_off_the_borders():
    for cells in ([[71.2]], [[50.0, 50.0]], [[40.0, 60.0]], []):
        config = columns.line(pd.Series(cells, dtype=object), "")["type_config"]
        for value in (value for cell in cells for value in cell):
            assert config["y_min"] < value < config["y_max"]


def test_a_translated_status_keeps_its_colour(quoting):
    column = runs._columns()["status"]["type_config"]
    colours = {option["value"]: option["color"] for option in column["options"]}
    labels = {option["value"]: option["label"] for option in column["options"]}
    assert colours["failed"] == "red" and colours["succeeded"] == "green"
    assert labels["failed"] == "«failed»"


def test_a_run_by_the_schedule_says_so_in_words(quoting):
    now = datetime(2026, 11, 20, 3, tzinfo=UTC)
    at = {"queued_at": now, "started_at": now, "finished_at": pd.NaT}
    row = {"id": 1, "job": "j", "status": "running", "trigger": "schedule", "triggered_by": ""} | at
    row |= {"progress": 0.5, "rows_written": None, "error": None, "message": "half"}
    shown = runs._rows(pd.DataFrame([row]), now + timedelta(seconds=15)).iloc[0]
    assert (shown["by"], shown["took"], shown["status"]) == ("«schedule»", "«15 s»", ["running"])


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
@pytest.mark.parametrize("grain", ["day", "week"])
def test_the_rows_of_every_metric_are_headed_by_words_with_units(metric, grain, quoting):
    named = columns.trend(metric, Period(date(2026, 1, 5), date(2026, 2, 1), grain))
    row = {"subject": "a", "period": date(2026, 1, 5), "n": 5, "part": 2, "value": 50.0, "squares": 1.0}
    rows = models.with_interval(pd.DataFrame([row]), metric).assign(unfinished=False)
    shown = columns.in_words(columns.shown(rows, named), named)
    assert all("«" in name for name in shown.columns)
    assert len(shown.columns) == 8, "nothing that is known is left out"
    unit = "%" if metric.is_rate else f"{metric.low:g}–{metric.high:g}"
    assert shown.columns[2].endswith("$»" if metric.high == float("inf") else f"{unit}»")


def test_csv_has_words_for_headings_and_no_formulas():
    named = {"subject": columns.Column("Model"), "value": columns.Column("Score, 0–100", "figure")}
    told = as_csv(pd.DataFrame({"subject": ["=1+1", "atlas"], "value": [1.5, None]}), named).decode(
        "utf-8-sig"
    )
    assert told.splitlines() == ['Model,"Score, 0–100"', "'=1+1,1.5", "atlas,"]


def test_columns_that_nothing_is_known_of_are_left_out_unless_there_is_nothing_at_all():
    rows = pd.DataFrame({"subject": ["a"], "std": [None], "value": [1.0]})
    named = {name: columns.Column(name) for name in ("value", "std", "subject")}
    assert list(columns.shown(rows, named)) == ["value", "subject"]
    assert list(columns.shown(rows.iloc[:0], named)) == ["value", "std", "subject"]


def test_what_charts_say_is_translated(quoting):
    frame = pd.DataFrame({"subject": "a", "period": [date(2026, 1, 5)], "value": 50.0, "n": 9})
    frame = frame.assign(rate=50.0, low=40.0, high=60.0, part=1, whole=2)
    look = Look(False, ["a"], ["a"])
    charts = trend(frame, look), rates(frame, look), coverage(frame, look)
    for spec in (chart.to_dict() for chart in charts):
        told = [tip for layer in spec["layer"] for tip in layer["encoding"].get("tooltip", [])]
        assert told and all(tip["title"] == "title" or "«" in tip["title"] for tip in told)
    assert "«n = 9»" in str(charts[1].to_dict())
    assert "«1 of 2»" in str(charts[2].to_dict())


def rehearsal() -> None:
    from dashboard import runs

    kinds = {"added": {"n": 1}, "changed": {"n": [1, 2]}, "removed": {"n": 2}}
    changes = [{"date": "2026-01-05", "model": "a", "change": kind, "columns": kinds[kind]} for kind in kinds]
    runs.changes("3 rows", {"changes": changes, "more": 0})


def test_what_a_rehearsal_found_is_in_words(quoting):
    (frame,) = AppTest.from_function(rehearsal).run().dataframe
    assert frame.value["«What»"].tolist() == ["«added»", "«changed»", "«removed»"]
    assert all("«" in name for name in frame.value.columns)
