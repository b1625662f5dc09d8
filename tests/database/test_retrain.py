"""retrain: what earns its place is put to use, a failing code stops nobody, a kill leaves the old or the new model."""

import json
import os
import random
import signal
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from sqlalchemy import Engine, delete, select
from test_aggregate_models import Here
from test_faults import started, wait_for

import settings
from db.errors import Refused
from db.tables.forecasts import PredictionOutcome, TrainingRun
from db.writers import store_predictions, store_prices
from jobs import artifacts, training
from jobs.artifacts import Unusable
from jobs.codes import CodeParameters
from jobs.formulas.features import NOT_KNOWN_YET, target
from jobs.job import Outcome, Passing
from jobs.match_outcomes import MatchOutcomesParameters, match_outcomes
from jobs.models_in_use import promoted
from jobs.price_history import bars_of
from jobs.retrain import retrain
from tests.prices import closes, rows

NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)  # Sunday 02:00 in Seoul
WEEK = timedelta(days=7)
t = TrainingRun


@pytest.fixture(autouse=True)
def one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRAIN_BACKEND", "sequential")
    monkeypatch.setenv("HORIZONS", "1")


@pytest.fixture
def learnable(engine: Engine) -> Engine:
    store_prices(rows("GOOD", closes(momentum=0.8)), engine=engine, now=NOW)
    return engine


def run(engine: Engine, now: datetime = NOW, **params: Any) -> Outcome:
    return retrain(engine, CodeParameters(**params), Here(now))


def recorded(engine: Engine, *names: str) -> list[Any]:
    with engine.connect() as connection:
        found = connection.execute(
            select(*(getattr(t, name) for name in names)).order_by(t.trained_at, t.code)
        )
        return [tuple(row) for row in found]


def files() -> list[str]:
    folder = settings.current().models_dir
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_good_signal_is_put_to_use_and_noise_is_not(learnable: Engine) -> None:
    store_prices(rows("NOISE", closes(seed=7)), engine=learnable, now=NOW)
    found = run(learnable)
    assert found.summary == "2 models trained: 1 promoted, 1 kept, 0 failed"
    good, noise = recorded(learnable, "code", "status", "rows", "folds", "artifact", "error")
    assert good[:4] == ("GOOD", "promoted", 299, 5)
    assert files() == [good[4]]
    assert noise == ("NOISE", "kept", 299, 5, "", None)
    [(mae, before, no_change, hits)] = recorded(learnable, "mae", "mae_before", "mae_no_change", "hit_rate")[
        :1
    ]
    assert mae < 0.8 * no_change
    assert before is None and hits > 0.7
    told = json.loads((settings.current().models_dir / good[4]).read_text())
    assert (told["code"], told["horizon"], told["rows"], len(told["folds"])) == ("GOOD", 1, 299, 5)
    assert told["versions"]["lightgbm"] == "4.7.0"
    assert told["scores"]["mae"] == mae


def test_the_model_in_use_stays_until_a_better_one_comes(learnable: Engine) -> None:
    for week in range(2):
        run(learnable, NOW + week * WEEK)
    (first, again) = recorded(learnable, "status", "mae", "mae_before", "artifact")
    assert first[0] == "promoted"
    assert again == ("kept", first[1], first[1], "")
    assert files() == [first[3]]


