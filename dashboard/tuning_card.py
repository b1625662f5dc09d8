"""The card that makes a tuning data set of the answers: choose, prepare, download."""

import json
from typing import Any

import streamlit as st

from dashboard import filters
from dashboard.data import ask_now
from dashboard.period import Period
from language import N_, _, ngettext
from reports.tuning import Choice, Kind, Likes, data_set, zipped
from reports.wording import span

KINDS: dict[Kind, str] = {
    "chat": N_("Good answers, as chats"),
    "pairs": N_("Better and worse answers, as pairs"),
}
LIKES: dict[Likes, str] = {
    "not disliked": N_("not disliked"),
    "liked": N_("liked"),
    "any": N_("whatever users said"),
}


def card(period: Period) -> None:
    """Without a run of the whole page."""
    told = _(
        "JSONL for fine-tuning: chats are the messages of good answers; pairs are a prompt with a chosen and a "
        "rejected answer. Doubles are left out, conversations stand either in train or in validation, and the same "
        "choices give the same files. In full: python -m reports tuning FILE"
    )
    st.markdown(f"**{_('Tuning data set')}** :small[{span(*period.span)}]", help=told)
    st.fragment(_form)(period)


def _form(period: Period) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.selectbox(
            _("Format"), list(KINDS), format_func=lambda one: _(KINDS[one]), key="_kind", width=280
        )
        least = st.number_input(_("Score from"), 0.0, 10.0, Choice.min_score, 0.5, key="_least", width=130)
        likes = st.selectbox(
            _("Users"), list(LIKES), format_func=lambda one: _(LIKES[one]), key="_likes", width=190
        )
        more: dict[str, Any] = {}
        if kind == "pairs":
            label = _("Better by at least")
            more["margin"] = st.number_input(label, 0.0, 10.0, Choice.margin, 0.5, key="_margin", width=150)
        pressed = st.button(_("Prepare"), icon=":material/inventory_2:", key="_prepare")
    choice = Choice(kind=kind, min_score=least, likes=likes, since=period.first, until=period.last, **more)
    if pressed:
        filters.remember("tuning", (choice, ask_now(data_set, choice=choice)))
    prepared = filters.remembered("tuning")
    if prepared and prepared[0] == choice:  # what was made by other choices is no answer to these
        _offer(choice, prepared[1])


def _offer(choice: Choice, found: Any) -> None:
    counts = json.loads(found.manifest)["examples"]
    if not sum(counts.values()):
        st.caption(_("No answer fits these choices. Answers need prompt and response in their rows."))
        return
    train = ngettext("{n} example to train", "{n} examples to train", counts["train"])
    rest = ngettext("{n} to validate", "{n} to validate", counts["validation"])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            _("Download"),
            data=lambda: zipped(found),  # once it is pressed, not in each run of the page
            file_name=f"tuning-{choice.kind}-{choice.since}-{choice.until}.zip",
            mime="application/zip",
            icon=":material/download:",
            on_click="ignore",
            key="_tuning_file",
        )
        st.caption(_("{train}, {rest}").format(train=train, rest=rest))
