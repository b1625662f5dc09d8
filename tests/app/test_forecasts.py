"""Page Forecasts: what it shows of a code, the ledger with its way back, and the form that adjusts weights."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest
import streamlit as st
from sqlalchemy import delete, func, insert, select, text
from streamlit.testing.v1 import AppTest

from db.clock import utc_now
from db.engine import engine_for
from db.tables.forecasts import (
    EnsembleWeight,
    EnsembleWeightHistory,
    ModelPerformance,
    PredictionOutcome,
    TrainingRun,
)
from db.tables.operations import JobRun
from db.writers import store_outcomes
from jobs import claims
from jobs.runner import execute
from jobs.workers import this_worker
from tests import filled
from tests.app.test_pages import words

h = EnsembleWeightHistory


def ran(engine) -> str:
    """Runs what waits, as a worker does; the last status."""
    status = ""
    while claimed := claims.claim(engine, this_worker(), utc_now()):
        status = execute(engine, claimed, filled.SEOUL, utc_now)
    return status


def weights(engine) -> dict[tuple[str, int, str], float]:
    w = EnsembleWeight
    with engine.connect() as connection:
        found = connection.execute(select(w.code, w.horizon, w.model, w.weight)).all()
    return {tuple(row[:3]): row[3] for row in found}


def test_the_page_answers_its_questions(open_page, demo_file):
    app = open_page("forecasts", demo_file)
    assert not app.exception
    told = words(app)
    for question in (
        "Who carries BUOY.DEMO, 1 d ahead",
        "Next adjustment, Sun",
        "Ledger of changes",
        "Hit rate by week",
        "Closer than no change",
        "Said and come true",
        "Which rule would have done better",
        "Trainings",
        "Verdicts",
    ):
        assert question in told, question
    assert "The tuning pays" in told or "the tuning pays is not clear" in told


def test_code_and_horizon_come_from_the_address_and_go_into_it(open_page, demo_file):
    app = open_page("forecasts", demo_file, code="TIDE.DEMO", horizon="5")
    assert "Who carries TIDE.DEMO, 5 d ahead" in words(app)
    app.button_group(key="horizon").set_value("3").run()
    assert "Who carries TIDE.DEMO, 3 d ahead" in words(app)
    assert app.query_params["horizon"] in ("3", ["3"])


def form() -> None:
    from dashboard import adjusting

    adjusting._form()


def test_an_adjustment_is_previewed_run_and_taken_back(show, demo_file, engine):
    show(demo_file)
    with engine.begin() as connection:
        connection.execute(text("UPDATE ensemble_weights SET weight = 0.5"))
    before = weights(engine)
    app = AppTest.from_function(form, default_timeout=60).run()
    app.button(key="_adjust_preview_button").click().run()
    assert ran(engine) == "succeeded" and weights(engine) == before
    changes = app.run().dataframe[0].value
    assert set(changes["Model"]) == {"chronos", "lgbm"} and changes["Why"].str.contains("as measured").all()
    app.button(key="_adjust_run_button").click().run()
    assert ran(engine) == "succeeded" and weights(engine) != before
    app.run()
    app.button(key="_adjust_undo_button").click().run()
    assert ran(engine) == "succeeded" and weights(engine) == before
    with engine.connect() as connection:
        undone = connection.scalar(select(func.count()).where(h.action == "undone"))
    assert undone > 20


def test_a_first_weight_is_an_adjustment_also_beside_weights_in_force(open_page, show, demo_file, engine):
    show(demo_file)
    w = EnsembleWeight
    with engine.begin() as connection:
        connection.execute(delete(w).where(w.code == "TIDE.DEMO", w.horizon == 5))
    app = open_page("forecasts", demo_file, code="TIDE.DEMO")
    table = next(frame.value for frame in app.dataframe if "next" in frame.value.columns)
    assert set(table[table["horizon"] == 5]["what"]) == {"adjusted"}


def test_undo_of_the_ledger_asks_first(open_page, demo_file, engine):
    app = open_page("forecasts", demo_file)
    before = weights(engine)
    ledger = next(frame for frame in app.dataframe if "largest" in frame.value.columns)
    assert ledger.value["undo"].notna().sum() == 1, "the newest goes first"
    with engine.connect() as connection:
        newest = connection.scalar(select(func.max(h.run_id)))
    app.session_state["_undo_of"] = newest
    app.run()
    assert "come back, as an entry of its own in the ledger" in words(app)
    assert ran(engine) == "succeeded" and weights(engine) == before, "a rehearsal"
    with engine.connect() as connection:
        params = connection.scalar(select(JobRun.params).order_by(JobRun.id.desc()).limit(1))
    assert params == {"undo": newest, "dry_run": True}


def test_only_horizons_of_the_code_are_offered(open_page, demo_file, engine):
    app = open_page("forecasts", demo_file)
    assert app.button_group(key="horizon").options == ["1 d", "3 d", "5 d"]
    o = PredictionOutcome
    with engine.begin() as connection:
        connection.execute(delete(o).where(o.code == "TIDE.DEMO", o.horizon != 5))
    app = open_page("forecasts", demo_file, code="TIDE.DEMO", horizon="1")
    assert app.button_group(key="horizon").options == ["5 d"]
    assert "Who carries TIDE.DEMO, 5 d ahead" in words(app)
    with engine.begin() as connection:
        connection.execute(delete(o).where(o.code == "BUOY.DEMO"))
    app = open_page("forecasts", demo_file, code="BUOY.DEMO")
    assert not app.exception and "Who carries BUOY.DEMO" in words(app)
    with engine.begin() as connection:
        for table in (o, ModelPerformance):
            connection.execute(delete(table))
    st.cache_data.clear()  # which goes by the version of the data, and plain SQL does not raise it
    app = open_page("forecasts", demo_file)
    assert not app.exception and "Nothing has been aggregated yet" in words(app)


def test_an_outsider_adjusts_nothing(open_page, demo_file, monkeypatch, engine):
    monkeypatch.setenv("OPERATOR_PASSWORD", "correct horse")
    app = open_page("forecasts", demo_file)
    assert app.sidebar.button(key="adjust_weights").disabled
    assert app.button(key="_adjust_now").disabled
    ledger = next(frame for frame in app.dataframe if "largest" in frame.value.columns)
    assert ledger.value["undo"].isna().all()


def test_a_ledger_without_a_decision_says_who_makes_them(open_page, demo_file, tmp_path):
    path = tmp_path / "no-weights.db"
    shutil.copy(demo_file, path)
    engine = engine_for(f"sqlite:///{path}")
    with engine.begin() as connection:
        for table in ("ensemble_weights", "ensemble_weight_history", "weight_backtests", "training_runs"):
            connection.execute(text(f"DELETE FROM {table}"))
    engine.dispose()
    app = open_page("forecasts", path)
    assert not app.exception
    told = words(app)
    assert "No weight was decided on yet" in told and "Weights were not adjusted yet" in told
    assert "The rules were not compared yet" in told and "Nothing was trained for it" in told


def test_a_model_that_is_too_old_is_named(open_page, demo_file, engine):
    assert "not used" not in words(open_page("overview", demo_file))
    old = datetime(2026, 1, 4, 17, tzinfo=UTC)
    row = {"code": "REEF.DEMO", "horizon": 3, "model": "lgbm", "trained_at": old, "rows": 300, "folds": 5}
    with engine.begin() as connection:
        connection.execute(delete(TrainingRun))
        connection.execute(insert(TrainingRun).values(**row, status="promoted"))
        connection.execute(insert(TrainingRun).values(**row | {"code": "TIDE.DEMO"}, status="kept"))
    told = words(open_page("forecasts", demo_file))
    assert "Older than 35 days and not used: lgbm for REEF.DEMO, 3 d." in told


@pytest.fixture(scope="session")
def many_codes_file(built):
    return built("many-codes", many_codes)


def many_codes(path):
    """Three hundred codes with two members and twelve outcomes each, adjusted."""
    engine = filled.upgraded(path)
    known = datetime.now(UTC).replace(hour=1, minute=0, second=0, microsecond=0) - timedelta(days=2)
    rows = [
        {
            "code": f"*C{code:03}* <b>x</b>",
            "model": model,
            "horizon": 5,
            "predicted_at": known - timedelta(days=7 + n),
            "target_date": (known - timedelta(days=2 + n)).date(),
            "predicted_value": 100.0 + (code * 7 + n * 3 + len(model)) % 5 - 2,
            "base_value": 100.0,
            "actual_value": 100.0 + (code + n) % 3 - 1,
            "resolved_at": known - timedelta(days=n),
        }
        for code in range(300)
        for model in ("chronos", "lgbm")
        for n in range(12)
    ]
    store_outcomes(rows, engine=engine)
    assert filled.aggregate(engine) == "succeeded"
    from jobs import queue
    from jobs.timetable import job_named

    job = job_named("adjust_weights")
    queue.request(engine, job, job.read({}), trigger="manual", by="", now=utc_now())
    assert ran(engine) == "succeeded"
    return engine


def test_three_hundred_codes_are_searched(open_page, many_codes_file):
    app = open_page("forecasts", many_codes_file)
    assert not app.exception
    assert len(app.selectbox(key="code").options) == 300
    told = words(app)
    assert "Weights in force, all codes" in told
    with engine_for(f"sqlite:///{many_codes_file}").connect() as connection:
        assert connection.scalar(select(func.count()).select_from(h)) == 600
        assert connection.scalar(select(func.count()).where(JobRun.job == "adjust_weights")) == 1


def test_the_chart_of_weights_shows_what_readers_have(show, demo_file, engine):
    """A member that is none any more counts nothing; where no weight is in force they have those of the start."""
    from dashboard.weights import _steps

    show(demo_file)
    group, at = {"code": "NEW", "horizon": 2}, datetime(2026, 11, 1, 2, tzinfo=UTC)
    runs = (
        (("chronos", None, 0.3, "updated"), ("lgbm", None, 0.7, "updated")),
        (("a", 0.3, None, "removed"), ("chronos", 0.3, 0.2, "updated"), ("lgbm", 0.7, 0.8, "updated")),
        (("chronos", 0.2, None, "undone"), ("lgbm", 0.8, None, "undone")),
    )
    with engine.begin() as connection:
        for k, decided in enumerate(runs):
            moment = at + timedelta(days=k)
            common = group | {"run_id": 1_000_000 + k, "as_of": moment.date(), "decided_at": moment}
            common |= {"rule": "hit_rate", "sample_count": 20, "reason": "as_measured"}
            for model, before, after, action in decided:
                row = {"model": model, "before": before, "after": after, "action": action}
                connection.execute(insert(h).values(**common | row))
    table, events, _rule = _steps("NEW", 2)
    assert [round(value) for value in table["value"]] == [30, 70, 0, 20, 80, 60, 40]
    assert list(events["kind"]) == ["undone"]
