"""The conversations that scored lowest, with their text: shown as it is, never as markup."""

from datetime import date

import pandas as pd
import streamlit as st

from dashboard import beside, picked
from dashboard.beside import Data
from dashboard.columns import Column, Columns, configs
from dashboard.columns import shown as only_known
from dashboard.data import ask, ask_now, conversations
from dashboard.period import Period
from dashboard.wording import plain
from language import N_, _, ngettext
from reports.subjects import segment_name
from reports.wording import span
from settings import current

SHOWN = 100
ROWS_HIGH = 250  # pixels
CONVERSATION: Columns = {
    "conversation_id": Column(N_("Conversation"), width=190),
    "score": Column(N_("Score, 0–10"), "figure", 90),
    "likes": Column(N_("Likes"), "count", 60),
    "dislikes": Column(N_("Dislikes"), "count", 70),
    "model": Column(N_("Model"), width=110),
    "evaluator": Column(N_("Evaluator"), width=100),
    "channel": Column(N_("Channel"), width=90),
    "topic": Column(N_("Topic"), width=90),
    "created_at": Column(N_("Evaluated at"), "moment", 140),
    "prompt": Column(N_("Prompt"), width=280),
    "response": Column(N_("Response"), width=280),
}


def conversations_of(first: date, last: date, by: str = "", name: str | None = None) -> None:
    """The lowest scores of these days, or those of one segment; a row that is clicked opens in full."""
    value = "" if name is None or name == segment_name("") else name
    chosen = by if name is not None else ""
    asked = {"since": first, "until": last, "by": chosen, "value": value, "limit": SHOWN}
    rows = ask(conversations.worst, **asked)
    whose = f" · {plain(name)}" if chosen and name else ""
    st.markdown(f"**{_('Worst conversations')}** :small[{span(first, last)}{whose}]")
    if rows.empty:
        st.caption(_("no scored conversations in these days"))
        return
    table = only_known(rows.assign(created_at=_local(rows["created_at"])), CONVERSATION)
    event = st.dataframe(
        table,
        hide_index=True,
        placeholder="–",
        height=ROWS_HIGH,
        column_config=configs(CONVERSATION),
        on_select="rerun",
        selection_mode="single-row",
        key=f"worst_{first}_{last}_{chosen}_{value}",
    )
    told = ngettext("the lowest {n} score", "the lowest {n} scores", len(rows))
    data = Data("worst-conversations", Period(first, last, "day"), lambda: table, CONVERSATION)
    beside.foot(_("{told}; click one for all of its text").format(told=told), data)
    position = picked.row(event)
    if position is not None and position < len(rows):
        _in_full(int(rows["id"].iloc[position]))


def _in_full(evaluation: int) -> None:
    found = ask_now(conversations.conversation, evaluation=evaluation)
    if found is None:
        st.caption(_("This conversation is not there any more."))
        return
    with st.container(border=True):
        st.markdown(f"**{plain(found['conversation_id'])}** :small[{found['score']:g} / 10]")
        for label, name in ((_("Prompt"), "prompt"), (_("Response"), "response")):
            st.caption(label)
            st.code(found[name] or _("no text was stored"), language=None, wrap_lines=True)
        for feedback, comment in found["feedbacks"]:
            said = _("liked") if feedback == "like" else _("disliked")
            st.text(f"{said}: {comment}" if comment else said)


def _local(moments: pd.Series) -> pd.Series:
    return pd.to_datetime(moments, utc=True).dt.tz_convert(current().zone).dt.tz_localize(None)
