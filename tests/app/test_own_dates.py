"""Own dates: picked in the sidebar, kept in the address, and harmless whatever the address says."""

from datetime import date, timedelta

import pytest

from tests.app.test_pages import words

ADDRESS = {"period": "own", "from": "2026-01-07", "to": "2026-02-04"}


@pytest.fixture
def newest(open_page, demo_file):
    """The newest day of the demo, which moves with the present."""
    return open_page("overview", demo_file, period="own").sidebar.date_input[0].value[1]


def picked(app):
    return app.sidebar.date_input[0].value


def test_own_dates_begin_with_the_days_shown_last_and_go_into_the_address(open_page, demo_file, newest):
    app = open_page("models", demo_file)
    assert not app.sidebar.date_input
    app.selectbox(key="period").set_value("own").run()
    first = newest - timedelta(days=newest.weekday(), weeks=11)
    assert picked(app) == (first, newest)
    days = newest - timedelta(days=40), newest - timedelta(days=20)
    app.sidebar.date_input[0].set_value(days).run()
    assert not app.exception
    assert (app.query_params["from"], app.query_params["to"]) == tuple(map(str, days))
    assert app.query_params["period"] == "own"
    assert "daily" in app.caption[0].value or "daily" in words(app)


def test_own_dates_survive_a_page_switch_and_a_new_tab(open_page, demo_file, newest):
    days = newest - timedelta(days=40), newest - timedelta(days=20)
    asked = {"period": "own", "from": str(days[0]), "to": str(days[1])}
    app = open_page("models", demo_file, **asked)
    assert picked(app) == days
    app.switch_page("views/operations.py").run()
    assert picked(app) == days
    assert {name: app.query_params[name] for name in asked} == asked
    app.switch_page("views/models.py").run()
    assert picked(app) == days


def test_an_address_with_dates_alone_means_own_dates(open_page, demo_file, newest):
    days = newest - timedelta(days=10), newest - timedelta(days=5)
    app = open_page("overview", demo_file, **{"from": str(days[0]), "to": str(days[1])})
    assert app.selectbox(key="period").value == "own"
    assert picked(app) == days


def test_another_preset_takes_the_dates_out_of_the_address(open_page, demo_file, newest):
    days = newest - timedelta(days=10), newest - timedelta(days=5)
    app = open_page("overview", demo_file, **{"period": "own", "from": str(days[0]), "to": str(days[1])})
    app.selectbox(key="period").set_value("12w").run()
    assert not app.sidebar.date_input
    assert not {"from", "to", "period"} & set(app.query_params)
    assert app.selectbox(key="period").value == "12w"


@pytest.mark.parametrize("page", ["overview", "models", "operations"])
@pytest.mark.parametrize(
    "dates",
    [
        {},
        {"from": "2026-02-04", "to": "2026-01-07"},
        {"from": "yesterday", "to": "<b>"},
        {"from": "2026-01-07"},
        {"from": "0001-01-01", "to": "9999-12-31"},
    ],
)
def test_dates_that_are_none_fall_back_to_the_usual_period(page, dates, open_page, demo_file, newest):
    app = open_page(page, demo_file, period="own", **dates)
    assert picked(app) == (newest - timedelta(days=newest.weekday(), weeks=11), newest)
    assert app.query_params["to"] == [str(newest)] or app.query_params["to"] == str(newest)


@pytest.mark.parametrize("page", ["overview", "models"])
@pytest.mark.parametrize(("first", "last"), [("1900-01-01", "1900-01-01"), ("2099-01-01", "2100-12-31")])
def test_days_without_data_say_so(page, first, last, open_page, demo_file):
    app = open_page(page, demo_file, **{"period": "own", "from": first, "to": last})
    assert picked(app) == (date.fromisoformat(first), date.fromisoformat(last))
    assert "no data in this period" in words(app)


def test_beside_the_dates_stands_what_is_shown_where_it_differs(open_page, demo_file, newest):
    wednesday = newest - timedelta(days=newest.weekday() + 5)
    asked = {"from": str(wednesday - timedelta(weeks=8)), "to": str(wednesday)}
    app = open_page("models", demo_file, period="own", **asked)
    (told,) = [caption.value for caption in app.sidebar.caption if "shown" in caption.value]
    assert "whole weeks" in told
    app = open_page("models", demo_file, period="own", **{"from": "1990-01-01", "to": "2090-01-01"})
    assert any("shown" in caption.value for caption in app.sidebar.caption)
    days = {"from": str(wednesday - timedelta(days=3)), "to": str(wednesday)}
    app = open_page("models", demo_file, period="own", **days)
    assert not any("shown" in caption.value for caption in app.sidebar.caption)
