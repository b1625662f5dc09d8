"""The pages in Korean: no English sentence is left, the choice stays, and two sessions never mix."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from db.metrics import METRICS
from jobs.formulas.verdict_names import VERDICTS
from jobs.slots import every_week
from jobs.timetable import JOBS
from language import speaking
from reports import wording
from reports.charts.scales import x_ticks
from reports.charts.text import period_name
from tests import filled
from tests.app.conftest import PAGES
from tests.conftest import Built
from translations.catalogue import read


@pytest.fixture(scope="session")
def korean_file(built: Built) -> Path:
    """The demo, filled and aggregated by jobs that speak Korean: what runs say is kept as they said it."""
    with speaking("ko"):
        return built("korean", filled.demo)


@pytest.fixture
def in_korean() -> Iterator[None]:
    """For AppTest's own side, which names the options of a picker as the browser does; the script has a thread."""
    with speaking("ko"):
        yield


@cache
def english() -> list[tuple[str, re.Pattern[str]]]:
    """Each text of the code with two English words or more that Korean says otherwise; its longest piece, and all.

    Verdicts are called so in the database too, and in the data of charts; what would take one for a text is left out.
    """
    found = []
    for message in read("ko"):
        for text in message.id if isinstance(message.id, tuple) else (message.id,):
            pieces = re.split(r"\{+[^{}]*\}+", text)
            pattern = re.compile(".{0,40}?".join(map(re.escape, pieces)))
            if text in message.string or any(map(pattern.search, VERDICTS)):
                continue
            if len(re.findall(r"[A-Za-z]{2,}", " ".join(pieces))) > 1:
                found.append((max(pieces, key=len), pattern))
    return found


def left_in_english(app: AppTest) -> list[str]:
    told = everything(app)
    return [text.pattern for piece, text in english() if piece in told and text.search(told)]


def everything(app: AppTest) -> str:
    """All that the server sent for a page: texts, labels, help, tables and charts."""
    sent = [node.proto for node in app._tree if getattr(node, "proto", None) is not None]
    return "\n".join(proto.SerializeToString().decode("utf-8", "ignore") for proto in sent)


@pytest.mark.parametrize("file", ["empty_file", "korean_file"])
@pytest.mark.parametrize("page", PAGES)
def test_no_english_sentence_is_left(page, file, open_page, request, in_korean):
    app = open_page(page, request.getfixturevalue(file), lang="ko", view="all")
    assert "집계 실행" in everything(app)
    assert left_in_english(app) == []


def test_the_walk_would_find_english(open_page, demo_file):
    assert len(left_in_english(open_page("overview", demo_file))) > 10


def test_the_choice_is_kept_in_the_address_and_on_other_pages(open_page, demo_file):
    app = open_page("overview", demo_file)
    assert [button.label for button in app.button if button.key == "run_aggregation"] == ["Run aggregation"]
    app.segmented_control(key="lang").set_value("ko").run()
    assert app.query_params["lang"] == "ko"
    with speaking("ko"):
        app.switch_page("views/operations.py").run()
        assert (app.title[0].value, app.query_params["lang"]) == ("작업 현황", "ko")
        app.segmented_control(key="lang").set_value("en").run()
    assert app.title[0].value == "Operations" and "lang" not in app.query_params


def test_the_setting_is_the_default_and_an_address_may_say_otherwise(open_page, demo_file, monkeypatch):
    monkeypatch.setenv("LANGUAGE", "ko_KR:ko:en")
    assert open_page("models", demo_file).title[0].value == "모델"
    assert open_page("models", demo_file, lang="xx").title[0].value == "모델"
    with speaking("en"):
        assert open_page("models", demo_file, lang="en").title[0].value == "Models"


def test_an_address_without_language_in_the_same_session_is_the_default(open_page, demo_file):
    app = open_page("overview", demo_file, lang="ko")
    del app.query_params["lang"]
    app.query_params["period"] = "30d"
    with speaking("ko"):
        app.run()
    assert app.selectbox(key="period").label == "Period"


def test_a_callback_speaks_the_language_of_its_page(open_page, demo_file, own_copy, in_korean):
    app = open_page("operations", demo_file, lang="ko")
    app.button(key="_pause_aggregate_models").click().run()
    assert any("일시 중지했습니다" in toast.value for toast in app.toast)


