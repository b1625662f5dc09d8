"""The table beside each chart: closed it costs nothing, open it has the chart's data in words."""

import pytest

from dashboard import beside

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
    assert len(app.get("download_button")) == 1