def test_files_of_the_newest_two_models_stay_and_leavings_go(
    learnable: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_MAX_AGE_DAYS", "1")  # so that each new one is put to use
    for week in range(3):
        run(learnable, NOW + week * WEEK)
        stem = recorded(learnable, "artifact")[-1][0].rsplit(".", 2)[0]
        for left in ("20270101T000000000000.json", "20270101T000000000000.json.part"):
            (settings.current().models_dir / f"{stem}.{left}").write_text("{")
        (settings.current().models_dir / "GOOD-of-somebody-else.json").write_text("{}")
    assert [status for (status,) in recorded(learnable, "status")] == ["promoted"] * 3
    run(learnable, NOW + 2 * WEEK + timedelta(hours=1))
    wanted = [name for (name,) in recorded(learnable, "artifact")[1:3]]
    assert files() == sorted([*wanted, "GOOD-of-somebody-else.json"])


def test_a_failing_code_stops_nobody(learnable: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    short, sunk = rows("SHORT", closes(40)), rows("SUNK", -closes())
    store_prices([*short, *sunk, *rows("BROKEN", closes(seed=2))], engine=learnable, now=NOW)
    monkeypatch.setenv("RETRAIN_CODES", "SUNK, GONE, GOOD, SHORT, BROKEN")
    train = training.train
    monkeypatch.setattr(
        training,
        "train",
        lambda bars, *more: 1 / 0 if bars.close[0] == closes(seed=2)[0] else train(bars, *more),
    )
    found = run(learnable)
    assert found.summary.startswith("5 models trained: 1 promoted, 0 kept, 4 failed. ")
    assert "SHORT 1 d failed (It has 40 bars; 300 are needed.)" in found.summary
    faults = dict(recorded(learnable, "code", "error"))
    assert faults["GOOD"] is None
    assert faults["GONE"] == "There are no prices of it."
    assert faults["SUNK"].startswith("Only 0 of its 320 bars can be learnt from; 200 are needed.")
    assert faults["BROKEN"] == "ZeroDivisionError: division by zero"
    assert len(files()) == 1


def test_where_not_one_code_works_the_job_fails(engine: Engine) -> None:
    with pytest.raises(Refused, match="Not one model could be trained: GONE 1 d failed"):
        run(engine, code="GONE")
    assert recorded(engine, "code", "status") == [("GONE", "failed")]


def test_without_prices_there_is_nothing_to_do(engine: Engine) -> None:
    store_prices(rows("SHORT", closes(299)), engine=engine, now=NOW)
    assert run(engine).summary == "Nothing to train: no code has 300 bars."
    assert recorded(engine, "code") == [] and files() == []


def test_a_dry_run_tells_codes_and_bars_and_writes_nothing(learnable: Engine) -> None:
    found = run(learnable, dry_run=True)
    assert found.summary == "Dry run. 1 code would be trained: GOOD (320 bars)"
    assert found.result == {"codes": [{"code": "GOOD", "rows": 320}]}
    assert recorded(learnable, "code") == [] and files() == []


def test_codes_that_are_no_names_of_files(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["../A", "..", "a/b\\c", "삼성전자", "CON", "A", "a", "x" * 200]
    for name in names:
        store_prices(rows(name, closes(momentum=0.8)), engine=engine, now=NOW)
    assert run(engine).result["promoted"] == len(names)
    assert len(files()) == len(names) == len({name.lower() for name in files()})
    folder = settings.current().models_dir
    assert list(folder.parent.glob("*.json")) == []
    with engine.connect() as connection:
        models = {name: promoted(connection, name)[1][0] for name in names}
    for name, model in models.items():
        assert json.loads((folder / model.artifact).read_text(encoding="utf-8"))["code"] == name
        assert model.trees(folder, NOW, 35).scale > 0


# Workers never see a database, so that one engine will do.
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_workers_give_the_same_models_as_none(learnable: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    store_prices(rows("MORE", closes(momentum=0.8, seed=5)), engine=learnable, now=NOW)
    monkeypatch.setenv("RETRAIN_JOBS", "2")
    monkeypatch.setenv("MODEL_MAX_AGE_DAYS", "1")
    boosters = []
    for week, backend in enumerate(("sequential", "threading", "loky")):
        monkeypatch.setenv("RETRAIN_BACKEND", backend)
        here = Here(NOW + week * WEEK)
        retrain(learnable, CodeParameters(), here)
        assert {message for _done, message in here.told} == {"GOOD", "MORE"}
        assert [done for done, _message in here.told] == [0, 0.5, 1]
        folder = settings.current().models_dir
        names = [artifact for (artifact,) in recorded(learnable, "artifact")[-2:]]
        boosters.append([json.loads((folder / name).read_text())["booster"] for name in names])
    assert boosters[0] == boosters[1] == boosters[2]


class Stop(BaseException):
    pass


@pytest.mark.parametrize(("engine_name", "backend"), [("postgresql", "sequential"), ("sqlite", "loky")])
def test_a_run_that_is_cancelled_between_codes_keeps_what_it_has(
    learnable: Engine, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    store_prices(rows("MORE", closes(momentum=0.8, seed=5)), engine=learnable, now=NOW)
    monkeypatch.setenv("RETRAIN_BACKEND", backend)
    monkeypatch.setenv("RETRAIN_JOBS", "2")

    def stop(step: int) -> None:
        if step == 2:
            raise Stop

    with pytest.raises(Stop):
        retrain(learnable, CodeParameters(), Here(NOW, at_step=stop))
    assert len(recorded(learnable, "code")) == len(files()) == 1


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_a_worker_that_is_ended_from_outside_is_told(
    learnable: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_prices(rows("MORE", closes()), engine=learnable, now=NOW)
    monkeypatch.setenv("RETRAIN_BACKEND", "loky")
    monkeypatch.setenv("RETRAIN_JOBS", "2")
    monkeypatch.setattr(training, "_train_in", _die)
    with pytest.raises(Passing, match="RETRAIN_JOBS=1"):
        run(learnable)


def _die(_parent: int, _task: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_model_that_cannot_be_read_stands_in_nobodys_way(learnable: Engine) -> None:
    run(learnable)
    [name] = files()
    path = settings.current().models_dir / name
    whole = path.read_text()
    for week, content in enumerate(("", whole[: len(whole) // 2], "[]", '{"features": 1}'), start=1):
        path.write_text(content)
        with pytest.raises(Unusable):
            artifacts.read(path.parent, name)
        run(learnable, NOW + week * WEEK)
        assert recorded(learnable, "status", "mae_before")[-1] == ("promoted", None)
        path = settings.current().models_dir / recorded(learnable, "artifact")[-1][0]
        name = path.name
        whole = path.read_text()


def test_a_folder_that_cannot_be_made_or_written(
    learnable: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MODELS_DIR", str(tmp_path / "file" / "models"))
    with pytest.raises(Refused, match="Check MODELS_DIR"):
        run(learnable)

    def full(*_: Any) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setenv("MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setattr(artifacts, "save", full)
    with pytest.raises(Refused, match="could not be written to MODELS_DIR: No space left on device"):
        run(learnable)
    assert recorded(learnable, "status", "artifact") == [("failed", "")]


def test_targets_equal_the_outcomes_of_the_job(engine: Engine) -> None:
    """Of a code with holes in its prices; predictions of each bar for each horizon."""
    close = closes(80, seed=9)
    kept = [row for n, row in enumerate(rows("HOLES", close)) if n % 11 < 7 and not 30 <= n < 38]
    made = [
        {"code": "HOLES", "model": "m", "horizon": horizon, "predicted_at": NOW - timedelta(days=200 - n)}
        | {
            "target_date": row["date"] + timedelta(days=horizon),
            "predicted_value": 1,
            "base_value": row["close"],
        }
        for n, row in enumerate(kept)
        for horizon in (1, 3, 5)
    ]
    store_prices(kept, engine=engine, now=NOW)
    store_predictions(made, engine=engine, now=NOW)
    match_outcomes(engine, MatchOutcomesParameters(), Here(NOW))
    o = PredictionOutcome
    with engine.connect() as connection:
        bars = bars_of(connection, "HOLES")
        for horizon in (1, 3, 5):
            found = target(bars, horizon)
            known = found.known_on < NOT_KNOWN_YET
            outcomes = select(o.bar_date, o.actual_value)
            matched = connection.execute(outcomes.where(o.horizon == horizon).order_by(o.target_date)).all()
            days = [date.fromordinal(day) for day in found.known_on[known]]
            assert [day for day, _actual in matched] == days
            assert [actual for _day, actual in matched] == pytest.approx(
                (bars.close * np.exp(found.move))[known].tolist()
            )
            assert 0 < known.sum() < len(bars)


def test_real_prices(engine: Engine, shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Volatility turns back to its mean; oil once cost less than nothing, and nobody knows where it goes."""
    monkeypatch.setenv("HORIZONS", "1,5")
    vix = pd.read_csv(shared_data / "E_prices__vix_daily.csv").tail(1_500)
    oil = pd.read_csv(shared_data / "E_prices__oil_daily.csv").query("ticker == 'WTI'")
    oil = oil[oil["date"].between("2016-01-01", "2021-12-31")]
    assert (oil["close"] <= 0).any()
    for frame in (vix, oil):
        store_prices(
            frame.rename(columns={"ticker": "code"})
            .assign(date=pd.to_datetime(frame["date"]).dt.date)
            .to_dict("records"),
            engine=engine,
            now=NOW,
        )
    run(engine)
    found = {
        (code, horizon): status for code, horizon, status in recorded(engine, "code", "horizon", "status")
    }
    assert found["VIX", 1] == "promoted"
    assert found["WTI", 1] == found["WTI", 5] == "kept"


def in_use(engine: Engine, codes: list[str]) -> dict[str, str]:
    """The file of each code's model in use."""
    with engine.connect().execution_options(readonly=True) as connection:
        return {code: promoted(connection, code)[1][0].artifact for code in codes}


def test_kill_in_the_middle_leaves_the_old_or_the_new_model(engine: Engine) -> None:
    """The models in use are too old, so that each is replaced; after each kill the new ones are taken back."""
    codes, chance, middle = [f"C{k}" for k in range(5)], random.Random(20261121), 0
    for k, code in enumerate(codes):
        store_prices(rows(code, closes(momentum=0.8, seed=k)), engine=engine, now=NOW)
    run(engine, NOW - 60 * WEEK)
    old, folder = in_use(engine, codes), settings.current().models_dir
    for _turn in range(8):
        with engine.begin() as connection:
            connection.execute(delete(t).where(t.trained_at > NOW - 30 * WEEK))
        with started(engine, "run", "retrain") as process:
            wait_for(lambda: in_use(engine, codes) != old)
            time.sleep(chance.uniform(0, 0.5))
            process.send_signal(signal.SIGKILL)
            process.wait(30)
        after = in_use(engine, codes)
        for code in codes:
            assert artifacts.read(folder, after[code]).scale > 0
        middle += any(after[code] == old[code] for code in codes)
        if middle:
            break  # make soak goes on
    assert middle
    run(engine, NOW + WEEK)
    assert set(files()) == {*old.values(), *in_use(engine, codes).values()}
    assert not set(old.values()) & set(in_use(engine, codes).values())


def test_processes_that_train_end_with_the_one_that_was_killed(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRAIN_BACKEND", "loky")
    monkeypatch.setenv("RETRAIN_JOBS", "2")
    for k in range(8):
        store_prices(rows(f"C{k}", closes(momentum=0.8, seed=k)), engine=sqlite_engine, now=NOW)
    with started(sqlite_engine, "run", "retrain") as process:
        wait_for(lambda: recorded(sqlite_engine, "code"))
        workers = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    assert len(workers) >= 2
    assert psutil.wait_procs(workers, timeout=30)[1] == []
