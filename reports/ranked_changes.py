"""The changes that matter, by surprise, as the verdicts have them; and in one line all that is quiet."""

from typing import Any

from db.metrics import BY_COLUMN
from jobs.formulas.verdict_names import IMPROVED, TOO_LITTLE_DATA
from language import _, ngettext
from reports.blocks import Block, Heading, Line, Span, Text
from reports.context import Context
from reports.subjects import subject_name
from reports.verdict_words import CLEAR, WORDS
from reports.wording import brief, difference, figure

SHOWN = 5
LETTERS = 60


def ranked_changes(context: Context) -> list[Block]:
    """The clear changes, the most surprising first."""
    clear = context.verdicts[context.verdicts["verdict"].isin(CLEAR)]
    if not context.verdicts["n_previous"].any():
        return [Text([[_("There is nothing to compare yet: verdicts need two finished weeks with data.")]])]
    title = Heading([Span(_("What changed, ranked by surprise"), bold=True)])
    if clear.empty:
        return [title, Text([[_("No change is clear this week.")]])]
    lines = [_line(row) for row in clear.head(SHOWN).to_dict("records")]
    if (more := len(clear) - SHOWN) > 0:
        lines.append([ngettext("and {n} more clear change", "and {n} more clear changes", more)])
    return [title, Text(lines)]


def _line(row: dict[Any, Any]) -> Line:
    metric = BY_COLUMN[row["metric"]]
    name = brief(subject_name(row["word"], row["subject"]), LETTERS)
    figures = f" {figure(row['previous'], metric)} → {figure(row['value'], metric)}, "
    return [
        "🟢 " if row["verdict"] == IMPROVED else "🟠 ",
        Span(name, bold=True),  # alone, so that letters that run leftwards move nothing beside them
        Span(f", {_(metric.label)}", bold=True),
        figures,
        Span(difference(row["change"], metric), bold=True),
        f" · {_(WORDS[row['verdict']])} · {counts(row)}",
    ]


def counts(row: dict[Any, Any]) -> str:
    """On how much data a verdict stands: n now and before."""
    return _("n = {n} / {before}").format(n=f"{row['n']:,}", before=f"{row['n_previous']:,}")


def quiet(context: Context) -> list[Block]:
    """How many comparisons are within their noise, and how many have too little data."""
    verdict = context.verdicts["verdict"]
    few = int((verdict == TOO_LITTLE_DATA).sum())
    within = len(verdict) - few - int(verdict.isin(CLEAR).sum())
    told = []
    if within:
        told.append(
            ngettext(
                "{n} other comparison is within its noise",
                "{n} other comparisons are within their noise",
                within,
            )
        )
    if few:
        told.append(ngettext("{n} has too little data", "{n} have too little data", few))
    return [Text([[_("All quiet: {told}.").format(told=", ".join(told))]])] if told else []
