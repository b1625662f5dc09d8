"""Models renamed, merged and parted while files come in and weeks are judged; and merges that are stopped half-way."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, select
from test_aggregate_models import Here, aggregate, scored, store

from db.errors import Refused
from db.importing import files
from db.model_changes import merge, moving, rename, undo
from db.progress import Progress
from db.tables.models import Model, ModelEvaluation
from db.tables.operations import ModelChange, Verdict
from jobs import judge_week
from jobs.model_subjects import under_todays_names

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
WEEK = date(2026, 11, 9)
Bring = Callable[..., Any]


def file(*rows: tuple[str, str, int] | tuple[str, str]) -> str:
    """Rows of (model, prediction, score)."""
    lines = [
        f"{row[1]},{row[0]},2026-11-10T00:00:00Z,2026-11-10T01:00:00Z,{row[2] if len(row) > 2 else 50}"
        for row in rows
    ]
    return "\n".join(["prediction_id,model_name,predicted_at,evaluated_at,final_score", *lines]) + "\n"


def owners(engine: Engine) -> dict[str, int]:
    counted = select(Model.name, func.count()).join(ModelEvaluation).group_by(Model.name)
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(counted)}


class Once(Progress):
    """Does something after the first step."""

    def __init__(self, what: Callable[[], object]) -> None:
        self.what: Callable[[], object] | None = what

    def __call__(self, rows: int) -> None:
        pass

    def wrote(self, rows: int) -> None:
        what, self.what = self.what, None
        if what:
            what()


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ONE_TRANSACTION", 500)


@pytest.mark.usefixtures("steps")
def test_a_rename_between_two_steps_of_an_import_loses_no_row(engine: Engine, bring: Bring) -> None:
    bring(file(("A", "z")))
    many = file(*(("A", f"p{k}") for k in range(1200)))
    report = bring(many, progress=Once(lambda: rename(engine, "A", "X", NOW)))
    assert (report.new, owners(engine)) == (1200, {"X": 1201})


@pytest.mark.usefixtures("steps")
def test_a_merge_between_two_steps_takes_all_rows_and_gives_them_back(engine: Engine, bring: Bring) -> None:
    bring(file(("A", "z"), ("B", "b")))
    many = file(*(("A", f"p{k}") for k in range(1200)))
    report = bring(many, progress=Once(lambda: merge(engine, "A", "B", NOW)))
    assert (report.new, owners(engine)) == (1200, {"B": 1202})
    undo(engine, 1, NOW)
    assert owners(engine) == {"A": 1201, "B": 1}


@pytest.mark.usefixtures("steps")
def test_two_models_of_a_file_that_become_one_meanwhile(engine: Engine, bring: Bring) -> None:
    bring(file(("A", "z"), ("B", "b")))
    both = file(*(("A", f"p{k}") for k in range(600)), ("B", "q1"), ("A", "q2"))
    with pytest.raises(Refused, match="import it again"):
        bring(both, progress=Once(lambda: merge(engine, "A", "B", NOW)))
    assert bring(both).new == 102
    assert owners(engine) == {"B": 604}


def test_a_file_with_both_names_of_one_model(engine: Engine, bring: Bring) -> None:
    bring(file(("A", "a"), ("B", "b")))
    merge(engine, "A", "B", NOW)
    report = bring(file(("A", "x", 10), ("B", "x", 90), ("A", "y", 30)))
    assert (report.new, report.repeated, owners(engine)) == (2, 1, {"B": 4})
    assert any("lines 2 and 3 have the same key" in note and "line 3 counts" in note for note in report.notes)
    report = bring(file(("A", "x", 90), ("B", "y", 30)))
    assert (report.new, report.updated, report.unchanged) == (0, 0, 2)
    undo(engine, 1, NOW)
    assert owners(engine) == {"A": 2, "B": 2}


def test_a_file_under_the_old_name_is_known_again(engine: Engine, bring: Bring) -> None:
    bring(file(("A", "a")))
    rename(engine, "A", "X", NOW)
    report = bring(file(("A", "a"), ("X", "b"), ("A", "b")))
    assert (report.new, report.unchanged, report.repeated, owners(engine)) == (1, 1, 1, {"X": 2})
    rename(engine, "X", "A", NOW)
    assert bring(file(("X", "a"), ("A", "b"))).unchanged == 2
    with pytest.raises(Refused, match="it is called A now"):
        rename(engine, "X", "Y", NOW)


def test_a_former_name_may_be_given_to_another_model(engine: Engine, bring: Bring) -> None:
    bring(file(("A", "a"), ("B", "b")))
    rename(engine, "A", "X", NOW)
    assert rename(engine, "B", "A", NOW).told == "B is now called A. Files under A went to X until now."
    assert bring(file(("A", "b"), ("B", "b"))).unchanged == 1
    assert owners(engine) == {"X": 1, "A": 1}


def test_an_undo_gives_back_what_came_and_nothing_else(engine: Engine, bring: Bring) -> None:
    bring(file(("A", "a1"), ("A", "a2")))
    bring(file(("B", "b")))
    bring(file(("A", "a3"), ("A", "a4")))
    change = merge(engine, "A", "B", NOW).id
    with engine.begin() as connection:  # whose ids SQLite uses again
        connection.execute(delete(ModelEvaluation).where(ModelEvaluation.prediction_id.in_(["a3", "a4"])))
    bring(file(("C", "c1"), ("C", "c2")))
    assert "The merge had moved 4" in undo(engine, change or 0, NOW).told
    assert owners(engine) == {"A": 2, "B": 1, "C": 2}


def test_of_a_chain_the_last_is_undone_first(engine: Engine, bring: Bring) -> None:
    bring(file(("A", "a"), ("B", "b"), ("C", "c")))
    merge(engine, "A", "B", NOW)
    merge(engine, "B", "C", NOW)
    with pytest.raises(Refused, match=r"Undo change 2 first \(merge B → C\)"):
        undo(engine, 1, NOW)
    undo(engine, 2, NOW)
    assert owners(engine) == {"B": 2, "C": 1}
    bring(file(("A", "a2")))
    assert owners(engine) == {"B": 3, "C": 1}
    undo(engine, 1, NOW)
    assert owners(engine) == {"A": 2, "B": 1, "C": 1}


def test_of_two_renames_the_last_is_undone_first(engine: Engine, bring: Bring) -> None:
    bring(file(("A", "a")))
    rename(engine, "A", "B", NOW)
    rename(engine, "B", "C", NOW)
    with pytest.raises(Refused, match="Undo change 2 first"):
        undo(engine, 1, NOW)
    undo(engine, 2, NOW)
    undo(engine, 1, NOW)
    assert owners(engine) == {"A": 1}


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "FIRST_ROWS", 4)
    monkeypatch.setattr(moving, "ONE_TRANSACTION", 4)


class Killed(BaseException):
    pass


class Stop(Progress):
    def __call__(self, rows: int) -> None:
        raise Killed


@pytest.fixture
def merged(engine: Engine, bring: Bring, small_steps: None, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Ten rows of A, of which four belong to B when the merge is stopped."""
    monkeypatch.setattr("db.importing.turns.LEAST_ROWS", 4)
    bring(file(*(("A", f"a{k}") for k in range(10)), ("B", "b"), ("C", "c")))
    with pytest.raises(Killed):
        merge(engine, "A", "B", NOW, progress=Stop())
    assert owners(engine) == {"A": 6, "B": 5, "C": 1}
    return engine


