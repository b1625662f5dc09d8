"""The verdicts table against docs/metrics.md, and which weeks a run judges."""

import math
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from scipy import stats
from sqlalchemy import Engine, select
from statsmodels.stats.proportion import confint_proportions_2indep
from test_aggregate_models import Here, aggregate, change, remove, row, store

from db.engine import data_version
from db.errors import Refused
from db.importing import import_file
from db.tables.operations import StaleMark, Verdict
from jobs import judge_week as job
from jobs.job import Outcome

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)  # a Friday
WEEK, BEFORE, RUNNING = date(2026, 11, 9), date(2026, 11, 2), date(2026, 11, 16)
SEVEN = timedelta(days=7)
NEXT_MONDAY = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)


def judge(engine: Engine, run: Here | None = None, **params: Any) -> Outcome:
    return job.judge_week(engine, job.JudgeWeekParameters(**params), run or Here(NOW))


def verdicts(engine: Engine, **where: Any) -> dict[tuple[str, str, date], dict[str, Any]]:
    with engine.connect() as connection:
        found = connection.execute(select(Verdict).filter_by(**where)).mappings().all()
    return {(row["subject"], row["metric"], row["week_start"]): dict(row) for row in found}


def marks(engine: Engine) -> list[date]:
    mine = StaleMark.table_name == "daily_model_performance"
    with engine.connect() as connection:
        return sorted(set(connection.scalars(select(StaleMark.day).where(mine))))


def week_of(monday: date, scores: list[float], model: int = 1, **more: Any) -> list[dict[str, Any]]:
    """Scored evaluations, spread over the days of a week."""
    return [
        row(f"{monday}-{model}-{k}", monday + timedelta(days=k % 7), model)
        | {"final_score": score, "evaluated_at": NOW}
        | more
        for k, score in enumerate(scores)
    ]


def spread(mean: float, n: int = 12, width: float = 6.0) -> list[float]:
    return [mean + width * (k / (n - 1) - 0.5) for k in range(n)]


def filled(engine: Engine, *weeks: tuple[date, list[float]], model: int = 1) -> None:
    store(engine, [one for monday, scores in weeks for one in week_of(monday, scores, model)])
    aggregate(engine, Here(NOW))


def test_a_clear_change_with_a_short_history(engine: Engine) -> None:
    now, before = spread(70), spread(60, 15)
    filled(engine, (BEFORE, before), (WEEK, now))
    assert judge(engine).summary == "2 weeks: 2 verdicts changed"
    found = verdicts(engine, metric="avg_final_score")["model-1", "avg_final_score", WEEK]
    welch = stats.ttest_ind(now, before, equal_var=False)
    interval = welch.confidence_interval()
    assert (found["n"], found["n_previous"], found["comparisons"]) == (12, 15, 1)
    assert found["change"] == pytest.approx(10, rel=1e-9)
    assert (found["low"], found["high"]) == (pytest.approx(interval.low), pytest.approx(interval.high))
    assert found["p"] == found["p_holm"] == pytest.approx(welch.pvalue)
    assert found["surprise"] == pytest.approx(welch.statistic)
    assert (found["verdict"], found["note"], found["word"]) == ("improved", "short history", "models")
    assert verdicts(engine)["model-1", "avg_final_score", BEFORE]["verdict"] == "too little data"


def test_under_ten_units_in_a_week_there_is_no_verdict(engine: Engine) -> None:
    filled(engine, (BEFORE, spread(60, 9)), (WEEK, spread(90, 40)))
    filled(engine, (BEFORE, spread(60, 10)), (WEEK, spread(90, 10)), model=2)
    filled(engine, (BEFORE, spread(60, 30)), model=3)
    judge(engine)
    found = verdicts(engine, week_start=WEEK)
    few, enough, gone = (found[f"model-{k}", "avg_final_score", WEEK] for k in (1, 2, 3))
    assert (few["verdict"], few["p"], few["surprise"], few["comparisons"]) == (
        "too little data",
        None,
        None,
        1,
    )
    assert few["change"] == pytest.approx(30)
    assert enough["verdict"] == "improved"
    assert (gone["verdict"], gone["n"], gone["n_previous"], gone["value"]) == ("too little data", 0, 30, None)


def test_lower_is_better_for_stop_breaches_and_rates_are_in_percent(engine: Engine) -> None:
    rows = [
        one | {"support_breached": k < breached, "target_achieved": k < breached}
        for monday, breached in ((BEFORE, 5), (WEEK, 35))
        for k, one in enumerate(week_of(monday, spread(60, 40)))
    ]
    store(engine, rows)
    aggregate(engine, Here(NOW))
    judge(engine)
    found = verdicts(engine, week_start=WEEK)
    breach, target = (
        found["model-1", name, WEEK] for name in ("support_breach_rate", "target_achieved_rate")
    )
    assert (breach["verdict"], target["verdict"]) == ("declined", "improved")
    low, high = confint_proportions_2indep(35, 40, 5, 40, method="newcomb")
    for row_ in (breach, target):
        assert (row_["value"], row_["previous"], row_["change"]) == (87.5, 12.5, 75)
        assert (row_["low"], row_["high"]) == (pytest.approx(100 * low), pytest.approx(100 * high))


