"""Weights of ensembles by the job: the worked examples, what is kept, what is skipped, twice the same, dry runs."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select, text, update
from weighed import NOW, TODAY, adjust, give, in_force, ledger

from db.engine import data_version, reading
from db.errors import Refused
from db.tables.forecasts import EnsembleWeight, ModelPerformance, PredictionOutcome
from db.tables.operations import JobRun
from jobs import adjusting, claims, queue
from jobs.timetable import JOBS
from jobs.weighing import planned
from settings import current

FIRST = NOW - timedelta(days=30)


def performance(engine: Engine, *names: str) -> list[Any]:
    p = ModelPerformance
    rows = select(*(getattr(p, name) for name in names)).order_by(p.as_of, p.code, p.horizon, p.model)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(rows)]


@pytest.mark.parametrize(
    ("chronos", "lgbm", "weights", "action"),
    [
        ((12, 20), (6, 15), (0.6, 0.4), "updated"),
        ((19, 20), (1, 20), (0.9, 0.1), "updated"),
        ((0, 20), (0, 10), (0.5, 0.5), "updated"),
        ((12, 20), (6, 9), None, "skipped_insufficient"),
        ((12, 20), (0, 0), None, "skipped_missing_model"),
    ],
)
def test_worked_examples(engine: Engine, chronos: Any, lgbm: Any, weights: Any, action: str) -> None:
    give(engine, "chronos", *chronos)
    give(engine, "lgbm", *lgbm)
    run = adjust(engine)
    wanted = {("A", 5): dict(zip(("chronos", "lgbm"), weights, strict=True))} if weights else {}
    assert in_force(engine) == wanted
    assert ledger(engine, run, "model", "before", "after", "action") == [
        (model, None, weights[k] if weights else None, action) for k, model in enumerate(("chronos", "lgbm"))
    ]


@pytest.mark.parametrize(
    ("hits", "weights"),
    [
        ([6, 3, 1], [0.6, 0.3, 0.1]),
        ([9] + 9 * [1], [0.5] + 9 * [0.055555556]),
        ([6, 3, 9], [2 / 3, 1 / 3, 0]),  # nine outcomes
    ],
)
def test_more_than_two_members(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, hits: list[int], weights: list[float]
) -> None:
    names = [f"m{k}" for k in range(len(hits))]
    monkeypatch.setenv("ENSEMBLE_MEMBERS", f"chronos,lgbm; A={','.join(names)}")
    for name, n in zip(names, hits, strict=True):
        give(engine, name, n, 9 if n == 9 and len(hits) == 3 else 10)
    adjust(engine)
    assert in_force(engine) == {("A", 5): {name: round(w, 9) for name, w in zip(names, weights, strict=True)}}


def test_each_rule_can_be_chosen(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    give(engine, "chronos", 10, 20)  # errors of 1 and 3
    give(engine, "lgbm", 20, 20)  # errors of 1
    found = {}
    for rule in ("hit_rate", "inverse_mse", "bates_granger", "equal"):
        monkeypatch.setenv("WEIGHT_RULE", rule)
        adjust(engine)
        found[rule] = in_force(engine)["A", 5]["chronos"]
    # Of one day's predictions the last one makes the pair: just one pair, which is too few, and 1/6 stays.
    assert found == {
        "hit_rate": round(1 / 3, 9),
        "inverse_mse": round(0.8 / 6 + 0.1, 9),
        "bates_granger": round(0.8 / 6 + 0.1, 9),
        "equal": 0.5,
    }
    assert ledger(engine, None, "rule", "action")[4] == ("bates_granger", "skipped_insufficient")


def test_pairs_are_what_both_predicted_on_a_day(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIGHT_RULE", "bates_granger")
    for k in range(12):
        made = FIRST + timedelta(days=k)
        target = (made + timedelta(days=2)).date()
        give(engine, "chronos", 1, 1, predicted_at=made, target_date=target, predicted_value=103)
        # Earlier on that day it said something else, and what the other one says comes an hour later.
        give(engine, "lgbm", 1, 1, predicted_at=made, target_date=target, predicted_value=200)
        later = made + timedelta(hours=1)
        give(engine, "lgbm", 1, 1, predicted_at=later, target_date=target, predicted_value=99)
    adjust(engine)  # errors 1 and −3: v 1 and 9, c −3, best (9 + 3)/(1 + 9 + 6)
    assert in_force(engine) == {("A", 5): {"chronos": 0.625, "lgbm": 0.375}}


def test_the_window_is_31_days_and_horizons_are_apart(engine: Engine) -> None:
    for horizon, hits in ((1, 4), (5, 8)):
        for model in ("chronos", "lgbm", "ensemble"):
            give(engine, model, hits, 10, horizon=horizon)
    give(engine, "chronos", 10, 10, known=FIRST, horizon=1)
    give(engine, "chronos", 0, 10, known=FIRST - timedelta(days=1), horizon=1)
    run = adjust(engine)
    names = ("code", "model", "horizon", "window_days", "as_of", "hit_rate", "direction_count", "mae")
    assert performance(engine, *names) == [
        ("A", "chronos", 1, 31, TODAY, 14 / 20, 20, 1.6),
        ("A", "ensemble", 1, 31, TODAY, 0.4, 10, 2.2),
        ("A", "lgbm", 1, 31, TODAY, 0.4, 10, 2.2),
        ("A", "chronos", 5, 31, TODAY, 0.8, 10, 1.4),
        ("A", "ensemble", 5, 31, TODAY, 0.8, 10, 1.4),
        ("A", "lgbm", 5, 31, TODAY, 0.8, 10, 1.4),
    ]
    assert in_force(engine)["A", 1] == {"chronos": round(0.7 / 1.1, 9), "lgbm": round(0.4 / 1.1, 9)}
    assert (run.message, run.rows_read, run.rows_written) == ("2 groups: 2 adjusted", 70, 6 + 4 + 4)


def test_a_day_of_before_knows_nothing_of_later(engine: Engine) -> None:
    for model, hits in (("chronos", 12), ("lgbm", 6)):
        give(engine, model, hits, 15, known=NOW - timedelta(days=10))
        give(engine, model, 0, 15)
    adjust(engine, day=TODAY - timedelta(days=10))
    assert in_force(engine) == {("A", 5): {"chronos": round(2 / 3, 9), "lgbm": round(1 / 3, 9)}}


def test_figures_of_a_day_that_have_nothing_behind_them_any_more_go(engine: Engine) -> None:
    give(engine, "chronos", 1, 2)
    give(engine, "lgbm", 1, 2, code="B")
    adjust(engine)
    adjust(engine, day=TODAY - timedelta(days=1))
    with engine.begin() as connection:
        connection.execute(delete(PredictionOutcome).where(PredictionOutcome.code == "B"))
    adjust(engine)
    assert performance(engine, "code", "as_of") == [("A", TODAY)]


def test_skipped_groups_keep_their_weights_and_are_in_the_ledger(engine: Engine) -> None:
    give(engine, "chronos", 12, 20)
    give(engine, "lgbm", 6, 15)
    give(engine, "chronos", 9, 9, code="B")
    give(engine, "chronos", 9, 9, code="C")
    give(engine, "lgbm", 9, 9, code="C")
    give(engine, "other", 9, 9, code="D")  # no member: nothing is decided
    run = adjust(engine)
    assert run.message == "3 groups: 1 adjusted, 1 too little data, 1 missing a model"
    with engine.begin() as connection:
        connection.execute(delete(PredictionOutcome).where(PredictionOutcome.model == "lgbm"))
    again = adjust(engine)
    assert in_force(engine) == {("A", 5): {"chronos": 0.6, "lgbm": 0.4}}
    assert ledger(engine, again)[:3] == [
        ("A", 5, "chronos", 0.6, 0.6, "skipped_missing_model", "one_member"),
        ("A", 5, "lgbm", 0.4, 0.4, "skipped_missing_model", "one_member"),
        ("B", 5, "chronos", None, None, "skipped_missing_model", "one_member"),
    ]
    assert again.result == {
        "as_of": str(TODAY),
        "rule": "hit_rate",
        "groups": 3,
        "adjusted": 0,
        "skipped": 0,
        "missing": 3,
    }


def test_without_outcomes_nothing_is_decided(engine: Engine) -> None:
    run = adjust(engine)
    assert run.message == "No member of an ensemble had an outcome from 2026-10-21 to 2026-11-20."
    assert (run.status, run.rows_written, ledger(engine)) == ("succeeded", 0, [])


def test_a_model_that_is_no_member_any_more_loses_its_weight(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code in ("A", "B"):
        give(engine, "chronos", 12, 20, code=code)
        give(engine, "lgbm", 6, 15, code=code)
    adjust(engine)
    give(engine, "lstm", 6, 10)
    give(engine, "lstm", 6, 9, code="B")
    monkeypatch.setenv("ENSEMBLE_MEMBERS", "chronos,lstm")
    run = adjust(engine)
    assert in_force(engine) == {("A", 5): {"chronos": 0.5, "lstm": 0.5}}
    assert ledger(engine, run) == [
        ("A", 5, "chronos", 0.6, 0.5, "updated", "as_measured"),
        ("A", 5, "lgbm", 0.4, None, "removed", "no_member"),
        ("A", 5, "lstm", None, 0.5, "updated", "as_measured"),
        # What is left of a skipped group would not sum to 1: readers have the weights of the start.
        ("B", 5, "chronos", 0.6, None, "skipped_insufficient", "members_changed"),
        ("B", 5, "lgbm", 0.4, None, "removed", "no_member"),
        ("B", 5, "lstm", None, None, "skipped_insufficient", "members_changed"),
    ]
    assert run.message == "2 groups: 1 adjusted, 1 too little data"
    assert adjust(engine, undo=run.id).status == "succeeded"
    assert in_force(engine) == {(code, 5): {"chronos": 0.6, "lgbm": 0.4} for code in ("A", "B")}


def test_twice_on_a_day_gives_the_same(engine: Engine) -> None:
    give(engine, "chronos", 12, 20)
    give(engine, "lgbm", 6, 15)
    adjust(engine)
    before, figures = in_force(engine), performance(engine, "code", "model", "updated_at")
    run = adjust(engine, NOW + timedelta(hours=1))
    assert in_force(engine) == before
    assert performance(engine, "code", "model", "updated_at") == figures
    assert ledger(engine, run, "before", "after", "action") == [(w, w, "updated") for w in (0.6, 0.4)]


def test_an_attempt_after_a_kill_writes_nothing_twice(engine: Engine) -> None:
    """The first one was killed between its transaction and the end of its run."""
    give(engine, "chronos", 12, 20)
    give(engine, "lgbm", 6, 15)
    first = adjust(engine)
    told, version = ledger(engine), data_version(engine)
    with engine.begin() as connection:
        connection.execute(update(JobRun).values(status="queued", message=""))
        connection.execute(delete(PredictionOutcome).where(PredictionOutcome.model == "lgbm"))
    claimed = claims.claim(engine, "here", NOW, first.id)
    assert claimed
    run = adjusting_again(engine, claimed)
    assert ledger(engine) == told
    assert run.message == first.message == "1 group: 1 adjusted"
    assert data_version(engine) > version


def adjusting_again(engine: Engine, claimed: claims.Claimed) -> Any:
    from jobs.runner import execute

    execute(engine, claimed, current().zone, lambda: NOW)
    return queue.run_row(engine, claimed.id)


def test_a_dry_run_tells_each_weight_with_its_reason_and_writes_nothing(engine: Engine) -> None:
    give(engine, "chronos", 19, 20)
    give(engine, "lgbm", 1, 20)
    give(engine, "chronos", 9, 9, code="B")
    run = adjust(engine, dry_run=True)
    assert run.message == "Dry run. 2 groups: 1 adjusted, 1 missing a model"
    held, alone = (
        "as measured, held at the least or largest weight",
        "only one member has outcomes: the weights stay",
    )
    names = ("code", "horizon", "model", "reason", "change", "columns")
    assert [tuple(change[name] for name in names) for change in run.result["changes"]] == [
        ("A", 5, "chronos", held, "changed", {"weight": [0.6, 0.9]}),
        ("A", 5, "lgbm", held, "changed", {"weight": [0.4, 0.1]}),
        ("B", 5, "chronos", alone, "changed", {"weight": [0.6, 0.6]}),
        ("B", 5, "lgbm", alone, "changed", {"weight": [0.4, 0.4]}),
    ]
    assert (run.result["changed"], run.result["unchanged"], run.result["more"]) == (2, 2, 0)
    assert (in_force(engine), ledger(engine), performance(engine, "code")) == ({}, [], [])


def test_the_groups_that_move_most_are_listed_first(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for code, hits in (("A", 12), ("B", 19), ("C", 14)):
        give(engine, "chronos", hits, 20, code=code)
        give(engine, "lgbm", 8, 20, code=code)
    monkeypatch.setattr(adjusting, "TOLD", 3)
    result = adjust(engine, dry_run=True).result
    assert [change["code"] for change in result["changes"]] == ["B", "B", "C"]
    assert result["more"] == 3


@pytest.mark.parametrize("rule", ["hit_rate", "inverse_mse", "bates_granger"])
def test_what_is_planned_for_a_code_is_what_a_run_decides(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, rule: str
) -> None:
    monkeypatch.setenv("WEIGHT_RULE", rule)
    for n, code in enumerate(("A", "B", "C")):
        give(engine, "chronos", 10 + n, 20, code=code)
        give(engine, "lgbm", 6, 15, code=code, horizon=5 if n else 1)
    with reading(engine) as connection:
        every = planned(connection, current(), TODAY)
        one = planned(connection, current(), TODAY, "B")
    run = adjust(engine)
    names = ("code", "horizon", "model", "after", "action", "reason")
    told = ledger(engine, run, *names)
    rounded = every.round(9).astype(object).where(every.notna(), None)
    assert sorted(map(tuple, rounded[list(names)].to_numpy().tolist())) == sorted(told)
    assert one["code"].unique().tolist() == ["B"]
    assert len(one) == sum(row[0] == "B" for row in told)


def test_a_plan_for_one_code_reads_no_other(sqlite_engine: Engine) -> None:
    from jobs.window_figures import figures, window

    query = figures(window(TODAY), "A").compile(sqlite_engine, compile_kwargs={"literal_binds": True})
    with sqlite_engine.connect() as connection:
        told = str(connection.execute(text(f"EXPLAIN QUERY PLAN {query}")).all())
    assert "(code=?" in told, told


def test_a_weight_that_came_in_between_is_what_the_ledger_says_of_before(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(engine, "chronos", 12, 20)
    give(engine, "lgbm", 6, 15)
    weighed = adjusting._weighed

    def slowly(*arguments: Any) -> Any:
        found = weighed(*arguments)
        row = {"code": "A", "horizon": 5, "sample_count": 0, "as_of": TODAY, "rule": "", "updated_at": NOW}
        with engine.begin() as connection:
            connection.execute(insert(EnsembleWeight).values(model="chronos", weight=0.25, **row))
        return found

    monkeypatch.setattr(adjusting, "_weighed", slowly)
    run = adjust(engine)
    assert ledger(engine, run, "before", "after") == [(0.25, 0.6), (None, 0.4)]


def test_wrong_parameters_are_told() -> None:
    job = JOBS["adjust_weights"]
    assert job.read({"undo": "0"}) == job.read({})
    for values, told in (
        ({"day": "2026-11-20", "undo": 3}, "give a day, or a run to undo, not both"),
        ({"undo": "x"}, "--undo: Input should be a valid integer"),
        ({"undo": -1}, "--undo: Input should be greater than or equal to 1"),
        ({"day": "soon"}, "--day: “soon” is not a day"),
    ):
        with pytest.raises(Refused, match=told):
            job.read(values)


def test_a_day_that_has_not_come_is_refused(engine: Engine) -> None:
    with pytest.raises(Refused, match="2026-11-21 has not come yet") as refused:
        adjust(engine, day="2026-11-21")
    assert refused.value.status == 2
