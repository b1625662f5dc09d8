"""The rules' backtest by the job: what it stores is what the formulas make of the same outcomes, in chunks too."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandas import DataFrame
from sqlalchemy import Engine

from db.engine import reading
from db.importing import import_file
from db.queries import weights
from db.writers import store_outcomes
from jobs import claims, member_outcomes, queue
from jobs.backtest_rules import JOB
from jobs.formulas.backtest import backtest
from jobs.formulas.diebold_mariano import against
from jobs.formulas.outcomes import COLUMNS
from jobs.runner import execute
from jobs.workers import this_worker
from settings import current

SEOUL = "Asia/Seoul"
NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)


def walk(engine: Engine, **params: Any) -> Any:
    asked = queue.request(engine, JOB, JOB.read(params), trigger="manual", by="", now=NOW)
    claimed = claims.claim(engine, this_worker(), NOW, asked.id)
    assert claimed
    execute(engine, claimed, current().zone, lambda: NOW)
    return queue.run_row(engine, asked.id)


def some(
    days: int = 60, codes: tuple[str, ...] = ("A", "B", "P1"), horizons: tuple[int, ...] = (1, 5)
) -> list[Any]:
    """Outcomes of two members; what each says depends on code, horizon and day. Late in the evening of Seoul, so that
    the day of UTC is another one."""
    first = datetime(2026, 9, 1, 16, 30, tzinfo=UTC)  # 01:30 on the next day in Seoul
    return [
        {
            "code": code,
            "model": model,
            "horizon": horizon,
            "predicted_at": first + timedelta(days=day),
            "target_date": (first + timedelta(days=day + 1 + horizon)).date(),
            "predicted_value": 100 + (day * (3 + n) + place) % 7 - 2 * n,
            "base_value": 100,
            "actual_value": 100 + (day * 5 + place) % 9 - 4,
            "resolved_at": first + timedelta(days=day + horizon),
        }
        for place, code in enumerate(codes)
        for n, model in enumerate(("chronos", "lgbm"))
        for horizon in horizons
        for day in range(days)
    ]


def as_known(rows: Any) -> DataFrame:
    """The same outcomes as the formulas take them."""
    frame = DataFrame(rows)
    for day, moment in (("predicted_day", "predicted_at"), ("resolved_day", "resolved_at")):
        frame[day] = [at.date().toordinal() for at in frame[moment].dt.tz_convert(SEOUL)]
    frame["target_day"] = [day.toordinal() for day in frame["target_date"]]
    return frame[list(COLUMNS)]


def stored(engine: Engine, prefix: str = "") -> DataFrame:
    with reading(engine) as connection:
        found = weights.backtest(connection)
    return found[found["prefix"] == prefix]


def assert_same(found: DataFrame, wanted: DataFrame) -> None:
    names, key = ["rule", "horizon", "week_start", "loss", "hit_rate", "n"], ["rule", "horizon", "week_start"]
    wanted = wanted.assign(week_start=[date.fromordinal(day) for day in wanted["week_start"]])
    pd.testing.assert_frame_equal(
        *(one[names].sort_values(key).reset_index(drop=True) for one in (found, wanted)), check_dtype=False
    )


def test_what_is_stored_is_what_the_formulas_say(engine: Engine) -> None:
    rows = some()
    store_outcomes(rows, engine=engine, now=NOW)
    run = walk(engine)
    wanted = backtest(as_known(rows), ("chronos", "lgbm"))
    assert len(wanted.weeks) > 50
    assert_same(stored(engine), wanted.weeks)
    assert run.rows_written == len(wanted.weeks)
    assert run.message == f"{wanted.weeks['week_start'].nunique()} weeks from 720 outcomes"
    with reading(engine) as connection:
        compared = weights.comparison(connection)
    assert set(compared["present"]) == {"hit_rate"}
    columns = ["rule", "horizon", "loss", "relative", "hit_rate", "n", "dates", "p"]
    of_formula = against(wanted.days)[columns].sort_values(["rule", "horizon"]).reset_index(drop=True)
    found = compared[columns].sort_values(["rule", "horizon"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(found, of_formula, check_dtype=False)


def test_sets_of_members_are_walked_through_by_themselves(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = some()
    more = [row | {"model": "third", "predicted_value": 101} for row in rows if row["model"] == "lgbm"]
    store_outcomes([*rows, *more], engine=engine, now=NOW)
    monkeypatch.setenv("ENSEMBLE_MEMBERS", "chronos,lgbm; P=chronos,lgbm,third")
    run = walk(engine)
    frame = as_known([*rows, *more])
    own = frame["code"] == "P1"
    assert_same(stored(engine), backtest(frame[~own], ("chronos", "lgbm")).weeks)
    assert_same(stored(engine, "P"), backtest(frame[own], ("chronos", "lgbm", "third")).weeks)
    assert run.result["members"] == {"": ["chronos", "lgbm"], "P": ["chronos", "lgbm", "third"]}
    assert {row["prefix"] for row in run.result["comparison"]} == {"", "P"}


def test_chunks_of_codes_make_one_backtest(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules that weigh a code by itself say the same, whatever the chunks."""
    rows = some(codes=("A", "B", "C", "D"))
    store_outcomes(rows, engine=engine, now=NOW)
    monkeypatch.setattr(member_outcomes, "CHUNK_ROWS", 200)
    monkeypatch.setattr(member_outcomes, "BLOCK_ROWS", 70)
    with reading(engine) as connection:
        cut = member_outcomes.chunks(connection, current().ensemble_members, date(2026, 1, 1))
    assert [(chunk.horizon, chunk.codes) for chunk in cut] == [
        (horizon, codes) for horizon in (1, 5) for codes in (["A", "B"], ["C", "D"])
    ]
    walk(engine)
    wanted = backtest(as_known(rows), ("chronos", "lgbm")).weeks
    pooled = ("inverse_mse", "bates_granger")
    found = stored(engine)
    assert_same(found[~found["rule"].isin(pooled)], wanted[~wanted["rule"].isin(pooled)])
    assert len(found) == len(wanted)


