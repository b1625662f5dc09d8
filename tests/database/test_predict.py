"""predict: the rows of members and ensemble, once for each newest bar, and who is absent for what reason."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, delete, insert, select
from test_aggregate_models import Here

import settings
from db.errors import Refused
from db.tables.forecasts import EnsembleWeight, Prediction, TrainingRun
from db.writers import store_predictions, store_prices
from jobs import chronos
from jobs.codes import CodeParameters
from jobs.job import Outcome
from jobs.match_outcomes import MatchOutcomesParameters, match_outcomes
from jobs.predict import PredictParameters, predict, predict_now
from jobs.retrain import retrain
from tests.prices import LAST, closes, rows

NOW = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)  # Friday 16:30 in Seoul
DAY = timedelta(days=1)
p = Prediction


@pytest.fixture(autouse=True)
def one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRAIN_BACKEND", "sequential")
    monkeypatch.setenv("HORIZONS", "1,3")


@pytest.fixture
def trained(engine: Engine) -> Engine:
    store_prices(rows("K", closes(momentum=0.95)), engine=engine, now=NOW)
    assert retrain(engine, CodeParameters(), Here(NOW - 5 * DAY)).result["promoted"] == 2
    return engine


@pytest.fixture
def with_chronos(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that goes on by half a per cent a bar; tests/heavy has the real one."""

    class Rising:
        def predict_df(self, frame: Any, prediction_length: int, quantile_levels: Any, freq: str) -> Any:
            last = frame.groupby("item_id")["target"].last()
            found = last.to_frame("close").merge(
                chronos.pd.DataFrame({"step": range(1, prediction_length + 1)}), how="cross"
            )
            found["item_id"] = np.repeat(last.index, prediction_length)
            median = found["close"] * (1 + found["step"] / 200)
            crossing = {"0.1": median, "0.5": median * 0.9, "0.9": median * 1.1}
            return found.assign(timestamp=found["step"], **crossing)

    monkeypatch.setenv("CHRONOS_MODEL", "amazon/chronos-2")
    monkeypatch.setattr(chronos, "_loaded", lambda _model: Rising())


def run(engine: Engine, now: datetime = NOW, **params: Any) -> Outcome:
    return predict(engine, PredictParameters(**params), Here(now))


def stored(engine: Engine, *names: str) -> list[Any]:
    with engine.connect() as connection:
        columns = [getattr(p, name) for name in names]
        return [tuple(row) for row in connection.execute(select(*columns).order_by(p.id))]


def by_model(engine: Engine, horizon: int = 1) -> dict[str, float]:
    found = stored(engine, "horizon", "model", "predicted_value")
    return {model: value for h, model, value in found if h == horizon}


def test_rows_of_members_and_ensemble(trained: Engine, with_chronos: None) -> None:
    found = run(trained)
    assert found.summary == "6 predictions of 1 code."
    base = closes(momentum=0.95)[-1]
    names = ("code", "model", "horizon", "target_date", "base_value", "user_triggered", "predicted_at", "day")
    assert sorted(stored(trained, *names)) == sorted(
        ("K", model, horizon, LAST + horizon * DAY, base, False, NOW, LAST)
        for model in ("chronos", "lgbm", "ensemble")
        for horizon in (1, 3)
    )
    said = by_model(trained)
    assert said["chronos"] == pytest.approx(base * 1.005)  # Monday's bar is the next one, quantiles crossed
    assert said["lgbm"] != base
    assert said["ensemble"] == pytest.approx(0.6 * said["chronos"] + 0.4 * said["lgbm"])
    assert by_model(trained, 3)["chronos"] == said["chronos"]
    assert match_outcomes(trained, MatchOutcomesParameters(), Here(NOW)).rows_read == 6


def weigh(engine: Engine, weights: dict[str, float]) -> None:
    """Puts weights into force."""
    common: dict[str, Any] = {"code": "K", "horizon": 1, "sample_count": 20, "as_of": LAST}
    common |= {"rule": "hit_rate", "updated_at": NOW}
    rows = [common | {"model": model, "weight": weight} for model, weight in weights.items()]
    with engine.begin() as connection:
        connection.execute(insert(EnsembleWeight), rows)