def test_a_merge_that_was_stopped_is_finished_by_the_same_command(merged: Engine, bring: Bring) -> None:
    with pytest.raises(Refused, match="python -m db models merge A B, or take it back"):
        bring(file(("A", "a9", 1)))
    with pytest.raises(Refused, match="being moved"):
        rename(merged, "B", "X", NOW)
    assert bring(file(("C", "c2"))).new == 1
    change = merge(merged, "A", "B", NOW)
    assert change.told == "10 evaluations of A now belong to B." and change.id == 1
    assert owners(merged) == {"B": 11, "C": 2}
    assert bring(file(("A", "a9", 1))).updated == 1


def test_a_merge_that_was_stopped_is_taken_back(merged: Engine) -> None:
    with pytest.raises(Killed):
        undo(merged, 1, NOW, progress=Stop())
    with pytest.raises(Refused, match="moved back from B"):
        merge(merged, "A", "B", NOW)
    assert undo(merged, 1, NOW).told.startswith("Undone: merge of A. A has 10 evaluations again.")
    assert owners(merged) == {"A": 10, "B": 1, "C": 1}
    with merged.connect() as connection:
        assert connection.scalar(select(func.count(ModelEvaluation.came_as))) == 0
        assert connection.scalar(select(func.count(Model.merged_into))) == 0
    with pytest.raises(Refused, match="no change 1"):
        undo(merged, 1, NOW)


