"""AI quality: whether answers get better, by those who judge them and by those who use them."""

import streamlit as st

from dashboard import (
    actions,
    answer_parts,
    answer_trends,
    answers,
    cards,
    filters,
    tuning_card,
    verdict_table,
    worst,
)
from dashboard.data import ask, quality
from dashboard.ending import end_page
from language import _

newest, oldest, today = ask(quality.newest_day), ask(quality.oldest_day), actions.today()
if newest is None or oldest is None:
    cards.title(_("AI quality"), _("Scores of answers, likes and dislikes of users"))
    actions.empty_page("quality")
    answer_trends.empty(today)
    end_page()

period = filters.period(newest, oldest)
week = answers.week_shown(period)
cards.title(_("AI quality"), answers.shown_in_words(period, newest))
answers.numbers(week)

with st.container(border=True):
    by, picked = answer_trends.marks(period, today)
if picked:
    with st.container(border=True):
        worst.conversations_of(*answer_trends.days_of(picked, period), by, picked[0] if by else None)

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    answer_trends.likes(period, today)
with right.container(border=True, height="stretch"):
    answer_trends.side_by_side(period, today)

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    answer_parts.made_of(week, by)
with right.container(border=True, height="stretch"):
    answer_parts.criteria(period)

with st.container(border=True):
    verdict_table.of_answers(week, today)

if not picked:
    with st.container(border=True):
        worst.conversations_of(*answers.days_of(week).values())

with st.container(border=True):
    tuning_card.card(period)
