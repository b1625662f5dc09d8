"""Draws the demo's rows and stores them. The same seed and day give the same rows, at any hour of the day."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, Table, insert, select

from db.clock import business_day, starts_at, to_utc, week_start
from db.demo.adjusting import store_forecasts
from db.demo.answers import simulated_answers
from db.demo.holding import DEMO_ID, holds_real_rows, remove_demo
from db.demo.story import MODELS, DemoModel
from db.demo.swapping import store_agents
from db.engine import writing
from db.errors import Refused
from db.facts import HOLDS_DEMO, state_fact
from db.tables.models import Model, ModelEvaluation
from db.tables.quality import ConversationEvaluation, FeedbackLog
from language import _

SEED = 20_261_115
DAYS = 365
NEVER_EVALUATED = 0.04
BATCH_ROWS = 5_000

Row = dict[str, Any]
Floats = NDArray[np.float64]

evaluations: Table = ModelEvaluation.__table__  # type: ignore[assignment]
ANSWERS: tuple[Table, ...] = (ConversationEvaluation.__table__, FeedbackLog.__table__)  # type: ignore[assignment]


def fill_demo(engine: Engine, zone: ZoneInfo, now: datetime) -> int:
    """Stores a simulated year up to this moment in one transaction; returns how many rows it has.

    A demo that is there already is replaced. Raises Refused where the database holds evaluations of its own.
    """
    with writing(engine) as connection:
        _refuse_real_data(connection)
        remove_demo(connection)
        ids = _add_models(connection, starts_at(business_day(now, zone) - timedelta(days=DAYS), zone))
        written = 0
        for rows in _batches(zone, now, ids):
            connection.execute(insert(evaluations), rows)
            written += len(rows)
        written += _store_answers(connection, zone, now)
        written += store_forecasts(connection, zone, now, DAYS)
        written += store_agents(connection, zone, now, DAYS)
        state_fact(connection, HOLDS_DEMO, now.isoformat())
    return written


def _store_answers(connection: Connection, zone: ZoneInfo, now: datetime) -> int:
    rows: dict[str, list[Row]] = {table.name: [] for table in ANSWERS}
    for name, row in simulated_answers(zone, now, DAYS):
        day = business_day(row["created_at"], zone)
        rows[name].append(row | {"updated_at": row["created_at"], "day": day})
    for table in ANSWERS:
        connection.execute(insert(table), rows[table.name])
    return sum(len(found) for found in rows.values())


def _refuse_real_data(connection: Connection) -> None:
    if holds_real_rows(connection):
        raise Refused(
            _(
                "The database holds evaluations of yours, so no demo goes into it. "
                "To see the demo, set DATABASE_URL to another database, for instance sqlite:///data/demo.db"
            )
        )


def _add_models(connection: Connection, created_at: datetime) -> dict[str, int]:
    described = [
        {"name": model.name, "kind": model.kind, "version": model.version, "created_at": created_at}
        for model in MODELS
    ]
    known = set(connection.scalars(select(Model.name)))
    if fresh := [row for row in described if row["name"] not in known]:
        connection.execute(insert(Model), fresh)
    return {model.name: model.id for model in connection.execute(select(Model.name, Model.id))}


def _batches(zone: ZoneInfo, now: datetime, ids: dict[str, int]) -> Iterator[list[Row]]:
    """The rows as a database at `now` knows them: nothing that is still to come."""
    batch: list[Row] = []
    for row in simulated(zone, business_day(now, zone)):
        if row["predicted_at"] > now:
            continue
        known = _known_at(row, now)
        batch.append({"model_id": ids[known.pop("model")], **known})
        if len(batch) >= BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _known_at(row: Row, now: datetime) -> Row:
    row = dict(row)
    if row["evaluated_at"] and row["evaluated_at"] > now:
        row |= dict.fromkeys(_FROM_EVALUATION)
    if row["human_evaluated_at"] and row["human_evaluated_at"] > now:
        row |= dict.fromkeys(_FROM_PEOPLE)
    moments = (row["predicted_at"], row["evaluated_at"], row["human_evaluated_at"])
    return row | {"updated_at": max(moment for moment in moments if moment)}


_FROM_EVALUATION = (
    "evaluated_at",
    "final_score",
    "target_accuracy_score",
    "timing_score",
    "risk_management_score",
    "target_achieved",
    "support_breached",
)
_FROM_PEOPLE = (
    "human_evaluated_at",
    "human_rating_quality",
    "human_rating_usefulness",
    "human_rating_overall",
)


def simulated(zone: ZoneInfo, today: date) -> Iterator[Row]:
    """Every prediction of the year before `today` and of the day itself, with all that it will ever get."""
    first, this_week = today - timedelta(days=DAYS), week_start(today)
    for number, model in enumerate(MODELS):
        for weeks_ago in range(DAYS // 7 + 1, -1, -1):
            if weeks_ago in model.silent_weeks:
                continue
            monday = this_week - timedelta(weeks=weeks_ago)
            random = np.random.default_rng([SEED, number, monday.toordinal()])
            for row in _week(model, monday, weeks_ago, zone, random):
                if first <= row["day"] <= today:
                    yield row


def _week(
    model: DemoModel, monday: date, weeks_ago: int, zone: ZoneInfo, random: np.random.Generator
) -> Iterator[Row]:
    """One model's predictions of one week, in the order of their time."""
    days = _days(model, random)
    n = len(days)
    quality = _quality(model, weeks_ago, n, random)
    scores = _scores(model, weeks_ago, quality, random)
    flags = _flags(scores["final_score"], random)
    seconds = random.triangular(7 * 3600, 10 * 3600, 19 * 3600, n)  # of the local day
    seconds, evaluated = seconds[np.lexsort((seconds, days))], random.random(n) >= NEVER_EVALUATED
    delays = _delays(model, n, random)
    ratings, rated = _ratings(quality, n, random), random.random(n) < model.human_share
    waited = random.uniform(20, 60, n)
    for i in range(n):
        day = monday + timedelta(days=int(days[i]))
        at = to_utc(datetime.combine(day, datetime.min.time()) + timedelta(seconds=int(seconds[i])), zone)
        row: Row = {
            "model": model.name,
            "prediction_id": f"{DEMO_ID}{day:%Y%m%d}-{i + 1:03d}",
            "predicted_at": at,
            "day": business_day(at, zone),
            **dict.fromkeys((*_FROM_EVALUATION, *_FROM_PEOPLE)),
        }
        if evaluated[i]:
            row["evaluated_at"] = at + timedelta(seconds=int(3600 * delays[i]))
            row |= {name: round(float(values[i]), 2) for name, values in scores.items()}
            row |= {name: bool(values[i]) for name, values in flags.items()}
            row |= _not_recorded(model)
            if rated[i]:
                row["human_evaluated_at"] = row["evaluated_at"] + timedelta(seconds=int(3600 * waited[i]))
                row |= _given(model, ratings[i])
        yield row