def reference(history: list[float], now: list[float], before: list[float]) -> tuple[float, float]:
    """Standard error and degrees of freedom, written as docs/metrics.md says it."""
    a, b = np.var(now, ddof=1) / len(now), np.var(before, ddof=1) / len(before)
    welch = (a + b) ** 2 / (a * a / (len(now) - 1) + b * b / (len(before) - 1))
    if len(history) < 6:
        return math.sqrt(a + b), welch
    squares = [(y - x) ** 2 for x, y in pairwise(history)]
    own = sum(squares) / len(squares) / 2
    if 2 * own <= (a + b) / 3:
        return math.sqrt(a + b), welch
    return math.sqrt(max(a, own) + max(b, own)), min(len(squares), welch)


@pytest.mark.parametrize("shock", [0.5, 8.0])
def test_the_noise_of_the_weeks_and_holm_against_plain_python(engine: Engine, shock: float) -> None:
    rng, models, weeks = random.Random(5), 4, 15
    data = {
        (model, WEEK - k * SEVEN): [
            min(100.0, max(0.0, rng.gauss(60 + rng.gauss(0, shock), 5))) for _row in range(14)
        ]
        for model in range(1, models + 1)
        for k in range(weeks)
        if (model, k) not in ((2, 4), (3, 9))  # weeks without data are passed over
    }
    data[1, WEEK] = [min(100.0, x + 20) for x in data[1, WEEK]]
    store(engine, [one for (model, monday), x in data.items() for one in week_of(monday, x, model)])
    aggregate(engine, Here(NOW))
    judge(engine)
    found = verdicts(engine, week_start=WEEK)
    p = {}
    for model in range(1, models + 1):
        past = [data.get((model, WEEK - k * SEVEN)) for k in range(12, 0, -1)]
        now, before = data[model, WEEK], data[model, BEFORE]
        error, df = reference([float(np.mean(x)) for x in past if x], now, before)
        t = (np.mean(now) - np.mean(before)) / error
        p[model] = 2 * stats.t.sf(abs(t), df)
        mine = found[f"model-{model}", "avg_final_score", WEEK]
        assert mine["p"] == pytest.approx(p[model]) and mine["surprise"] == pytest.approx(abs(t))
    ranked = sorted(p, key=p.__getitem__)
    corrected = 0.0
    for k, model in enumerate(ranked):
        corrected = max(corrected, min(1.0, p[model] * (models - k)))
        assert found[f"model-{model}", "avg_final_score", WEEK]["p_holm"] == pytest.approx(corrected)


def test_the_running_week_has_no_verdict_until_it_has_ended(engine: Engine) -> None:
    filled(engine, (WEEK, spread(60)), (RUNNING, spread(70)[:8]))
    judge(engine)
    assert {week for *_key, week in verdicts(engine)} == {WEEK}
    assert marks(engine) == [RUNNING], "kept until the week has ended"
    judge(engine, Here(NEXT_MONDAY))
    assert {week for *_key, week in verdicts(engine)} == {WEEK, RUNNING}
    assert marks(engine) == []


def test_a_late_change_judges_its_week_and_those_whose_history_it_is_in(engine: Engine) -> None:
    weeks = [WEEK - k * SEVEN for k in range(16)]
    filled(engine, *((monday, spread(60 + k % 3)) for k, monday in enumerate(weeks)))
    judge(engine)
    before = verdicts(engine)
    changed = weeks[14]
    change(engine, f"{changed}-1-0", final_score=1)
    aggregate(engine, Here(NOW))
    assert marks(engine) == [changed]
    outcome = judge(engine)
    assert outcome.result["weeks"] == sorted(
        str(monday) for monday in {WEEK, *(changed + k * SEVEN for k in range(13))}
    )
    after = verdicts(engine)
    moved = {week for (_s, _m, week) in before if before[_s, _m, week] != after[_s, _m, week]}
    assert changed in moved and changed + SEVEN in moved and WEEK not in moved


def test_verdicts_go_with_their_data(engine: Engine) -> None:
    filled(engine, (BEFORE, spread(60)), (WEEK, spread(70)))
    judge(engine)
    remove(engine, *(f"{monday}-1-{k}" for monday in (BEFORE, WEEK) for k in range(12)))
    aggregate(engine, Here(NOW))
    judge(engine)
    assert verdicts(engine) == {}


