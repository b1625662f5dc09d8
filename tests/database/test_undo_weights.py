"""An adjustment of weights taken back: what comes back, what stands in the way, twice, and by the command."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update
from test_jobs_command import Shell
from weighed import NOW, TODAY, adjust, give, in_force, ledger

from db.errors import Refused
from db.tables.forecasts import EnsembleWeight
from db.tables.operations import JobRun
from jobs import claims, queue
from jobs.adjust_weights import JOB
from jobs.runner import execute
from settings import current

HOUR = timedelta(hours=1)
EARLIER = TODAY - timedelta(days=10)
START = {"chronos": 0.6, "lgbm": 0.4}
MOVED = {"chronos": 0.75, "lgbm": 0.25}


@pytest.fixture
def shell(engine: Engine, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


@pytest.fixture
def two(engine: Engine) -> tuple[Any, Any]:
    """Two adjustments of codes A and B; the second one moves A only."""
    for code in ("A", "B"):
        give(engine, "chronos", 12, 20, code=code, known=NOW - timedelta(days=10))
        give(engine, "lgbm", 8, 20, code=code, known=NOW - timedelta(days=10))
    first = adjust(engine, NOW - HOUR, day=EARLIER)
    assert in_force(engine) == {("A", 5): START, ("B", 5): START}
    give(engine, "chronos", 15, 16)  # 27/36
    give(engine, "lgbm", 2, 20)  # 10/40
    second = adjust(engine)
    assert in_force(engine) == {("A", 5): MOVED, ("B", 5): START}
    return first, second


def details(engine: Engine) -> dict[tuple[str, str], tuple[date, float | None, int, str]]:
    w = EnsembleWeight
    with engine.connect() as connection:
        rows = connection.execute(select(w.code, w.model, w.as_of, w.hit_rate, w.sample_count, w.rule))
        return {(code, model): tuple(rest) for code, model, *rest in rows}


def undo(engine: Engine, run: Any, hours: int = 1, **more: Any) -> Any:
    return adjust(engine, NOW + hours * HOUR, undo=run.id, **more)


def test_undo_puts_back_what_the_run_changed(engine: Engine, two: tuple[Any, Any]) -> None:
    run = undo(engine, two[1])
    assert in_force(engine) == {("A", 5): START, ("B", 5): START}
    assert run.message == f"Run {two[1].id} undone: the weights of 1 group are what they were before it"
    names = (
        "code",
        "horizon",
        "model",
        "before",
        "after",
        "action",
        "reason",
        "undoes",
        "as_of",
        "decided_at",
    )
    assert ledger(engine, run, *names) == [
        ("A", 5, model, MOVED[model], START[model], "undone", "taken_back", two[1].id, TODAY, NOW + HOUR)
        for model in START
    ]
    assert details(engine)["A", "chronos"] == (EARLIER, 0.6, 20, "hit_rate")
    assert details(engine)["B", "chronos"] == (TODAY, 0.6, 20, "hit_rate"), "it was measured again then"


def test_both_can_be_undone_the_newest_first(engine: Engine, two: tuple[Any, Any]) -> None:
    with pytest.raises(
        Refused, match=f"Undo run {two[1].id} first: it changed weights of A, horizon 5, after"
    ):
        undo(engine, two[0])
    undo(engine, two[1])
    undo(engine, two[0], 2)
    assert in_force(engine) == {}, "before the first one there were no weights"


def test_an_adjustment_of_other_groups_stands_not_in_the_way(engine: Engine) -> None:
    for code, day in (("A", EARLIER), ("B", TODAY)):
        for model, hits in (("chronos", 12), ("lgbm", 4)):
            give(engine, model, hits, 20, code=code, known=NOW - (TODAY - day))
    first = adjust(engine, day=EARLIER)
    adjust(engine, NOW + HOUR)  # of A too, but there nothing changes
    undo(engine, first, 2)
    assert in_force(engine) == {("B", 5): MOVED}


def test_an_adjustment_after_an_undo_is_undone_by_itself(engine: Engine, two: tuple[Any, Any]) -> None:
    undo(engine, two[1])
    third = adjust(engine, NOW + 2 * HOUR)
    assert in_force(engine)["A", 5] == MOVED
    with pytest.raises(Refused, match=f"Undo run {third.id} first"):
        undo(engine, two[0], 3)
    undo(engine, third, 3)
    assert details(engine)["A", "chronos"][0] == EARLIER
    undo(engine, two[0], 4)
    assert in_force(engine) == {}


def test_what_cannot_be_undone_is_refused_with_the_reason(engine: Engine, two: tuple[Any, Any]) -> None:
    by = undo(engine, two[1])
    same = adjust(engine, NOW + 2 * HOUR, day=EARLIER)
    for run_id, told in (
        (two[1].id, f"Run {two[1].id} was undone already, by run {by.id}"),
        (by.id, f"Run {by.id} took run {two[1].id} back, and cannot be undone itself"),
        (same.id, f"Run {same.id} changed no weight: there is nothing to undo"),
        (999, "Run 999 decided on no weights"),
    ):
        with pytest.raises(Refused, match=told) as refused:
            adjust(engine, undo=run_id)
        assert refused.value.status == 1


def test_what_came_in_between_is_refused_by_the_run_too(engine: Engine, two: tuple[Any, Any]) -> None:
    """Two people ask at the same moment: the second run finds that the first one did it."""
    wishes = ({"undo": two[1].id}, {"undo": two[1].id, "dry_run": True})
    asked = [
        queue.request(engine, JOB, JOB.read(params), trigger="manual", by="", now=NOW).id for params in wishes
    ]
    for run_id in asked:
        claimed = claims.claim(engine, "here", NOW + HOUR, run_id)
        assert claimed
        execute(engine, claimed, current().zone, lambda: NOW + HOUR)
    first, second = (queue.run_row(engine, run_id) for run_id in asked)
    assert (first.status, second.status) == ("succeeded", "failed")
    assert second.error == f"Run {two[1].id} was undone already, by run {first.id}"


def test_a_dry_run_shows_what_would_come_back(engine: Engine, two: tuple[Any, Any]) -> None:
    run = undo(engine, two[1], dry_run=True)
    assert run.message.startswith(f"Dry run. Run {two[1].id} undone: the weights of 1 group")
    assert [change["columns"]["weight"] for change in run.result["changes"]] == [[0.75, 0.6], [0.25, 0.4]]
    assert in_force(engine)["A", 5] == MOVED


def test_an_attempt_after_a_kill_undoes_nothing_twice(engine: Engine, two: tuple[Any, Any]) -> None:
    run = undo(engine, two[1])
    told = ledger(engine)
    with engine.begin() as connection:
        connection.execute(update(JobRun).where(JobRun.id == run.id).values(status="queued", message=""))
    claimed = claims.claim(engine, "here", NOW, run.id)
    assert claimed
    execute(engine, claimed, current().zone, lambda: NOW)
    again = queue.run_row(engine, run.id)
    assert (again.status, again.message, ledger(engine)) == ("succeeded", run.message, told)


def test_a_weight_that_no_adjustment_made_comes_back_without_its_measures(engine: Engine) -> None:
    row = {
        "code": "A",
        "horizon": 5,
        "sample_count": 0,
        "as_of": EARLIER,
        "rule": "by hand",
        "updated_at": NOW,
    }
    with engine.begin() as connection:
        for model, weight in (("chronos", 0.2), ("lgbm", 0.8)):
            connection.execute(insert(EnsembleWeight).values(model=model, weight=weight, **row))
    give(engine, "chronos", 15, 20)
    give(engine, "lgbm", 5, 20)
    undo(engine, adjust(engine))
    assert in_force(engine) == {("A", 5): {"chronos": 0.2, "lgbm": 0.8}}
    assert details(engine)["A", "lgbm"] == (TODAY, None, 0, "hit_rate")


# The command


def test_the_newest_is_undone_where_none_is_named(engine: Engine, two: tuple[Any, Any], shell: Shell) -> None:
    assert shell("undo", "adjust_weights", "--dry-run") == 0
    assert shell.out.splitlines()[1:] == [
        "  ~ A chronos 5: weight 0.75 → 0.6 (back to the weight from before)",
        "  ~ A lgbm 5: weight 0.25 → 0.4 (back to the weight from before)",
    ]
    assert shell("undo", "adjust_weights") == 0
    assert f"Run {two[1].id} undone" in shell.out
    assert shell("undo", "adjust_weights", str(two[1].id)) == 1
    assert f"Run {two[1].id} was undone already" in shell.err
    assert shell("undo", "adjust_weights", "--json") == 0
    assert shell.json["params"] == {"undo": two[0].id}
    assert in_force(engine) == {}
    assert shell("undo", "adjust_weights") == 1
    assert "There is no run of adjust_weights that could be undone" in shell.err


@pytest.mark.parametrize(
    "arguments", [["undo"], ["undo", "judge_week"], ["undo", "adjust_weights", "x"]], ids=str
)
def test_wrong_calls(engine: Engine, shell: Shell, arguments: list[str]) -> None:
    assert shell(*arguments) == 2