def test_weights_in_force_count(trained: Engine, with_chronos: None) -> None:
    weigh(trained, {"chronos": 0.2, "lgbm": 0.8})
    run(trained)
    said = by_model(trained)
    assert said["ensemble"] == pytest.approx(0.2 * said["chronos"] + 0.8 * said["lgbm"])


def test_weights_of_other_members_are_not_theirs(trained: Engine, with_chronos: None) -> None:
    weigh(trained, {"theta": 0.3, "naive": 0.7})
    run(trained)
    said = by_model(trained)
    assert said["ensemble"] == pytest.approx(0.6 * said["chronos"] + 0.4 * said["lgbm"])


def test_a_second_run_on_the_same_bar_adds_nothing_and_a_new_bar_does(trained: Engine) -> None:
    run(trained)
    before = stored(trained, "id", "predicted_value")
    assert len(before) == 4
    again = run(trained, NOW + timedelta(hours=3))
    assert again.summary == "Nothing was predicted. 1 code was predicted already."
    assert stored(trained, "id", "predicted_value") == before
    monday = LAST + 3 * DAY
    store_prices([{"code": "K", "date": monday, "close": 100.0}], engine=trained, now=NOW)
    run(trained, NOW + 3 * DAY)
    assert len(stored(trained, "id")) == 8
    assert stored(trained, "target_date", "base_value")[-1] == (monday + 3 * DAY, 100.0)


def test_somebody_who_asks_gets_rows_of_their_own_and_their_ids(trained: Engine, with_chronos: None) -> None:
    run(trained)
    found = run(trained, NOW + timedelta(hours=1), code="K", horizon=3, user_triggered=True)
    [told] = found.result["predictions"]
    assert (told["code"], told["horizon"], told["target_date"]) == ("K", 3, str(LAST + 3 * DAY))
    ids = predict_now("K", 5, engine=trained, now=NOW + timedelta(hours=2))
    assert ids.keys() == {"chronos", "ensemble"}, "no model is trained for five days ahead"
    with trained.connect() as connection:
        rows = connection.execute(select(p.id, p.model, p.horizon).where(p.user_triggered)).all()
    assert {(row.model, row.horizon): row.id for row in rows} == {
        **{(model, 3): number for model, number in told["ids"].items()},
        **{(model, 5): number for model, number in ids.items()},
    }
    assert predict_now("K", 3, engine=trained, now=NOW + timedelta(hours=1)) == told["ids"], "the same moment"
    scheduled = run(trained, NOW + timedelta(hours=4))
    assert scheduled.rows_written == 0


def test_what_somebody_asked_for_does_not_stand_in_for_the_schedule(trained: Engine) -> None:
    predict_now("K", 1, engine=trained, now=NOW)
    assert run(trained, NOW + timedelta(hours=1)).rows_written == 4