def test_a_run_replaces_what_earlier_ones_found(engine: Engine) -> None:
    store_outcomes(some(), engine=engine, now=NOW)
    walk(engine)
    before = stored(engine)
    assert walk(engine, dry_run=True).message.startswith("Dry run. ")
    pd.testing.assert_frame_equal(stored(engine), before)
    run = walk(engine, since="2026-10-01")
    assert set(stored(engine)["run_id"]) == {run.id}
    assert len(stored(engine)) < len(before)
    assert run.result["since"] == "2026-10-01"


def test_without_outcomes_there_is_nothing(engine: Engine) -> None:
    run = walk(engine)
    assert (run.status, run.message, run.result["comparison"]) == ("succeeded", "0 weeks from 0 outcomes", [])
    store_outcomes(some(days=3), engine=engine, now=NOW)
    assert walk(engine).message == "0 weeks from 36 outcomes"
    with reading(engine) as connection:
        assert (len(weights.backtest(connection)), len(weights.comparison(connection))) == (0, 0)


def test_codes_that_went_after_they_were_counted(engine: Engine) -> None:
    """As where the demo is removed while the rules are walked through."""
    gone = member_outcomes.Chunk("", 5, ["A", "B"], rows=10)
    with reading(engine) as connection:
        found = member_outcomes.outcomes(connection, gone, ("chronos", "lgbm"), NOW.date())
    assert backtest(found, ("chronos", "lgbm")).days.empty


def test_too_few_dates_for_any_test(engine: Engine) -> None:
    """As in the first weeks: every p is missing, and can be compared all the same."""
    store_outcomes(some(days=21, horizons=(1,)), engine=engine, now=NOW)
    walk(engine)
    with reading(engine) as connection:
        found = weights.comparison(connection)
    assert 0 < found["dates"].max() < 10
    assert found["p"].isna().all() and not any(p <= 0.05 for p in found["p"])


def test_on_real_electricity_prices(
    engine: Engine, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine.dialect.name == "postgresql":
        pytest.skip("one engine is enough for the large ones")
    file = shared_data / "A_prediction_outcomes__epf_be_de.csv.gz"
    import_file(engine, "prediction_outcomes", file, zone=current().zone, now=NOW)
    monkeypatch.setenv("ENSEMBLE_MEMBERS", "DNN 1,LEAR 56")
    walk(engine, since="2011-01-01")
    rows = pd.read_csv(file)
    rows["horizon"] = rows["horizon"].str[:-1].astype(int)
    for name in ("predicted_at", "resolved_at"):
        rows[name] = pd.to_datetime(rows[name])
    rows["target_date"] = pd.to_datetime(rows["target_date"]).dt.date
    wanted = backtest(as_known(rows), ("DNN 1", "LEAR 56"))
    assert_same(stored(engine), wanted.weeks)
