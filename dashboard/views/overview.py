"""Overview: what needs a person, what changed since last week, what is quiet, and what the system did by itself."""

import streamlit as st

from dashboard import access, actions, attention, cards, changes, doings, filters, headlines, lineup
from dashboard.data import ask, ask_now, operations, overall, verdicts
from dashboard.ending import end_page
from db.clock import utc_now
from language import _
from reports.wording import span_with_end, week_against, week_name
from settings import current

BESIDE_THE_SCORE = ["target_achieved_rate", "support_breach_rate", "coverage"]
OF_ANSWERS = ["score", "feedback_score"]
OF_FORECASTS = ["hit_rate"]
OF_AGENTS = ["win_rate", "cost_per_call"]

newest, oldest = ask(overall.newest_day), ask(overall.oldest_day)
if newest is None or oldest is None:
    cards.title(_("Overview"), _("What your models did, and whether the jobs ran"))
    actions.empty_page("models", "quality", "forecasts", "agents", "usage")
    headlines.no_numbers([lineup.SCORE.name, *BESIDE_THE_SCORE])
    end_page()

period = filters.period(newest, oldest)
judged, week = ask(verdicts.newest_week), ask(verdicts.newest_week, until=period.last)
jobs = actions.job_health()
shown = span_with_end(period.first, period.last, newest)
if week:
    cards.title(week_name(week), f"{week_against(week)} · {current().timezone}")
else:
    cards.title(_("Overview"), f"{shown} · {current().timezone}")

st.subheader(_("Needs a person"), anchor=False)
with st.container(border=True):
    attention.show(
        attention.items(jobs, judged, actions.today(), actions.run_again), access.why_not() is None
    )

st.caption(_("Over the period: {span}").format(span=shown))
top = lineup.headline({"since": period.first, "until": period.last})
numbers = st.container()  # filled below: one waits for the chart, and each number has a line to draw

if changes.compared(week):
    st.subheader(_("What changed, ranked by surprise"), anchor=False, help=changes.meaning())
    with st.container(border=True):
        changes.ranked(week, actions.today())
else:
    st.subheader(_("Models"), anchor=False)
    with st.container(border=True):
        headlines.best_models(top, period, actions.today())
with numbers:
    headlines.numbers(
        [top.name, *BESIDE_THE_SCORE, *OF_ANSWERS, *OF_FORECASTS, *OF_AGENTS], period, actions.today()
    )

left, right = st.columns(2)
with left:
    st.subheader(_("What the system did by itself"), anchor=False)
    with st.container(border=True):
        doings.done(ask_now(operations.automatic, now=utc_now()), jobs.now)
with right:
    st.subheader(_("Still to come"), anchor=False)
    with st.container(border=True):
        doings.to_come(jobs)