def test_somebody_who_asks_in_vain_is_told_why(trained: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    told = (
        "Nothing was predicted. 1 forecast without chronos: CHRONOS_MODEL is not set. "
        "1 forecast without lgbm: no model is in use."
    )
    with pytest.raises(Refused) as refused:
        predict_now("K", 5, engine=trained, now=NOW)
    assert str(refused.value) == told
    with pytest.raises(Refused, match="GONE: there are no prices of it"):
        predict_now("GONE", 1, engine=trained, now=NOW)
    assert stored(trained, "id") == []


def test_a_model_that_is_too_old_predicts_nothing(trained: Engine) -> None:
    store_prices(rows("K", closes(30), LAST + 28 * DAY), engine=trained, now=NOW)
    assert run(trained, NOW + 30 * DAY).rows_written == 4
    store_prices([{"code": "K", "date": LAST + 35 * DAY, "close": 100.0}], engine=trained, now=NOW)
    late = run(trained, NOW + 36 * DAY)
    assert late.rows_written == 0
    assert "2 forecasts without lgbm: the model is 41 days old; MODEL_MAX_AGE_DAYS is 35" in late.summary


def test_a_code_whose_newest_bar_is_old_is_skipped_and_told(trained: Engine) -> None:
    assert run(trained, NOW + 7 * DAY).rows_written == 4
    late = run(trained, NOW + 8 * DAY)
    assert late.result["skipped"] == {"K": "its newest price is of 2026-11-20"}
    assert late.summary == "Nothing was predicted. 1 code skipped (K: its newest price is of 2026-11-20)."


def test_a_file_that_went_away_and_a_price_below_zero_are_told(trained: Engine) -> None:
    store_prices([{"code": "K", "date": LAST + 3 * DAY, "close": -37.63}], engine=trained, now=NOW)
    assert "the newest price is not above zero" in run(trained, NOW + 3 * DAY).summary
    [first, _second] = sorted(settings.current().models_dir.iterdir())
    first.unlink()
    store_prices([{"code": "K", "date": LAST + 4 * DAY, "close": 100.0}], engine=trained, now=NOW)
    found = run(trained, NOW + 4 * DAY)
    assert f"1 forecast without lgbm: the model's file {first.name} is not in MODELS_DIR" in found.summary
    assert found.rows_written == 2


def test_absent_chronos_is_told_with_what_to_do(
    trained: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for model, told in (
        (str(tmp_path / "empty"), "has no config.json"),
        (str(tmp_path / "gone"), "is not there"),
        ("gone/to/nowhere", "is not there"),
        ("gone", "is not there"),
    ):
        monkeypatch.setenv("CHRONOS_MODEL", model)
        found = run(trained, code="K", dry_run=True)
        assert f"2 forecasts without chronos: the folder {model} of CHRONOS_MODEL {told}" in found.summary


def test_a_dry_run_shows_and_stores_nothing(trained: Engine) -> None:
    found = run(trained, code="K", dry_run=True)
    assert found.summary.startswith("Dry run. 4 predictions of 1 code.")
    assert found.result["predictions"][0]["values"].keys() == {"lgbm", "ensemble"}
    assert stored(trained, "id") == []


def test_without_prices_or_models_there_is_nothing_to_do(engine: Engine) -> None:
    assert run(engine).summary == "Nothing to predict: no code has 300 bars."
    store_prices(rows("K", closes()), engine=engine, now=NOW)
    assert run(engine).summary.startswith("Nothing to predict with: no model is in use")
    with pytest.raises(Refused, match="Nothing to predict with"):
        predict_now("K", 1, engine=engine, now=NOW)


def test_only_the_codes_of_the_settings_or_those_named(
    trained: Engine, monkeypatch: pytest.MonkeyPatch, with_chronos: None
) -> None:
    store_prices(rows("L", closes(30)), engine=trained, now=NOW)
    run(trained, dry_run=True)
    monkeypatch.setenv("RETRAIN_CODES", "L")
    found = run(trained)
    assert {code for (code,) in stored(trained, "code")} == {"L"}
    assert found.result["absent"] == {"chronos": {}, "lgbm": {"no model is in use": 2}}
    assert {row["code"] for row in run(trained, code="K, L", dry_run=True).result["predictions"]} == {"K"}


def test_predictions_of_others_are_left_alone(trained: Engine) -> None:
    row = {"code": "K", "model": "lgbm", "horizon": 1, "predicted_at": NOW, "target_date": LAST + DAY}
    store_predictions([row | {"predicted_value": 1.0, "base_value": 2.0}], engine=trained, now=NOW)
    run(trained, NOW + DAY)
    assert stored(trained, "predicted_value")[0] == (1.0,)
    assert len(stored(trained, "id")) == 5


def test_a_restored_database_may_know_no_models(trained: Engine) -> None:
    with trained.begin() as connection:
        connection.execute(delete(TrainingRun))
    assert run(trained).rows_written == 0
    assert date.fromordinal(LAST.toordinal()) == LAST
