"""Weights over time and forecasts against what came: what is drawn, from the specification that the browser gets."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.formulas.calibration import calibrated
from reports.charts.calibration import calibration
from reports.charts.heat import heat
from reports.charts.look import Look
from reports.charts.shares import shares

SUNDAY = date(2026, 8, 2)
MEMBERS = ["chronos", "lgbm"]
LOOK = Look(
    dark=False,
    subjects=["ensemble", *MEMBERS],
    highlighted=MEMBERS,
    unit="weight, %",
    span=(SUNDAY, SUNDAY + timedelta(days=30)),
)


def steps(*weights: float, first: date = SUNDAY) -> pd.DataFrame:
    """The first member's weight on one Sunday after the other, the second has the rest."""
    rows = [
        {"subject": name, "period": first + timedelta(weeks=k), "value": value}
        for k, weight in enumerate(weights)
        for name, value in zip(MEMBERS, (weight, 100 - weight), strict=True)
    ]
    return pd.DataFrame(rows)


def rows_of(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return next(rows for rows in spec["datasets"].values() if rows and "share" in rows[0])


def data_of(spec: dict[str, Any], layer: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a layer: its own, or those that it names."""
    data = layer.get("data") or spec["data"]
    return data["values"] if "values" in data else spec["datasets"][data["name"]]


def test_each_share_stands_on_the_one_before_and_all_make_the_whole() -> None:
    rows = rows_of(shares(steps(60, 70, 40), LOOK).to_dict())
    by_day = pd.DataFrame(rows).groupby("period")
    assert (by_day["value"].max() == 100).all() and (by_day["low"].min() == 0).all()
    first = [row for row in rows if row["period"] == "2026-08-02"]
    assert [(row["subject"], row["low"], row["value"], row["share"]) for row in first] == [
        ("chronos", 0, 60, "60%"),
        ("lgbm", 60, 100, "40%"),
    ]


def test_of_several_steps_on_a_day_the_last_one_holds() -> None:
    """As where an adjustment is taken back on its day: the mean of both never was."""
    rows = rows_of(shares(pd.concat([steps(80), steps(60)]), LOOK).to_dict())
    assert {row["share"] for row in rows if row["subject"] == "chronos"} == {"60%"}


def test_a_share_holds_to_the_end_of_the_time_shown() -> None:
    rows = rows_of(shares(steps(60, 70), LOOK).to_dict())
    assert {row["period"] for row in rows if row["end"]} == {"2026-09-01"}
    assert [row["share"] for row in rows if row["end"]] == ["70%", "30%"]


def test_what_held_before_the_time_shown_is_where_it_begins() -> None:
    rows = rows_of(shares(steps(20, 30, 80, first=SUNDAY - timedelta(weeks=2)), LOOK).to_dict())
    assert rows[0]["period"] == "2026-08-02" and rows[0]["share"] == "80%"


def test_both_members_have_their_colour_limits_and_names() -> None:
    spec = shares(steps(60, 70), LOOK, limits=(10, 90)).to_dict()
    names = [layer for layer in spec["layer"] if layer["mark"]["type"] == "text"]
    told = [row["label"] for row in data_of(spec, names[0])]
    assert told == ["chronos 70%", "lgbm 30%"]
    dashed = [layer for layer in spec["layer"] if layer["mark"].get("strokeDash") == [2, 3]]
    assert [row["value"] for row in data_of(spec, dashed[0])] == [10, 90]


def test_events_stand_in_lanes_above_the_whole() -> None:
    events = pd.DataFrame(
        [
            {"period": SUNDAY + timedelta(weeks=1), "kind": "undone", "label": "undone"},
            {"period": SUNDAY + timedelta(weeks=2), "kind": "skipped", "label": ""},
        ]
    )
    spec = shares(steps(60, 70, 65), LOOK, events=events).to_dict()
    glyphs = [
        row
        for layer in spec["layer"]
        if layer["mark"]["type"] == "text" and layer["encoding"]["text"]["field"] == "glyph"
        for row in spec["datasets"][layer["data"]["name"]]
    ]
    assert {row["glyph"] for row in glyphs} == {"↶", "✕"}
    assert all(row["value"] > 100 for row in glyphs)


def test_nothing_decided_yet_says_so() -> None:
    assert "no data in this period" in str(shares(steps(60)[:0], LOOK).to_dict())


def moves(n: int, slope: float, noise: float = 0.0, seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    said = random.normal(size=n)
    return pd.DataFrame(
        {"subject": "lgbm", "said": said, "came": slope * said + noise * random.normal(size=n)}
    )


def test_a_forecast_that_is_right_lies_on_the_diagonal() -> None:
    found = calibrated(moves(200, 1))
    assert len(found) == 10 and found["n"].eq(20).all()
    assert np.allclose(found["said"], found["came"])
    assert found["said"].is_monotonic_increasing


def test_tenths_against_pandas() -> None:
    rows = moves(95, 0.5, 1)
    found = calibrated(rows)
    scale = rows["came"].abs().mean()
    part = (rows["said"].rank(method="first") - 1) * 10 // 95
    wanted = rows.groupby(part)[["said", "came"]].mean() / scale
    assert np.allclose(found[["said", "came"]], wanted)
    assert ((found["low"] < found["came"]) & (found["came"] < found["high"])).all()


def test_few_forecasts_make_few_parts_and_nothing_makes_none() -> None:
    assert len(calibrated(moves(7, 1))) == 2
    assert len(calibrated(moves(2, 1))) == 1 and calibrated(moves(2, 1))["low"].isna().all()
    assert calibrated(moves(5, 0)).empty and calibrated(moves(0, 1)).empty


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), max_size=40))
def test_every_forecast_is_in_one_part(pairs: list[tuple[float, float]]) -> None:
    rows = pd.DataFrame(pairs, columns=["said", "came"], dtype=float).assign(subject="m")
    found = calibrated(rows)
    assert found.empty or found["n"].sum() == len(pairs)


def test_the_diagonal_and_a_name_for_each_model() -> None:
    both = pd.concat([calibrated(moves(90, 1, 1)), calibrated(moves(90, 0, 1)).assign(subject="chronos")])
    look = Look(dark=True, subjects=MEMBERS, highlighted=MEMBERS, unit="mean moves")
    spec = calibration(both, look).to_dict()
    assert any("diagonal" in str(layer.get("transform")) for layer in spec["layer"])
    (names,) = [layer for layer in spec["layer"] if layer["mark"]["type"] == "text"]
    assert {row["subject"] for row in data_of(spec, names)} == set(MEMBERS)
    domain = spec["layer"][0]["encoding"]["x"]["scale"]["domain"]
    assert domain[0] == -domain[1]


@pytest.mark.parametrize("shown", [[], ["nobody"]])
def test_without_forecasts_there_are_axes(shown: list[str]) -> None:
    look = Look(dark=False, subjects=MEMBERS, highlighted=shown)
    assert "no data in this period" in str(calibration(calibrated(moves(50, 1)), look).to_dict())


def test_a_cell_for_each_code_and_horizon_in_the_order_given() -> None:
    rows = [
        {"subject": code, "horizon": horizon, "percent": percent, "told": "n = 12"}
        for code, horizon, percent in (("B", 5, 90.0), ("B", 1, 8.4), ("A", 1, 50.0))
    ]
    spec = heat(pd.DataFrame(rows), Look(dark=False, title="Weights")).to_dict()
    cells, figures = spec["layer"]
    assert cells["encoding"]["y"]["scale"]["domain"] == ["B", "A"]
    assert cells["encoding"]["x"]["scale"]["domain"] == ["1 d", "5 d"]
    assert [row["text"] for row in data_of(spec, figures)] == ["90%", "8%", "50%"]
    assert spec["height"] > 2 * 27