def test_judging_twice_changes_nothing_and_leaves_open_pages_alone(engine: Engine) -> None:
    filled(engine, (BEFORE, spread(60)), (WEEK, spread(70)))
    judge(engine)
    before, version = verdicts(engine), data_version(engine)
    outcome = judge(engine, Here(NOW + timedelta(hours=1)))
    assert outcome.summary == "1 week: 0 verdicts changed"
    assert (verdicts(engine), data_version(engine)) == (before, version)


def test_dry_run_lists_the_changes_and_writes_nothing(engine: Engine) -> None:
    filled(engine, (BEFORE, spread(60)), (WEEK, spread(70)))
    outcome = judge(engine, dry_run=True, week=WEEK)
    assert outcome.summary == "Dry run. 1 week: 1 row would be added, 0 changed, 0 removed"
    assert outcome.result["changes"][0]["subject"] == "model-1"
    assert verdicts(engine) == {}
    assert marks(engine) == [BEFORE, WEEK]


def test_a_run_that_ends_half_way_is_made_good_by_the_next(engine: Engine) -> None:
    filled(engine, *((WEEK - k * SEVEN, spread(60 + k)) for k in range(5)))

    def stop(step: int) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge(engine, Here(NOW, at_step=stop))
    assert len({week for *_key, week in verdicts(engine)}) == 2
    judge(engine)
    assert len({week for *_key, week in verdicts(engine)}) == 5
    assert marks(engine) == []


def test_a_change_that_arrives_meanwhile_is_judged_by_the_next_run(engine: Engine) -> None:
    filled(engine, (BEFORE, spread(60)), (WEEK, spread(70)))

    def meddle(_step: int) -> None:
        change(engine, f"{WEEK}-1-0", final_score=99)
        aggregate(engine, Here(NOW))

    judge(engine, Here(NOW, at_step=meddle), week=None)
    assert marks(engine) == [WEEK]
    stale = verdicts(engine)["model-1", "avg_final_score", WEEK]["value"]
    judge(engine)
    assert verdicts(engine)["model-1", "avg_final_score", WEEK]["value"] > stale


@pytest.mark.parametrize("text", ["2026-W46", "2026-w46", "2026-11-09", "2026-11-15"])
def test_a_week_may_be_told_by_its_number_or_a_day(text: str) -> None:
    assert job.JOB.read({"week": text}).stored() == {"week": "2026-11-09"}


@pytest.mark.parametrize("text", ["2026-W54", "soon", "46"])
def test_what_is_no_week_is_refused(text: str) -> None:
    with pytest.raises(Refused, match=text):
        job.JOB.read({"week": text})


def test_a_week_that_runs_or_an_empty_house(engine: Engine) -> None:
    assert judge(engine).summary == "There is no finished week to judge."
    filled(engine, (WEEK, spread(60)))
    assert judge(engine, week=RUNNING).summary == "There is no finished week to judge."


def test_real_forecasts_are_judged(
    engine: Engine, shared_data: Path, zone: ZoneInfo, bring: Callable[..., Any]
) -> None:
    """With the noise of the weeks; plain Welch calls 44 % of these weeks significant."""
    path = shared_data / "B_model_evaluations__flusight_2023_2025.csv.gz"
    import_file(engine, "model_evaluations", path, zone=zone, now=NOW)
    aggregate(engine, Here(NOW))
    judge(engine)
    found = list(verdicts(engine).values())
    tested = [one for one in found if one["p"] is not None]
    called = [one for one in tested if one["verdict"] in ("improved", "declined")]
    with_history = [one for one in tested if one["note"] != "short history"]
    assert len(with_history) > 50
    assert len([one for one in called if one["note"] == "weeks vary"]) < 0.1 * len(with_history)
    for one in tested:
        assert one["low"] <= one["change"] <= one["high"]
        assert (one["verdict"] in ("improved", "declined")) == (one["p_holm"] <= 0.05 and one["change"] != 0)


def test_a_week_past_the_data_has_no_verdicts(engine: Engine) -> None:
    earlier = BEFORE - SEVEN
    filled(engine, (earlier, spread(60)), (BEFORE, spread(70)))
    judge(engine)
    judge(engine, week=WEEK)
    assert {week for _subject, _metric, week in verdicts(engine)} == {earlier, BEFORE}


def test_verdicts_go_with_the_rows_of_the_newest_week(engine: Engine) -> None:
    filled(engine, (BEFORE, spread(60)), (WEEK, spread(70)))
    judge(engine)
    remove(engine, *(one["prediction_id"] for one in week_of(WEEK, spread(70))))
    aggregate(engine, Here(NOW))
    judge(engine)
    assert {week for _subject, _metric, week in verdicts(engine)} == {BEFORE}
