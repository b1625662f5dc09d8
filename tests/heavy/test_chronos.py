"""The real Chronos, on a tiny model of random weights that the test makes: from its files to rows of predictions."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, select

from db.tables.forecasts import Prediction
from db.writers import store_prices
from jobs import chronos
from jobs.chronos import Unavailable, closes_ahead
from jobs.predict import predict_now
from tests import filled
from tests.prices import closes, rows

pytestmark = pytest.mark.heavy
NOW = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Chronos-2 model of two small layers, as a folder."""
    torch = pytest.importorskip("torch", reason="requirements-heavy.txt is not installed")
    pytest.importorskip("chronos", reason="requirements-heavy.txt is not installed")
    from chronos.chronos2.config import Chronos2CoreConfig
    from chronos.chronos2.model import Chronos2Model

    config: Any = Chronos2CoreConfig(
        d_model=16,
        d_kv=8,
        d_ff=32,
        num_layers=2,
        num_heads=2,
        chronos_config={
            "context_length": 512,
            "output_patch_size": 16,
            "input_patch_size": 16,
            "input_patch_stride": 16,
            "quantiles": [level / 10 for level in range(1, 10)],
            "use_reg_token": True,
            "use_arcsinh": True,
            "max_output_patches": 4,
        },
        chronos_pipeline_class="Chronos2Pipeline",
        architectures=["Chronos2Model"],
    )
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("chronos")
    Chronos2Model(config).save_pretrained(folder)
    return folder


def test_closes_of_several_histories(tiny: Path) -> None:
    histories = [closes(320), 1_000 * closes(40, seed=2)]
    found = closes_ahead(str(tiny), histories, bars=3)
    assert found.shape == (2, 3)
    for said, history in zip(found, histories, strict=True):
        assert np.all(np.abs(said / history[-1] - 1) < 1), "of the size of its own prices"
    assert np.array_equal(found, closes_ahead(str(tiny), histories, bars=3))
    assert closes_ahead(str(tiny), histories[1:], bars=3)[0] == pytest.approx(found[1], rel=1e-3)


def test_a_model_is_loaded_once(tiny: Path) -> None:
    assert chronos._pipeline(str(tiny)) is chronos._pipeline(str(tiny))


def test_a_folder_that_holds_something_else(tiny: Path, tmp_path: Path) -> None:
    for content in ("{}", '{"model_type": "bert"}', "no json"):
        (tmp_path / "config.json").write_text(content)
        with pytest.raises(Unavailable, match="CHRONOS_MODEL cannot be loaded: "):
            closes_ahead(str(tmp_path), [closes(40)], 1)


def test_from_prices_to_predictions(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine: Engine = filled.upgraded(tmp_path / "tidemark.db")
    store_prices(rows("K", closes()), engine=engine, now=NOW)
    monkeypatch.setenv("CHRONOS_MODEL", str(tiny))
    ids = predict_now("K", 5, engine=engine, now=NOW)
    with engine.connect() as connection:
        stored = select(Prediction.model, Prediction.id, Prediction.predicted_value)
        found = {model: (number, value) for model, number, value in connection.execute(stored)}
    assert {model: number for model, (number, _value) in found.items()} == ids
    assert ids.keys() == {"chronos", "ensemble"}
    assert (
        found["chronos"][1]
        == found["ensemble"][1]
        == pytest.approx(closes_ahead(str(tiny), [closes()], 3)[0][2])
    )
    engine.dispose()
