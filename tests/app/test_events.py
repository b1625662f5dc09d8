"""What happened to the data, on the trends: restated points, and stretches of missing days."""

from datetime import date, timedelta

import pandas as pd
import pytest

from dashboard import events
from dashboard.period import Period
from db.metrics import METRICS

MONDAY = date(2026, 11, 2)
SCORE, RATE = METRICS["final_score"], METRICS["target_achieved_rate"]


@pytest.fixture
def answer(monkeypatch):
    """Lets the database answer with this table."""

    def do(table: pd.DataFrame) -> None:
        monkeypatch.setattr(events, "ask", lambda query, **arguments: table)
        monkeypatch.setattr(events, "ask_now", lambda query, **arguments: 0)
        monkeypatch.setattr(events, "derive", lambda make, **arguments: make(**arguments))

    return do


def days(subject: str, states: str, first: date = MONDAY) -> pd.DataFrame:
    """A row a day, m for missing and c for complete; a space is a day without a row."""
    found = {"m": "missing", "c": "complete"}
    rows = [(subject, first + timedelta(days=k), found[one]) for k, one in enumerate(states) if one in found]
    return pd.DataFrame(rows, columns=["subject", "day", "state"])


def marks(grain: str, *tables: pd.DataFrame) -> list[tuple[date, str]]:
    period = Period(MONDAY, MONDAY + timedelta(days=40), grain)
    table = events.missing(period, ("atlas", "gale"))
    assert set(table["kind"]) <= {"missing"}
    return list(zip(table["period"], table["label"], strict=True))


def test_a_mark_for_each_stretch_of_missing_days(answer):
    answer(pd.concat([days("atlas", "cmm mc m"), days("gale", "mcccc")], ignore_index=True))
    assert marks("day") == [
        (MONDAY, "gale: 1 day missing"),
        (MONDAY + timedelta(days=1), "atlas: 3 days missing"),
        (MONDAY + timedelta(days=7), "atlas: 1 day missing"),
    ]


def test_one_mark_a_week_where_weeks_are_shown(answer):
    answer(days("atlas", "cmcmc  cmmmmmmm"))
    assert marks("week") == [
        (MONDAY, "atlas: 2 days missing"),
        (MONDAY + timedelta(days=7), "atlas: 7 days missing"),
    ]


def test_the_longest_stretches_only(answer):
    answer(days("atlas", "mc" * 20 + "mm"))
    found = marks("day")
    assert len(found) == events.MOST and found[-1][1] == "atlas: 2 days missing"


@pytest.mark.parametrize("grain", ["day", "week"])
def test_nothing_missing(answer, grain):
    answer(days("atlas", "ccc"))
    assert marks(grain) == []


@pytest.mark.parametrize(
    ("grain", "metric", "told"),
    [
        ("day", SCORE, "71.2 before"),
        ("week", SCORE, "2 days, 4 Nov 2026: 71.2 → 69.8"),
        ("week", RATE, "2 days, 4 Nov 2026: 71.2% → 69.8%"),
    ],
)
def test_a_restated_point_says_what_it_was(answer, grain, metric, told):
    old = {"subject": "atlas", "period": MONDAY, "days": 2, "day": MONDAY + timedelta(days=2)}
    answer(pd.DataFrame([old | {"old": 71.2, "new": 69.8}]))
    frame = pd.DataFrame({"subject": ["atlas", "gale"], "period": MONDAY, "value": [69.8, 50.0]})
    marked = events.with_restated(frame, metric, Period(MONDAY, MONDAY, grain))
    assert marked["restated"].tolist()[0] == told
    assert marked["restated"].isna().tolist() == [False, True]


def test_without_restatements_the_rows_are_as_they_were(answer):
    answer(pd.DataFrame())
    frame = pd.DataFrame({"subject": ["atlas"], "period": MONDAY})
    assert events.with_restated(frame, SCORE, Period(MONDAY, MONDAY, "day")) is frame
