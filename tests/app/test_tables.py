"""The table beside each chart: closed it costs nothing, open it has the chart's data in words."""

import tomllib

import pytest
from sqlalchemy import update

from dashboard import beside
from db.engine import raise_data_version
from db.tables.models import Model
from tests.app.conftest import ROOT

BESIDE = {
    "overview": {"verdicts"},
    "models": {
        "final_score-by-week",
        "target_achieved_rate-by-model",
        "support_breach_rate-by-model",
        "coverage-by-model",
        "verdicts",
    },
    "operations": {"days"},
}


@pytest.fixture
def made(monkeypatch):
    """The names of the tables that were made."""
    names: list[str] = []
    show = beside._show
    monkeypatch.setattr(
        beside, "_show", lambda rows, data, width: (names.append(data.name), show(rows, data, width))
    )
    return names


@pytest.mark.parametrize("page", BESIDE)
def test_every_chart_has_its_data_as_a_table_made_only_when_it_is_open(page, open_page, demo_file, made):
    app = open_page(page, demo_file)
    assert made == []
    before = len(app.dataframe)
    for name in BESIDE[page]:
        app.session_state[f"table_{name}"] = True
    app.run()
    assert not app.exception
    assert set(made) == BESIDE[page]
    assert len(app.dataframe) == before + len(BESIDE[page])
    if page == "models":
        assert len(app.get("vega_lite_chart") + app.get("arrow_vega_lite_chart")) == len(BESIDE[page]) - 1, (
            "the verdicts are a table already"
        )


def test_the_panels_have_the_table_of_the_trend(open_page, demo_file, made):
    app = open_page("models", demo_file, view="all")
    app.session_state["table_final_score-by-week"] = True
    app.run()
    assert made == ["final_score-by-week"]
    (frame,) = (frame.value for frame in app.dataframe if "low" in frame.value)
    assert frame["subject"].nunique() == 8, "also the models that are not in colour"
    assert {"subject", "period", "value", "low", "high", "n", "unfinished"} <= set(frame.columns)
    assert [button.key for button in app.get("download_button")] == [
        "csv_final_score-by-week",
        "csv_all-models",
    ]


def test_no_table_offers_a_file_of_its_own_making():
    """Streamlit's own CSV and copies keep formulas as they are."""
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["client"]["disableDataExport"] is True


def test_a_table_in_full_has_its_csv_with_formulas_guarded(open_page, demo_file, monkeypatch, engine):
    made = []
    monkeypatch.setattr(beside.st, "download_button", lambda *told, data, **more: made.append(data()))
    open_page("models", demo_file)
    with engine.begin() as connection:
        connection.execute(update(Model).where(Model.name == "gale-1").values(name="=cmd|calc"))
        raise_data_version(connection)
    open_page("models", demo_file)
    text = made[-1].decode("utf-8-sig")
    assert text.splitlines()[0].startswith("Model,") and '"Score, 0–100"' in text
    assert "\n'=cmd|calc," in text and "Week by week" not in text


def test_runs_have_a_csv_in_words(open_page, demo_file, monkeypatch):
    made = []
    monkeypatch.setattr(beside.st, "download_button", lambda *told, data, **more: made.append(data()))
    open_page("operations", demo_file)
    text = made[-1].decode("utf-8-sig")
    assert text.splitlines()[0].startswith("Run,Status,Started,Job,")
    assert ",succeeded," in text and "aggregate_models" in text