@pytest.mark.parametrize("again", ["merge", "undo"])
def test_a_merge_that_somebody_takes_back_meanwhile_stops(merged: Engine, again: str) -> None:
    class Other(Progress):
        def __call__(self, rows: int) -> None:
            undo(merged, 1, NOW)

    with pytest.raises(Refused, match="Somebody else"):
        if again == "merge":
            merge(merged, "A", "B", NOW, progress=Other())
        else:
            undo(merged, 1, NOW, progress=Other())
    assert owners(merged) == {"A": 10, "B": 1, "C": 1}


def test_what_was_done_to_the_demo_goes_with_it(demo: Engine, bring: Bring) -> None:
    with demo.connect() as connection:
        first = connection.scalars(select(Model.name).order_by(Model.id)).first()
    rename(demo, first, "my-own", NOW)
    bring(file((first, "a"), ("my-own", "a")))
    assert owners(demo) == {first: 1, "my-own": 1}
    with demo.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(ModelChange)) == 0
    with pytest.raises(Refused, match="no change 1"):
        undo(demo, 1, NOW)


def test_names_merged_into_a_model_that_stays_stay(demo: Engine, bring: Bring) -> None:
    bring(file(("atlsa", "a"), ("own", "b")), keep_demo=True)
    change = merge(demo, "atlsa", "own", NOW).id
    bring(file(("own", "c")))
    bring(file(("atlsa", "d")))
    assert owners(demo) == {"own": 4}
    undo(demo, change or 0, NOW)
    assert owners(demo) == {"own": 2, "atlsa": 2}


def test_a_model_that_is_renamed_while_its_weeks_are_judged(engine: Engine) -> None:
    weeks = [date(2026, 10, 26), date(2026, 11, 2), WEEK]
    store(engine, [scored(f"{week}-{k}", 50 + k, week) for week in weeks for k in range(12)])
    aggregate(engine, Here(NOW))

    def at_step(step: int) -> None:
        if step == 2:
            rename(engine, "model-1", "atlas-2", NOW)

    judge_week.judge_week(engine, judge_week.JudgeWeekParameters(), Here(NOW, at_step=at_step))
    counted = select(Verdict.subject, func.count(Verdict.week_start.distinct())).group_by(Verdict.subject)
    with engine.connect() as connection:
        assert [tuple(row) for row in connection.execute(counted)] == [("atlas-2", 3)]


def test_a_dry_run_of_an_undo_leaves_everything(engine: Engine, bring: Bring) -> None:
    bring(file(("A", "a"), ("B", "b")))
    merge(engine, "A", "B", NOW)
    told = "Undone: merge of A. A has 1 evaluation again."
    assert undo(engine, 1, NOW, dry_run=True).told == told
    assert owners(engine) == {"B": 2}
    assert undo(engine, 1, NOW).told == told


def test_a_rename_waits_for_the_verdicts_that_are_being_stored(postgresql_engine: Engine) -> None:
    engine = postgresql_engine
    store(engine, [scored("a", 50, WEEK)])
    with engine.connect() as reader, ThreadPoolExecutor(1) as pool:
        with reader.begin():
            under_todays_names(reader, {"model-1": 1}, [])
            waiting = pool.submit(rename, engine, "model-1", "atlas-2", NOW)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.5)
        assert waiting.result().told == "model-1 is now called atlas-2."
