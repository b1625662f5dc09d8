"""The weekly digest: its parts in order, and that each number is the one that tables and pages have."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from told_weeks import BEFORE, MONDAY, WEEK, Weeks, around

from db.engine import writing
from db.facts import HOLDS_DEMO, state_fact
from db.tables.operations import JobRun, Report
from db.tables.quality import WeeklyAiQuality
from jobs import queue
from jobs.timetable import JOBS
from reports.blocks import Buttons, Divider, Header, Item, Note, Picture
from reports.context import Trouble
from reports.deliver import FILE
from reports.digest import KIND, build, last_finished_week
from reports.render_html import render as as_page
from reports.render_slack import render
from settings import load

KOREAN = [
    "📈 AI 성능 개선 리포트",
    "- 이번주 평균 점수 (10/6–10/12): 8.3",
    "- 지난주 평균 점수 (9/29–10/5): 7.5",
    "- 변화율: +10.7%  (개선, n = 412 / 398)",
    "- 👍 52 / 👎 11",
    "- 생성시각: 2025-10-13 09:00",
]
ENGLISH = [
    "📈 AI performance report",
    "- Average score this week (6 – 12 Oct): 8.3",
    "- Average score last week (29 Sep – 5 Oct): 7.5",
    "- Change: +10.7%  (improved, n = 412 / 398)",
    "- 👍 52 / 👎 11",
    "- Made at: 2025-10-13 09:00",
]


@pytest.fixture
def weeks(sqlite_engine: Engine, tmp_path: Path) -> Weeks:
    return Weeks(sqlite_engine, tmp_path)


def block(lines: list[str]) -> list[str]:
    [start] = [n for n, line in enumerate(lines) if line.startswith("📈")]
    return lines[start : start + 6]


# The block of AI quality


def test_the_block_of_ai_quality_to_the_letter(engine: Engine, tmp_path: Path) -> None:
    """With the likes of that week, whatever the week before had."""
    weeks = Weeks(engine, tmp_path, now=datetime(2025, 10, 13, 0, 0, tzinfo=UTC))
    weeks.answers(date(2025, 9, 29), around(7.5, 398), likes=5, dislikes=3)
    weeks.answers(date(2025, 10, 6), around(8.3, 412), likes=52, dislikes=11)
    weeks.settle()
    week = date(2025, 10, 6)
    assert block(weeks.lines(week)) == ENGLISH
    weeks.values = {"report_language": "ko"}
    assert block(weeks.lines(week)) == KOREAN, "REPORT_LANGUAGE overrides LANGUAGE"
    assert block(weeks.lines(week, language="en")) == ENGLISH


def test_its_numbers_are_those_of_the_tables(weeks: Weeks) -> None:
    weeks.answers(BEFORE, [3.21, 8.4, 7.77, 5.5] * 9, likes=7, dislikes=30, model="a")
    weeks.answers(WEEK, [9.3, 8.4, 9.77, 5.5] * 8 + [9], likes=31, dislikes=2, model="b")
    weeks.settle()
    with weeks.engine.connect() as connection:
        every = select(WeeklyAiQuality).where(WeeklyAiQuality.evaluator == "*")
        before, now = connection.execute(every.order_by(WeeklyAiQuality.week_start)).all()
    [row] = [row for row in weeks.verdicts() if (row["subject"], row["metric"]) == ("*", "avg_score")]
    found = block(weeks.lines())
    assert found[1].endswith(f": {now.avg_score:.1f}") and found[2].endswith(f": {before.avg_score:.1f}")
    told = f"{now.change_pct:+.1f}%  ({row['verdict']}, n = {row['n']} / {row['n_previous']})"
    assert found[3] == f"- Change: {told}" and (row["n"], row["n_previous"]) == (33, 36)
    assert found[4] == f"- 👍 {now.likes} / 👎 {now.dislikes}" == "- 👍 31 / 👎 2"


def test_a_week_that_is_missing_is_a_dash(weeks: Weeks) -> None:
    weeks.answers(BEFORE, around(7, 40), likes=4)
    weeks.settle()
    found = block(weeks.lines())
    assert found[1] == "- Average score this week (9 – 15 Nov): –"
    assert found[2] == "- Average score last week (2 – 8 Nov): 7.0"
    assert found[3].startswith("- Change: –")
    assert found[4] == "- 👍 – / 👎 –"


def test_likes_without_any_score(weeks: Weeks) -> None:
    weeks.answers(WEEK, [], likes=1_204, dislikes=3)
    weeks.settle()
    found = block(weeks.lines())
    assert found[1].endswith(": –") and found[3].startswith("- Change: –")
    assert found[4] == "- 👍 1,204 / 👎 3"


def test_weeks_across_new_year(sqlite_engine: Engine, tmp_path: Path) -> None:
    weeks = Weeks(sqlite_engine, tmp_path, now=datetime(2027, 1, 4, 0, 0, tzinfo=UTC))
    weeks.answers(date(2026, 12, 21), around(7, 40))
    weeks.answers(date(2026, 12, 28), around(6, 40))
    weeks.settle()
    week = last_finished_week(date(2027, 1, 4))
    lines = weeks.lines(week)
    assert lines[0] == "Tidemark, week 53 · 28 Dec 2026 – 3 Jan 2027"
    assert block(lines)[1] == "- Average score this week (28 Dec – 3 Jan): 6.0"
    assert block(lines)[3] == "- Change: −14.3%  (declined, n = 40 / 40)"
    assert "12/28–1/3" in block(weeks.lines(week, language="ko"))[1]


# The parts and their order


def full(weeks: Weeks) -> None:
    """Something for each part: clear changes, quiet ones, a model that is silent and one that is in part only."""
    earlier = [BEFORE - k * timedelta(days=7) for k in range(1, 7)]
    weeks.predictions(earlier, around(70, 6, 4), "steady", "gone", "half")
    weeks.predictions(BEFORE, around(70, 40, 4), "steady", "better", "worse", "half")
    weeks.predictions(WEEK, around(70, 40, 4), "steady")
    weeks.predictions(WEEK, around(80, 40, 4), "better")
    weeks.predictions(WEEK, around(55, 40, 4), "worse")
    waiting = [f"{WEEK}-h{k},half,{WEEK}T12:00:{k:02},," for k in range(40)]
    weeks._bring(
        "model_evaluations", "prediction_id,model_name,predicted_at,evaluated_at,final_score\n", waiting
    )
    weeks.answers(BEFORE, around(7.5, 40), likes=5)
    weeks.answers(WEEK, around(8.3, 40), likes=9, dislikes=2)
    weeks.settle()


def test_the_order_of_the_parts(engine: Engine, tmp_path: Path) -> None:
    weeks = Weeks(engine, tmp_path)
    full(weeks)
    weeks.values = {"public_url": "https://tidemark.example.org/"}
    message = weeks.digest(troubles=[Trouble("Aggregate models failed", "no disk", "aggregate_models")])
    assert isinstance(message.blocks[0], Header) and isinstance(message.blocks[-1], Note)
    assert isinstance(message.blocks[-2], Buttons) and not isinstance(message.blocks[-3], Divider)
    lines = weeks.lines(troubles=[Trouble("Aggregate models failed", "no disk", "aggregate_models")])
    parts = (
        "Tidemark, week 46 · 9 – 15 Nov 2026",
        "🔴 Needs a person: 3",
        "Aggregate models failed no disk",
        "gone sent nothing since ",
        "half is evaluated in part only: 0 of 40",
        "What changed, ranked by surprise",
        "📈 AI performance report",
        "Models · mean score ",
        "Scores: 1 improved (better), 1 declined (worse), ",
        "All quiet: ",
        "Open week 46: https://tidemark.example.org/?",
        "Made Mon 16 Nov 09:00 2026 (Asia/Seoul) · data until 15 Nov 2026",
    )
    at = [next(n for n, line in enumerate(lines) if line.startswith(part)) for part in parts]
    assert at == sorted(at)
    assert message.summary == (
        "Tidemark, week 46 · 9 – 15 Nov 2026: something needs a person, 3 clear changes"
    )


def test_changes_are_the_verdicts_most_surprising_first(weeks: Weeks) -> None:
    full(weeks)
    lines = weeks.lines()
    start = lines.index("What changed, ranked by surprise") + 1
    found = [line for line in lines[start : lines.index("", start)] if line[0] in "🟢🟠"]
    clear = [row for row in weeks.verdicts() if row["verdict"] in ("improved", "declined")]
    assert 3 <= len(found) == len(clear) <= 5
    for line, row in zip(found, clear, strict=True):
        assert line.startswith("🟢 " if row["verdict"] == "improved" else "🟠 ")
        name = "all answers" if row["subject"] == "*" else row["subject"]
        values = f"{row['previous']:.1f} → {row['value']:.1f}"
        assert line.startswith(f"{line[0]} {name}, ") and f" {values}, " in line
        assert line.endswith(f" · {row['verdict']} · n = {row['n']} / {row['n_previous']}")
    quiet = sum(row["verdict"] == "no clear change" for row in weeks.verdicts())
    few = sum(row["verdict"] == "too little data" for row in weeks.verdicts())
    [told] = [line for line in lines if line.startswith("All quiet: ")]
    assert re.findall(r"\d+", told) == [str(n) for n in (quiet, few) if n]


def test_a_phone_has_room_for_every_line(weeks: Weeks) -> None:
    full(weeks)
    assert "<table" not in re.sub(r'<table role="presentation".*?</table>', "", as_page(weeks.digest()))


# Weeks that lack something


@pytest.mark.parametrize("language", ["en", "ko"])
def test_without_any_data(engine: Engine, tmp_path: Path, language: str) -> None:
    weeks = Weeks(engine, tmp_path)
    message = weeks.digest(language=language, pictures=True)
    assert len(message.blocks) == 3
    lines = weeks.lines(language=language)
    if language == "en":
        assert lines[2] == "No data came in this week, nor in the one before it."
        assert "data until" not in lines[-1]
    assert len(render(message, KIND).posts) == 1


def test_where_all_data_are_old(weeks: Weeks) -> None:
    weeks.predictions(date(2026, 9, 7), around(70, 20))
    weeks.settle()
    lines = weeks.lines()
    assert "No model sent anything since 13 Sep 2026." in lines
    assert "No data came in this week, nor in the one before it." in lines
    assert "data until 13 Sep 2026" in lines[-1]


def test_a_first_week_has_nothing_to_compare(weeks: Weeks) -> None:
    weeks.answers(WEEK, around(8, 40), likes=3)
    weeks.predictions(WEEK, around(70, 40))
    weeks.settle()
    lines = weeks.lines()
    assert "There is nothing to compare yet: verdicts need two finished weeks with data." in lines
    assert block(lines)[2].endswith(": –") and block(lines)[3] == "- Change: –  (too little data, n = 40 / 0)"
    assert "Models · mean score 70.0" in lines
    assert not any("nan" in line.lower() for line in lines)


def test_only_models(weeks: Weeks) -> None:
    weeks.predictions(BEFORE, around(70, 40, 4))
    weeks.predictions(WEEK, around(80, 40, 4))
    weeks.settle()
    lines = weeks.lines()
    assert not any(line.startswith("📈") for line in lines)
    assert "Models · mean score 80.0 (+10.0 to the week before, n = 40 / 40)" in lines
    assert "Scores: 1 improved (harbor)" in lines


def test_only_answers(weeks: Weeks) -> None:
    weeks.answers(BEFORE, around(7.5, 40))
    weeks.answers(WEEK, around(7.5, 40))
    weeks.settle()
    lines = weeks.lines()
    assert not any(line.startswith(("Models", "Scores", "🔴")) for line in lines)
    assert block(lines)[3] == "- Change: 0.0%  (no clear change, n = 40 / 40)"
    assert "No change is clear this week." in lines


def test_too_little_data_is_said(weeks: Weeks) -> None:
    weeks.answers(BEFORE, around(7.5, 4))
    weeks.answers(WEEK, around(9.5, 6))
    weeks.settle()
    assert block(weeks.lines())[3] == "- Change: +26.7%  (too little data, n = 6 / 4)"


# Names that mean harm


HOSTILE = (
    "<!channel> & <@U123>",
    "*bold* _x_ ~y~ `z`",
    "שלום עולם",
    "👩🏽🇰🇷é",
    "الاسم <b>",
    "</b><script>alert(1)</script>",
    "@here https://evil.example",
    "=HYPERLINK(1)",
)


def test_200_models_with_hostile_names_fit_slack(weeks: Weeks) -> None:
    names = [f"{HOSTILE[k % len(HOSTILE)]} {k:03} {'long ' * (k % 30)}end" for k in range(200)]
    weeks.predictions(BEFORE, around(70, 12, 4), *names)
    weeks.predictions(WEEK, around(80, 12, 4), *names[:120])
    weeks.predictions(WEEK, around(60, 12, 4), *names[120:190])
    weeks.settle()
    troubles = [Trouble("Aggregate models failed", "no such column: <!channel> " * 200, "aggregate_models")]
    for language in ("en", "ko"):
        message = weeks.digest(troubles=troubles, language=language, pictures=language == "ko")
        made = render(message, f"{KIND}:{WEEK}")
        [post] = made.posts
        assert len(post) <= 50
        sent = json.dumps(post, ensure_ascii=False)
        assert len(sent) < 13_000
        assert not re.search(r"<[!@#]|@(here|channel)\b", made.text + sent.replace("\u2060", "·"))
        page = as_page(message)
        assert "<script" not in page and "\u202e" not in page
    [picture] = [one for one in message.blocks if isinstance(one, Picture)]
    assert picture.png.startswith(b"\x89PNG") and len(picture.alt) < 2_000


def test_an_error_that_is_long_is_cut_for_a_phone(weeks: Weeks) -> None:
    told = "first line\n" + "x" * 5_000 + " the end"
    lines = weeks.lines(troubles=[Trouble("Aggregate models failed", told, "aggregate_models")])
    [line] = [line for line in lines if line.startswith("Aggregate models failed first line xxx")]
    assert len(line) < 400 and line.endswith("the end")


def test_a_terminal_gets_no_control_characters(weeks: Weeks) -> None:
    lines = weeks.lines(troubles=[Trouble("x", "\x1b[2Jgone\u202e", "aggregate_models")])
    assert not any("\x1b" in line or "\u202e" in line for line in lines)


# What is on top, and in the footer


def end_run(weeks: Weeks, job: str, **values: Any) -> None:
    asked = queue.request(weeks.engine, JOBS[job], JOBS[job].read({}), trigger="manual", by="", now=weeks.now)
    with writing(weeks.engine) as connection:
        ended = {"finished_at": weeks.now, **values}
        connection.execute(JobRun.__table__.update().where(JobRun.id == asked.id).values(**ended))


def test_a_failed_and_a_lost_job_are_on_top(engine: Engine, tmp_path: Path) -> None:
    weeks = Weeks(engine, tmp_path)
    end_run(weeks, "aggregate_models", status="failed", error="no space left")
    end_run(weeks, "aggregate_quality", status="lost")
    end_run(weeks, "send_digest", status="failed", error="not_in_channel")
    lines = weeks.lines()
    assert lines[2:5] == [
        "🔴 Needs a person: 2",
        "aggregate_models failed no space left",
        "aggregate_quality failed",
    ]


def test_of_many_that_wait_six_are_shown(weeks: Weeks) -> None:
    troubles = [Trouble(f"job {k} failed", "", "x") for k in range(9)]
    lines = weeks.lines(troubles=troubles)
    assert lines[2] == "🔴 Needs a person: 9" and lines[9] == "3 more on the page"


def keep_sent(weeks: Weeks, week: date, channel: str = FILE) -> None:
    row = {
        "kind": KIND,
        "week_start": week,
        "channel": channel,
        "language": "en",
        "content": {},
        "status": "sent",
    }
    with writing(weeks.engine) as connection:
        connection.execute(Report.__table__.insert().values(**row))


def test_a_late_digest_says_so_and_which_weeks_it_left_out(weeks: Weeks) -> None:
    keep_sent(weeks, WEEK - timedelta(days=21))
    keep_sent(weeks, WEEK - timedelta(days=7), "only-a-test")
    late = weeks.lines(due=MONDAY - timedelta(hours=3))[-1]
    assert "late: it was due Mon 16 Nov 06:00 2026" in late
    assert "2 weeks before it were not sent" in late
    in_time = weeks.lines(due=MONDAY - timedelta(minutes=59))[-1]
    assert "late" not in in_time
    assert "not sent" not in weeks.lines()[-1], "nobody was waiting for one that a person asks for"
    keep_sent(weeks, WEEK - timedelta(days=7))
    assert "not sent" not in weeks.lines(due=MONDAY)[-1]


def test_links_carry_the_exact_week(weeks: Weeks) -> None:
    full(weeks)
    weeks.values = {"public_url": "https://tidemark.example.org/sub/"}
    message = weeks.digest(troubles=[Trouble("x", "", "x")])
    urls = [one.url for found in message.blocks if isinstance(found, Buttons) for one in found.buttons]
    urls += [found.button.url for found in message.blocks if isinstance(found, Item) and found.button]
    assert len(urls) == 5
    exact = "period=own&from=2026-08-24&to=2026-11-15"
    assert all(url.startswith("https://tidemark.example.org/sub/") and exact in url for url in urls)
    assert "more on the pages" not in weeks.lines()[-1]


def test_without_an_address_the_pages_are_named(weeks: Weeks) -> None:
    full(weeks)
    message = weeks.digest(troubles=[Trouble("x", "", "x")])
    assert not any(isinstance(one, Buttons) for one in message.blocks)
    assert not any(isinstance(one, Item) and one.button for one in message.blocks)
    assert weeks.lines()[-1].endswith("more on the pages of the dashboard")


def test_a_demo_is_marked(weeks: Weeks) -> None:
    with writing(weeks.engine) as connection:
        state_fact(connection, HOLDS_DEMO, "yes")
    message = weeks.digest()
    assert message.demo and "Simulated data" in as_page(message)


def test_a_digest_reads_and_writes_nothing(weeks: Weeks) -> None:
    full(weeks)
    with weeks.engine.connect() as connection:
        before = connection.connection.driver_connection.total_changes  # type: ignore[union-attr]
        build(connection, load(), WEEK, now=MONDAY)
        assert connection.connection.driver_connection.total_changes == before  # type: ignore[union-attr]