def _days(model: DemoModel, random: np.random.Generator) -> NDArray[np.int64]:
    """The weekday of each prediction; weekends are quieter, and no day stays empty by chance."""
    busy = np.array([0.35 if weekday >= 5 else 1.0 for weekday in model.weekdays])
    counts = np.maximum(1, random.poisson(model.a_week * busy / busy.sum()))
    return np.repeat(np.array(model.weekdays), counts)


def _quality(model: DemoModel, weeks_ago: int, n: int, random: np.random.Generator) -> Floats:
    """How good each prediction is, in standard deviations.

    In the two weeks that a verdict compares, chance is taken out of the mean, so that the story is told
    whatever the day; in the others it stays.
    """
    quality = random.standard_normal(n)
    return quality - quality.mean() if 1 <= weeks_ago <= 2 else quality


def _scores(
    model: DemoModel, weeks_ago: int, quality: Floats, random: np.random.Generator
) -> dict[str, Floats]:
    level = model.level(weeks_ago) + random.normal(0, 0.5)
    n = len(quality)

    def around(mean: float, own: float) -> Floats:
        """Correlated with the prediction's quality, `own` being the part that is this score's alone."""
        noise = random.standard_normal(n)
        return _bounded(mean, model.spread, np.sqrt(1 - own**2) * quality + own * noise)

    return {
        "final_score": around(level, 0.25),
        "target_accuracy_score": around(level - 2, 0.6),
        "timing_score": around(level - 5, 0.7),
        "risk_management_score": around(level + 7, 0.7),
    }


def _bounded(mean: float, spread: float, x: Floats) -> Floats:
    """Scores with about that mean and spread that never reach 0 or 100, so that nothing has to be clipped."""
    share = mean / 100
    steepness = spread / (100 * share * (1 - share))
    bounded: Floats = 100 / (1 + np.exp(-(np.log(share / (1 - share)) + steepness * x)))
    return bounded


def _flags(final: Floats, random: np.random.Generator) -> dict[str, NDArray[np.bool_]]:
    achieved = random.random(len(final)) < 1 / (1 + np.exp(-(final - 64) / 9))
    breached = random.random(len(final)) < 0.9 / (1 + np.exp((final - 52) / 7))
    return {"target_achieved": achieved, "support_breached": breached & ~achieved}


def _delays(model: DemoModel, n: int, random: np.random.Generator) -> Floats:
    """Hours until the evaluation."""
    return random.uniform(4 * 24, 8 * 24, n) if model.late else random.lognormal(np.log(model.delay), 0.5, n)


def _ratings(quality: Floats, n: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Three ratings from 1 to 5 for each prediction; people agree with the score, roughly."""
    liking = 1 / (1 + np.exp(-(0.7 + 0.6 * quality)))
    return 1 + random.binomial(4, liking[:, np.newaxis], (n, 3))


def _given(model: DemoModel, ratings: NDArray[np.int64]) -> Row:
    quality, usefulness, overall = (float(rating) for rating in ratings)
    if model.overall_rating_only:
        return {"human_rating_overall": overall}
    return {
        "human_rating_quality": quality,
        "human_rating_usefulness": usefulness,
        "human_rating_overall": overall,
    }


def _not_recorded(model: DemoModel) -> Row:
    """What this model's system does not keep."""
    missing = {"timing_score": model.records_timing, "support_breached": model.records_breaches}
    return {name: None for name, kept in missing.items() if not kept}
