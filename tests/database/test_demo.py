"""The simulated year: always the same, plausible, and gone without a trace."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, delete, func, select
from test_aggregate_models import Here

import settings
from db.check import check
from db.clock import business_day, week_start
from db.demo.answers import simulated_answers
from db.demo.holding import FROM_AGENTS, FROM_CODES, SOURCES, holds_demo, remove_demo
from db.demo.simulation import fill_demo, simulated
from db.demo.story import MODELS
from db.engine import writing
from db.errors import Refused
from db.importing import Report
from db.tables.agents import AgentAssignment
from db.tables.forecasts import DailyForecast, EnsembleWeight, EnsembleWeightHistory, ModelPerformance
from db.tables.models import RATINGS, SCORES, DailyModelPerformance, Model, ModelEvaluation
from db.tables.operations import StaleMark, Verdict
from db.tables.quality import DailyAiQuality, WeeklyAiQuality
from jobs.adjusting import adjust
from jobs.match_outcomes import MatchOutcomesParameters, match_outcomes
from jobs.weighing import planned
from tests.filled import aggregate

REAL = "prediction_id,model_name,predicted_at\nmine,atlas-2,2026-11-16T00:00:00Z\n"


@pytest.fixture(scope="session")
def year() -> pd.DataFrame:
    """What a demo made on Friday, 20 November 2026 is cut from."""
    frame = pd.DataFrame(simulated(ZoneInfo("Asia/Seoul"), date(2026, 11, 20)))
    frame["week"] = [week_start(day) for day in frame["day"]]
    return frame


def weekly(year: pd.DataFrame, model: str, column: str = "final_score") -> "pd.Series[Any]":
    return year[year["model"] == model].groupby("week")[column].mean()


def test_demo_is_stored_and_sound_and_the_same_when_filled_again(
    demo: Engine, zone: ZoneInfo, now: datetime, stored: Callable[[], list[dict[str, Any]]]
) -> None:
    before = stored()
    number = fill_demo(demo, zone, now)
    assert stored() == before
    assert 85_000 < number < 100_000
    assert check(demo, zone).wrong == []
    with demo.connect() as connection:
        assert holds_demo(connection)
        counts = [connection.scalar(select(func.count()).select_from(table)) for table in SOURCES]
        assert sum(counts) == number and sorted(counts)[1] > 1_200 and min(counts) == 5, "swaps are few"
        first, last = connection.execute(
            select(func.min(ModelEvaluation.day), func.max(ModelEvaluation.day))
        ).one()
        assert (first, last) == (date(2025, 11, 20), date(2026, 11, 20))
        for column in ("predicted_at", "evaluated_at", "human_evaluated_at", "updated_at"):
            assert connection.scalar(select(func.max(getattr(ModelEvaluation, column)))) <= now
        assert connection.scalar(select(func.count(StaleMark.day.distinct()))) > 350


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_later_the_same_day_only_adds(demo: Engine, zone: ZoneInfo, now: datetime) -> None:
    def rows() -> dict[str, Any]:
        with demo.connect() as connection:
            found = connection.execute(
                select(
                    ModelEvaluation.prediction_id,
                    ModelEvaluation.predicted_at,
                    ModelEvaluation.final_score,
                    ModelEvaluation.model_id,
                )
            )
            return {(row[3], row[0]): tuple(row) for row in found}

    morning = rows()
    fill_demo(demo, zone, now + timedelta(hours=8))
    evening = rows()
    assert len(evening) > len(morning)
    assert all(evening[key][:2] == row[:2] for key, row in morning.items())
    assert all(evening[key] == row for key, row in morning.items() if row[2] is not None)


def test_real_evaluations_keep_the_demo_out(
    engine: Engine, zone: ZoneInfo, now: datetime, bring: Callable[..., Report]
) -> None:
    bring(REAL)
    with pytest.raises(Refused, match="DATABASE_URL"):
        fill_demo(engine, zone, now)


def test_removing_leaves_nothing(demo: Engine) -> None:
    assert aggregate(demo) == "succeeded"
    with writing(demo) as connection:
        assert connection.scalar(select(func.count()).select_from(Verdict)) > 0
        assert remove_demo(connection)
        assert not remove_demo(connection)
        gone = (*SOURCES, Model, DailyModelPerformance, DailyAiQuality, WeeklyAiQuality, Verdict, StaleMark)
        gone += (DailyForecast, *FROM_CODES, *FROM_AGENTS, AgentAssignment)
        for table in gone:
            assert connection.scalar(select(func.count()).select_from(table)) == 0


def test_the_jobs_find_what_the_demo_says_came_true(demo: Engine, now: datetime) -> None:
    """Its outcomes are what match_outcomes makes of its prices, its weights what the ledger ends with."""
    found = match_outcomes(demo, MatchOutcomesParameters(everything=True, dry_run=True), Here(now))
    assert found.rows_read > 10_000
    assert {found.result[name] for name in ("added", "changed", "removed")} == {0}
    w, h = EnsembleWeight, EnsembleWeightHistory
    newest = select(func.max(h.run_id)).scalar_subquery()
    same = (w.code == h.code) & (w.horizon == h.horizon) & (w.model == h.model) & (w.weight == h.after)
    with demo.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(w)) == 30
        assert (
            connection.scalar(select(func.count()).select_from(w).join(h, same & (h.run_id == newest))) == 30
        )


def test_the_weights_of_the_demo_are_what_the_job_decides(demo: Engine, now: datetime) -> None:
    h = EnsembleWeightHistory
    with demo.connect() as connection:
        newest = connection.scalar(select(func.max(h.as_of)))
        rows = connection.execute(select(h.code, h.horizon, h.model, h.after).where(h.as_of == newest)).all()
        decided = planned(connection, settings.load(), newest)
    found = {(row.code, row.horizon, row.model): row.after for row in decided.itertuples()}
    assert found == pytest.approx({tuple(row[:3]): row[3] for row in rows})
    held = performance(demo)
    assert len(held) == 45 * 5
    with writing(demo) as connection:
        connection.execute(delete(ModelPerformance))
    adjust(demo, settings.load(), newest, False, Here(now, id=1_000_000))
    assert performance(demo) == pytest.approx(held)


def performance(engine: Engine) -> dict[tuple[Any, ...], float]:
    p = ModelPerformance
    figures = (p.hit_rate, p.hit_count, p.direction_count, p.mae, p.sample_count)
    with engine.connect() as connection:
        rows = connection.execute(select(p.code, p.model, p.horizon, p.as_of, *figures)).all()
    return {(*row[:4], k): value for row in rows for k, value in enumerate(row[4:])}


def test_removing_leaves_rows_that_were_imported_beside_it(
    demo: Engine, bring: Callable[..., Report], stored: Callable[[], list[Any]]
) -> None:
    assert not bring(REAL.replace("mine", "demo-1"), keep_demo=True).removed_demo
    with writing(demo) as connection:
        remove_demo(connection)
        assert list(connection.scalars(select(Model.name))) == ["atlas-2"]
        assert connection.scalar(select(func.count()).select_from(StaleMark)) > 0
    assert [row["prediction_id"] for row in stored()] == ["demo-1"]


def test_scores_stay_in_range_without_piling_up(year: pd.DataFrame) -> None:
    for score in SCORES:
        values = year[score].dropna()
        assert values.between(1, 99.5).all()
        assert values.round(2).value_counts(normalize=True).max() < 0.003
    for rating in RATINGS:
        assert set(year[rating].dropna()) == {1.0, 2.0, 3.0, 4.0, 5.0}


def test_order_of_events(year: pd.DataFrame) -> None:
    evaluated, rated = year["evaluated_at"].notna(), year["human_evaluated_at"].notna()
    assert (year[evaluated]["evaluated_at"] > year[evaluated]["predicted_at"]).all()
    assert (year[rated]["human_evaluated_at"] > year[rated]["evaluated_at"]).all()
    assert year[~evaluated][[*SCORES, *RATINGS]].isna().all(axis=None)
    assert not year.duplicated(["model", "prediction_id"]).any()
    assert 0.02 < 1 - evaluated.mean() < 0.06


def test_every_model_has_the_weeks_that_it_should(year: pd.DataFrame) -> None:
    full = [week for week in year["week"].unique() if date(2025, 11, 24) <= week < date(2026, 11, 16)]
    counts = year[year["week"].isin(full)].groupby(["model", "week"]).size()
    typical = counts.groupby("model").median()
    assert typical.drop(["ember-3", "gale-1"]).between(40, 120).all()
    assert typical["ember-3"] < 15
    assert set(counts.index.get_level_values("model")) == {model.name for model in MODELS}
    silent = [week for week in full if ("atlas-2", week) not in counts.index]
    assert len(silent) == 2
    assert silent[1] - silent[0] == timedelta(weeks=1)


def test_the_story(year: pd.DataFrame) -> None:
    weeks = sorted(year["week"].unique())
    last, before = weeks[-2], weeks[-3]  # of the finished ones
    cirrus = weekly(year, "cirrus-l")
    assert 5 < cirrus[weeks[-12] :].mean() - cirrus[: weeks[-13]].mean() < 8
    harbor = weekly(year, "harbor-mini")
    assert -8.5 < harbor[last] - harbor[before] < -4
    assert abs(standing(year, "harbor-mini", last, before)) > 4
    assert 0 < standing(year, "gale-1", last, before) < 2.5


def standing(year: pd.DataFrame, model: str, week: date, before: date) -> float:
    """The change of the weekly mean in standard errors."""
    own = year[(year["model"] == model)]
    now, then = (own[own["week"] == w]["final_score"].dropna() for w in (week, before))
    return float((now.mean() - then.mean()) / np.hypot(now.sem(), then.sem()))


@pytest.mark.parametrize("today", [date(2026, 1, 1), date(2026, 3, 30), date(2027, 7, 4), date(2028, 2, 29)])
def test_the_story_holds_on_other_days(today: date) -> None:
    frame = pd.DataFrame(simulated(ZoneInfo("America/New_York"), today))
    frame["week"] = [week_start(day) for day in frame["day"]]
    test_the_story(frame)
    assert 20_000 < len(frame) < 30_000


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_last_days_of_the_late_feed_wait(demo: Engine, zone: ZoneInfo, now: datetime) -> None:
    since = business_day(now, zone) - timedelta(days=4)
    shares = (
        select(Model.name, func.count(ModelEvaluation.evaluated_at), func.count())
        .join(ModelEvaluation)
        .where(ModelEvaluation.day >= since)
        .group_by(Model.name)
    )
    with demo.connect() as connection:
        share = {name: evaluated / n for name, evaluated, n in connection.execute(shares)}
    assert share["delta-q4"] < 0.1
    assert share["cirrus-l"] > 0.6


@pytest.mark.parametrize("today", [date(2026, 1, 1), date(2026, 11, 20), date(2027, 7, 4)])
def test_the_story_of_the_answers(today: date, zone: ZoneInfo) -> None:
    now = datetime.combine(today, time(12), tzinfo=zone)
    rows = list(simulated_answers(zone, now, 365))
    assert rows == list(simulated_answers(zone, now, 365)), "the same rows each time"
    frame = pd.DataFrame([row for table, row in rows if table == "conversation_evaluation"])
    assert not frame.duplicated(["conversation_id", "model", "evaluator", "created_at"]).any()
    assert frame["score"].between(0, 10).all() and set(frame["evaluator"]) == {"judge", "reviewer"}
    frame["week"] = [week_start(at.astimezone(zone).date()) for at in frame["created_at"]]
    weeks = sorted(frame["week"].unique())
    last, before = weeks[-2], weeks[-3]
    means = frame.groupby("week")["score"].mean()
    assert 0.5 < means[last] - means[before] < 1.1
    likes = [row for table, row in rows if table == "feedback_log"]
    share = len(likes) / frame["conversation_id"].nunique()
    assert 0.35 < share < 0.45 and {row["feedback"] for row in likes} == {"like", "dislike"}
