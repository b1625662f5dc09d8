"""The digest and the pages tell the same of a week, to the digit."""

import re

from db.clock import business_day, utc_now
from db.engine import reading
from reports.blocks import Message
from reports.digest import build, last_finished_week
from reports.in_text import in_text
from settings import load
from tests import filled


def digest(engine) -> Message:
    now = utc_now()
    with reading(engine) as connection:
        week = last_finished_week(business_day(now, filled.SEOUL))
        return build(connection, load(), week, now=now, pictures=False)


def test_the_overview_has_the_same_changes_in_the_same_order(open_page, demo_file, engine):
    app = open_page("overview", demo_file)
    evidence = re.compile(r"^(\S+ → \S+) · (n = [\d,]+ / [\d,]+) · ")
    shown = [found.groups() for one in app.caption if (found := evidence.match(one.value))]
    message = digest(engine)
    told = re.findall(
        r"^[🟢🟠] .* (\S+ → \S+), \S+(?: pp)? · \w+ · (n = [\d,]+ / [\d,]+)$", in_text(message), re.MULTILINE
    )
    assert told and shown[: len(told)] == told
    assert message.demo


def test_the_page_of_answers_has_the_same_scores(open_page, demo_file, engine):
    app = open_page("quality", demo_file)
    score = app.metric[0]
    text = in_text(digest(engine))
    now, before = re.findall(r"^- Average score \w+ week \(.*\): (\S+)$", text, re.MULTILINE)
    assert score.value == now
    assert abs(float(score.value) - float(before)) <= abs(float(score.delta.split()[0])) + 0.1
