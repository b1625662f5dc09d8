"""Models renamed, merged, retired, and all of it undone."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from test_aggregate_models import Here, aggregate, aggregated, scored, store

from db.__main__ import main
from db.engine import reading
from db.errors import Refused
from db.model_changes import merge, merging, rename, retire, undo
from db.queries.coverage import coverage_calendar
from db.queries.models import expected
from db.tables.models import Model, ModelEvaluation
from db.tables.operations import Verdict
from jobs import judge_week

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
WEEK = date(2026, 11, 9)


@pytest.fixture
def filled(engine: Engine) -> Engine:
    rows = [scored(f"a{k}", 50 + k, WEEK) for k in range(12)]
    store(engine, [*rows, *(scored(f"b{k}", 60 + k, WEEK, 2) for k in range(5))])
    aggregate(engine, Here(NOW))
    judge_week.judge_week(engine, judge_week.JudgeWeekParameters(), Here(NOW))
    return engine


def do(engine: Engine, what: Callable[..., Any], *arguments: Any) -> Any:
    return what(engine, *arguments, NOW)


def owners(engine: Engine) -> dict[str, int]:
    counted = select(Model.name, func.count()).join(ModelEvaluation).group_by(Model.name)
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(counted)}


def subjects(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.scalars(select(Verdict.subject)))


def test_a_renamed_model_keeps_its_figures_and_verdicts(filled: Engine) -> None:
    change = do(filled, rename, "model-1", "atlas-2")
    assert change.told == "model-1 is now called atlas-2."
    assert ("atlas-2", WEEK) in aggregated(filled) and subjects(filled) == {"atlas-2", "model-2"}
    do(filled, undo, change.id)
    assert subjects(filled) == {"model-1", "model-2"}
    with pytest.raises(Refused, match="no change"):
        do(filled, undo, change.id)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("model-9", "x", "no model “model-9”"),
        ("model-1", "model-2", "python -m db models merge model-1 model-2"),
        ("model-1", " ", "cannot be the name"),
        ("model-1", "a\x07b", "cannot be the name"),
    ],
)
def test_a_wrong_rename_is_refused(filled: Engine, old: str, new: str, told: str) -> None:
    with pytest.raises(Refused, match=told):
        do(filled, rename, old, new)
    assert owners(filled) == {"model-1": 12, "model-2": 5}


@pytest.mark.parametrize(
    ("n", "told"),
    [
        (1, "1 evaluation of {n} now belongs to b."),
        (2, "2 evaluations of {n} now belong to b."),
    ],
)
def test_words_of_a_merge(n: int, told: str) -> None:
    assert merging.told_moved(n, "{n}", "b") == told  # a name may hold anything


def test_a_merged_model_gives_all_to_the_other_and_can_have_it_back(filled: Engine) -> None:
    change = do(filled, merge, "model-2", "model-1")
    assert change.told == "5 evaluations of model-2 now belong to model-1."
    assert owners(filled) == {"model-1": 17}
    aggregate(filled, Here(NOW))
    assert {name for name, _day in aggregated(filled)} == {"model-1"}
    store(filled, [scored("c", 70, WEEK)])
    do(filled, undo, change.id)
    assert owners(filled) == {"model-1": 13, "model-2": 5}
    aggregate(filled, Here(NOW))
    assert {name: row["total_predictions"] for (name, _d), row in aggregated(filled).items()} == {
        "model-1": 13,
        "model-2": 5,
    }


def test_later_files_under_the_old_name_go_to_the_other(filled: Engine, bring: Callable[..., Any]) -> None:
    change = do(filled, merge, "model-2", "model-1")
    file = "prediction_id,model_name,predicted_at,evaluated_at,final_score\n"
    file += "b0,model-2,2026-11-09T03:00:00Z,2026-11-10T00:00:00Z,99\n"
    file += "new,model-2,2026-11-09T03:00:00Z,2026-11-10T00:00:00Z,98\n"
    report = bring(file)
    assert (report.new, report.updated) == (1, 1)
    assert owners(filled) == {"model-1": 18}
    report = bring(file, name="again.csv")
    assert (report.new, report.updated, report.unchanged) == (0, 0, 2)
    told = do(filled, undo, change.id).told
    assert owners(filled) == {"model-1": 12, "model-2": 6}
    assert told == (
        "Undone: merge of model-2. model-2 has 6 evaluations again. "
        "The merge had moved 5: what came under the name since went along, what was deleted is gone."
    )


def test_two_models_that_predicted_the_same_are_two_models(filled: Engine) -> None:
    store(filled, [scored("a3", 1, WEEK, 2)])
    with pytest.raises(Refused, match=r"have 1 prediction in common \(a3"):
        do(filled, merge, "model-2", "model-1")
    with pytest.raises(Refused, match="into itself"):
        do(filled, merge, "model-2", "model-2")
    assert owners(filled) == {"model-1": 12, "model-2": 6}


def test_names_that_were_merged_go_on(filled: Engine, bring: Callable[..., Any]) -> None:
    store(filled, [scored("c0", 1, WEEK, 3)])
    do(filled, merge, "model-3", "model-2")
    do(filled, merge, "model-2", "model-1")
    bring("prediction_id,model_name,predicted_at\nnew,model-3,2026-11-09T03:00:00Z\n", name="third.csv")
    assert owners(filled) == {"model-1": 19}
    with pytest.raises(Refused, match="was merged into another"):
        do(filled, rename, "model-2", "x")


def test_nobody_waits_for_a_retired_model(filled: Engine) -> None:
    change = do(filled, retire, "model-2")
    with reading(filled) as connection:
        assert expected(connection) == ["model-1"]
        table = coverage_calendar(connection, WEEK, WEEK, date(2026, 11, 20))
        assert set(table["subject"]) == {"model-1"}
    with pytest.raises(Refused, match="retired already"):
        do(filled, retire, "model-2")
    do(filled, undo, change.id)
    with reading(filled) as connection:
        assert expected(connection) == ["model-1", "model-2"]


def test_the_command_tries_does_lists_and_undoes(filled: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "merge", "model-2", "model-1", "--dry-run"]) == 0
    assert capsys.readouterr().out == "Dry run. 5 evaluations of model-2 now belong to model-1.\n"
    assert owners(filled) == {"model-1": 12, "model-2": 5}
    assert main(["models", "merge", "model-2", "model-1"]) == 0
    _did, number = capsys.readouterr().out.split("python -m db models undo ")
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    assert (
        "model-1: 17 evaluations\nmodel-2: merged into model-1\n" in out and "merge model-2 → model-1" in out
    )
    assert main(["models", "undo", number.split()[0]]) == 0
    assert owners(filled) == {"model-1": 12, "model-2": 5}
    assert main(["models", "rename", "nobody", "x"]) == 2
    assert "There is no model “nobody”" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (["undo", "9" * 20], "There is no change 99999999999999999999"),
        (["undo", "-1"], "no change -1"),
        (["retire", "\udcff"], "There is no model “\\udcff”"),
        (["rename", "model-1", "\udcff"], "cannot be the name of a model"),
        (["merge", "model-1", "\udcff"], "There is no model “\\udcff”"),
    ],
)
def test_what_no_database_can_hold_is_refused(
    filled: Engine, capsys: pytest.CaptureFixture[str], call: list[str], told: str
) -> None:
    assert main(["models", *call]) == 2
    assert told in capsys.readouterr().err


def test_only_what_changed_figures_asks_for_aggregation(
    filled: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    asks = "Now run: python -m jobs run aggregate_models"
    calls = (["rename", "model-2", "x"], ["undo", "1"], ["retire", "model-2"], ["undo", "2"])
    for call in calls:
        assert main(["models", *call]) == 0
        assert asks not in capsys.readouterr().out
    for call in (["merge", "model-2", "model-1"], ["undo", "3"]):
        assert main(["models", *call]) == 0
        assert asks in capsys.readouterr().out


def test_the_list_shows_former_names(filled: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    do(filled, rename, "model-2", "x")
    with reading(filled) as connection:
        assert expected(connection) == ["model-1", "x"]
    assert main(["models"]) == 0
    assert "x: 5 evaluations\nmodel-2: former name of x\n" in capsys.readouterr().out