def test_a_dialog_speaks_the_language_of_its_page(open_page, demo_file, in_korean):
    app = open_page("operations", demo_file, lang="ko")
    app.button(key="run_aggregation").click().run()
    assert app.radio or app.segmented_control
    told = everything(app)
    assert "갱신이 필요한 모든 날" in told and "All that is stale" not in told


def outside_of_a_request() -> None:
    """As a fragment runs by itself: the frame around it, and its `speaking`, is not there."""
    import streamlit as st

    from dashboard import filters
    from language import _

    filters.remember("language", st.query_params["lang"])
    st.fragment(lambda: st.write(_("Overview")))()


@pytest.mark.parametrize(("language", "told"), [("ko", "한눈에"), ("en", "Overview")])
def test_a_fragment_by_itself_speaks_the_language_of_its_session(language, told):
    app = AppTest.from_function(outside_of_a_request)
    app.query_params["lang"] = language
    assert app.run().markdown[0].value == told


def in_its_language(app: AppTest, language: str, page: str = "") -> str:
    """Runs a session's page again, or another one; returns its title and the name of a picker."""
    with speaking(language):
        (app.switch_page(f"views/{page}.py") if page else app).run()
    return f"{app.title[0].value}, {app.selectbox(key='period').label}"


def test_two_sessions_in_two_languages_never_mix(open_page, korean_file):
    korean, other = open_page("overview", korean_file, lang="ko"), open_page("overview", korean_file)
    for _round in range(2):  # the second one is of cached answers
        assert in_its_language(korean, "ko", "models") == "모델, 기간"
        assert in_its_language(other, "en", "models") == "Models, Period"
        assert left_in_english(korean) == []
        assert "신뢰구간" not in everything(other)
        assert in_its_language(korean, "ko", "operations") == "작업 현황, 기간"
        assert in_its_language(other, "en", "operations") == "Operations, Period"
        assert left_in_english(korean) == []


def test_sessions_side_by_side_in_threads_never_mix(open_page, demo_file):
    languages = ["ko", "en", "ko", "en"]
    apps = []
    for language in languages:
        with speaking(language):
            apps.append(open_page("models", demo_file, lang=language))
    with ThreadPoolExecutor(len(apps)) as threads:
        for _round in range(2):
            told = list(threads.map(in_its_language, apps, languages))
            assert told == ["모델, 기간", "Models, Period"] * 2


def test_days_weeks_and_moments_in_korean():
    first, last = date(2026, 11, 9), date(2026, 11, 15)
    now = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
    with speaking("ko"):
        assert wording.span(first, last) == "2026년 11월 9일 – 15일"
        assert wording.span(date(2026, 10, 26), first) == "2026년 10월 26일 – 11월 9일"
        assert wording.span(date(2025, 12, 29), date(2026, 1, 4)) == "2025년 12월 29일 – 2026년 1월 4일"
        assert period_name(date(2025, 12, 29), "week") == "2025년 12월 29일 – 2026년 1월 4일"
        assert period_name(first, "week") == wording.span(first, last)
        assert (wording.week_name(first), wording.week_against(first)) == (
            "46주차",
            "2026년 11월 9일 – 15일, 45주차와 비교",
        )
        assert wording.moment(datetime(2026, 11, 15, 17, 14, tzinfo=UTC), now) == "11월 16일(월) 02:14"
        assert wording.moment(datetime(2025, 11, 15, 17, 14, tzinfo=UTC), now) == "2025년 11월 16일(일) 02:14"
        assert wording.took(now, now.replace(minute=33)) == "3분"
        assert wording.difference(-19.1, METRICS["target_achieved_rate"]) == "−19.1%p"
        rhythm = every_week(JOBS["judge_week"], "Monday", datetime(2026, 1, 1, 9).time()).told()
        assert rhythm == "매주 월요일 09:00"


def test_months_on_the_time_axis_are_korean():
    with speaking("ko"):
        names = list(x_ticks(date(2025, 11, 3), date(2026, 3, 1)).values())
        assert names == ["12월", "2026년 1월", "2월", "3월"]
        assert list(x_ticks(date(2026, 11, 9), date(2026, 11, 10)).values()) == ["11월 9일", "11월 10일"]
