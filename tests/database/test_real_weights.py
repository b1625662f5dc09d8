"""Real forecasts: what a run stores of a window against pandas, straight from the file."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, select
from weighed import NOW, adjust, in_force

from db.importing import import_file
from db.tables.forecasts import ModelPerformance
from settings import current

REAL = {
    "epf_be_de.csv.gz": (["2015-06-30", "2016-12-31", "2017-11-30"], "EPEX_=DNN 1,LEAR 56"),
    "flusight_2023_2025.csv.gz": (
        ["2023-12-31", "2024-05-04", "2025-01-31"],
        "FLU=CMU-TimeSeries,PSI-PROF,UMass-flusion",
    ),
}


@pytest.mark.parametrize("name", REAL)
def test_real_forecasts_equal_pandas(
    engine: Engine, shared_data: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if engine.dialect.name == "postgresql" and name.startswith("epf"):
        pytest.skip("one engine is enough for the large ones")
    days, members = REAL[name]
    file = shared_data / f"A_prediction_outcomes__{name}"
    import_file(engine, "prediction_outcomes", file, zone=current().zone, now=NOW)
    monkeypatch.setenv("ENSEMBLE_MEMBERS", members)
    given = pd.read_csv(file).dropna(subset=["actual_value"])
    for day in days:
        adjust(engine, day=day)
        wanted = of_window(given, pd.Timestamp(day))
        assert len(wanted) > 90
        found = figures_of(engine, day)
        pd.testing.assert_frame_equal(found, wanted, check_dtype=False, rtol=1e-9)
        weighed = assert_weights(engine, wanted, members.partition("=")[2].split(","))
        assert weighed >= 24 if name.startswith("epf") else not weighed, "admissions are weekly: under ten"


def of_window(given: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Hit rate, error and n by code, horizon and model, straight from the file."""
    rows = given.assign(
        horizon=given["horizon"].str[:-1].astype(int) * given["horizon"].str[-1].map({"d": 1, "w": 7}),
        known=pd.to_datetime(given["resolved_at"])
        .dt.tz_convert("Asia/Seoul")
        .dt.tz_localize(None)
        .dt.normalize(),
        error=(given["predicted_value"] - given["actual_value"]).abs(),
    )
    up, base = rows["predicted_value"] - rows["base_value"], rows["actual_value"] - rows["base_value"]
    rows["hit"] = (np.sign(up) == np.sign(base)).astype(float).where(rows["base_value"].notna())
    rows = rows[rows["known"].between(day - pd.Timedelta(days=30), day)]
    groups = rows.groupby(["code", "horizon", "model"])
    return pd.DataFrame(
        {
            "hit_rate": groups["hit"].mean(),
            "direction_count": groups["hit"].count(),
            "mae": groups["error"].mean(),
            "sample_count": groups.size(),
        }
    ).sort_index()


def figures_of(engine: Engine, day: str) -> pd.DataFrame:
    p = ModelPerformance
    rows = select(p.code, p.horizon, p.model, p.hit_rate, p.direction_count, p.mae, p.sample_count).where(
        p.as_of == date.fromisoformat(day)
    )
    with engine.connect() as connection:
        found = pd.DataFrame(connection.execute(rows).all())
    return found.set_index(["code", "horizon", "model"]).sort_index()


def assert_weights(engine: Engine, wanted: pd.DataFrame, members: list[str]) -> int:
    """The weights of groups where each member has ten outcomes and none is at the floor, and how many these are."""
    wide = wanted.reset_index().pivot(index=["code", "horizon"], columns="model")
    rates, counts = (
        wide["hit_rate"].reindex(columns=members),
        wide["direction_count"].reindex(columns=members),
    )
    shares = rates.div(rates.sum(axis=1), axis=0)
    plain = shares[(counts >= 10).all(axis=1) & (shares > 0.1).all(axis=1)]
    found = in_force(engine)
    for group, row in plain.iterrows():
        assert found[group] == pytest.approx(row.to_dict(), abs=1e-8)
    return len(plain)
