"""The coverage calendar's chart and the order of its rows, and the rule of its states."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dashboard import picked
from dashboard.coverage import LATELY, LONGEST, shown_days, worst_first
from dashboard.period import Period
from jobs.formulas.coverage import LEAD, STATES, day_states, expected
from reports.charts import days as chart
from reports.charts.days import GLYPHS, ON_A_PHONE, days
from reports.charts.look import Look

MONDAY = date(2026, 11, 16)
SPAN = (MONDAY - timedelta(days=41), MONDAY)


def drawn(states: dict[tuple[str, date], str], models: list[str], **more: Any) -> dict[str, Any]:
    rows = [{"subject": subject, "day": day, "state": state} for (subject, day), state in states.items()]
    frame = pd.DataFrame(rows, columns=["subject", "day", "state"]).assign(told="3 of 3 evaluated")
    look = Look(more.pop("dark", False), highlighted=models, grain="day", span=SPAN)
    return days(frame, look, **more).to_dict()


def values(spec: dict[str, Any], layer: int) -> list[dict[str, Any]]:
    data = spec["layer"][layer]["data"]
    found: list[dict[str, Any]] = data.get("values") or spec["datasets"][data["name"]]
    return found


ONE_OF_EACH = {("atlas", MONDAY - timedelta(days=k)): state for k, state in enumerate(chart.STATES)}


def test_every_day_of_every_model_has_one_cell() -> None:
    spec = drawn(ONE_OF_EACH, ["atlas", "borealis"])
    cells = [(row["subject"], row["period"]) for row in values(spec, -1)]
    assert len(cells) == len(set(cells)) == 2 * 42
    assert spec["layer"][0]["encoding"]["y"]["sort"] == ["atlas", "borealis"]


@pytest.mark.parametrize("dark", [False, True])
def test_no_state_is_told_by_colour_alone(dark: bool) -> None:
    """Pale; pale with a dash; hollow with a cross; dark with an arrow."""
    spec = drawn(ONE_OF_EACH, ["atlas"], dark=dark)
    _ground, complete, partial, missing, restated, dash = (layer["mark"] for layer in spec["layer"][:6])
    assert complete["opacity"] == partial["opacity"] < 0.5 and "opacity" not in restated
    assert missing["fillOpacity"] < 0.1 and missing["stroke"] == missing["color"]
    assert dash["height"] < chart.ROW / 2 and dash["color"] == partial["color"]
    glyphs = {row["state"]: row["glyph"] for layer in (6, 7) for row in values(spec, layer)}
    assert glyphs == GLYPHS


def test_a_phone_gets_the_last_days() -> None:
    recent = [row["period"] for row in values(drawn({}, ["atlas"]), -1) if "recent" in row]
    assert len(recent) == ON_A_PHONE and max(recent) == MONDAY.isoformat()


def test_a_phone_is_told_of_the_days_left_out() -> None:
    spec = drawn({}, ["atlas"])
    (note,) = values(spec, -2)
    assert note == {"left_out": "the last 28 of 42 days; all of them in the table"}
    assert spec["layer"][-2]["mark"]["fontSize"]["expr"].endswith("? 12 : 0"), "on a phone only"


def test_a_click_and_a_drag_have_names() -> None:
    spec = drawn(ONE_OF_EACH, ["atlas"], selection=("point", "range"))
    assert [param["name"] for param in spec["params"]] == ["point", "range"]


def test_what_was_chosen() -> None:
    point = {"point": [{"subject": "atlas", "period": "2026-11-16"}]}
    assert picked.cells({"selection": point}) == (["atlas"], MONDAY, MONDAY)
    dragged = {"range": {"period": ["2026-11-16", "2026-11-10"], "subject": ["atlas", "gale"]}}
    chosen = (["atlas", "gale"], MONDAY - timedelta(days=6), MONDAY)
    assert picked.cells({"selection": dragged | point}) == chosen
    assert picked.cells({"selection": {"point": [], "range": {}}}) is None


def test_the_worst_models_come_first() -> None:
    states = {
        "a": ["complete"],
        "b": ["restated"],
        "c": ["partial", "partial"],
        "d": ["missing"],
        "e": ["complete"],
    }
    rows = [{"subject": subject, "state": state} for subject, found in states.items() for state in found]
    assert worst_first(pd.DataFrame(rows)) == ["d", "c", "b", "a", "e"]


def test_the_days_shown() -> None:
    period = Period(MONDAY - timedelta(days=20), MONDAY, "day")
    assert shown_days(period, MONDAY, MONDAY).span == period.span
    soon, late = MONDAY + timedelta(days=LATELY), MONDAY + timedelta(days=LATELY + 1)
    assert shown_days(period, MONDAY, soon).last == soon, "where data ended lately, days are missing since"
    assert shown_days(period, MONDAY, late).last == MONDAY, "an old import"
    assert shown_days(period, soon, soon).last == MONDAY, "a period that ends before the data do"
    year = shown_days(Period(MONDAY - timedelta(days=364), MONDAY, "week"), MONDAY, MONDAY)
    assert (year.last - year.first).days + 1 == LONGEST


def test_six_of_the_last_eight_weeks() -> None:
    rows = np.zeros((1, LEAD + 1), dtype=bool)
    rows[0, [LEAD - 7 * k for k in (1, 2, 3, 5, 8)]] = True
    assert expected(rows).tolist() == [[False]]
    rows[0, LEAD - 28] = True
    assert expected(rows).tolist() == [[True]]
    rows[0, LEAD - 14 : LEAD - 7] = rows[0, LEAD - 6 : LEAD] = True  # other weekdays count for nothing
    assert expected(rows).tolist() == [[True]]


@pytest.mark.parametrize(
    ("usual", "whole", "part", "waits", "restated", "today", "state"),
    [
        (True, 0, 0, False, False, False, "missing"),
        (True, 0, 0, False, True, False, "missing"),
        (True, 0, 0, False, False, True, "partial"),
        (False, 0, 0, False, False, True, ""),
        (False, 0, 0, False, False, False, ""),
        (False, 0, 0, True, False, False, "partial"),
        (True, 0, 0, True, False, False, "partial"),
        (False, 3, 2, False, False, False, "partial"),
        (False, 3, 2, False, True, False, "partial"),
        (False, 3, 3, False, False, True, "partial"),
        (False, 3, 3, True, False, False, "partial"),
        (False, 3, 3, False, True, False, "restated"),
        (False, 0, 0, False, True, False, "restated"),
        (True, 3, 3, False, False, False, "complete"),
    ],
)
def test_each_state(
    usual: bool, whole: int, part: int, waits: bool, restated: bool, today: bool, state: str
) -> None:
    total = np.zeros((1, LEAD + 1), dtype=np.int64)
    total[0, :LEAD] = usual
    evaluated, flags, old = total.copy(), total > 9, total > 9
    total[0, -1], evaluated[0, -1], flags[0, -1], old[0, -1] = whole, part, waits, restated
    (found,) = day_states(total, evaluated, flags, old, np.array([today]))[0]
    assert STATES[found] == state
