"""Whether the tuning pays: what each rule of weights would have come to, week by week, with what was known then."""

from datetime import date

import pandas as pd
import streamlit as st

from dashboard import beside, filters
from dashboard.beside import Data
from dashboard.columns import Column
from dashboard.data import ask, derive, weights
from dashboard.drawing import draw
from dashboard.period import Period
from jobs.formulas.weight_names import EQUAL
from language import N_, _
from reports.charts.look import Look
from reports.charts.text import signed
from reports.charts.trend import trend
from reports.weight_words import BEST, ONLY, rule_name
from settings import current

HEIGHT, CLEAR = 320, 0.05
MEMBERS = 3  # that the chart names; the table has all
WEEKS = {
    "rule_name": Column(N_("Rule"), width=190),
    "week_start": Column(N_("Week from"), "day", 110),
    "loss": Column(N_("Loss"), "small", 90),
    "cumulative": Column(N_("Cumulative against equal weights"), "small", 190),
    "hits_percent": Column(N_("Hit rate, %"), "figure", 100),
    "n": Column(N_("n"), "count", 70),
}
RULES = {
    "rule_name": Column(N_("Rule"), width=260),
    "relative": Column(N_("Loss, present rule = 1"), "small", 150),
    "hits_percent": Column(N_("Hit rate, %"), "figure", 90),
    "p": Column(N_("p, different from the present rule"), "small", 200),
    "n": Column(N_("n"), "count", 80),
    "dates": Column(N_("Days"), "count", 70),
}


def pays(code: str, horizon: int) -> None:
    """Cumulative error of the present rule, its members, and the best member in hindsight, against equal weights."""
    mine, compared = (
        _of(ask(weights.backtest), code, horizon),
        _of(ask(weights.comparison), code, horizon),
    )
    definition = _(
        "Each week the weights of each rule from what was known on the Sunday before, applied to what all members "
        "predicted in the week. Loss is the squared error over the mean squared move of that code and horizon so far. "
        "Summed up, less that of equal weights: below 0 is better."
    )
    st.markdown(f"**{_finding(compared)}**", help=definition)
    if mine.empty:
        st.caption(
            _("The rules were not compared yet: the job backtest_rules does that on Sundays, or on request.")
        )
        return
    prefix = current().ensemble_members.prefix_of(code)
    table = derive(_cumulative, prefix=prefix, horizon=horizon, present=current().weight_rule)
    names = list(dict.fromkeys(table["subject"]))
    days: list[date] = list(mine["week_start"])
    period = Period(min(days), max(days), "week")
    look = Look(
        filters.is_dark(),
        subjects=tuple(names),
        highlighted=tuple(names),
        unit=_("cumulative loss against equal weights, per forecast"),
        show=_against_equal,
        span=period.span,
    )
    draw(trend, table, "pays", look=look, targets=(0.0,), height=HEIGHT)
    beside.foot(
        _("all codes, {n} d ahead; below 0 is better").format(n=horizon),
        Data(f"backtest-{horizon}d", period, lambda: _with_sums(mine), WEEKS),
    )


def _against_equal(value: float) -> str:
    return signed(value, 2)


def rules(code: str, horizon: int) -> None:
    """Every rule beside the present one, with how sure the difference is."""
    mine = _of(ask(weights.comparison), code, horizon)
    if mine.empty:
        st.caption(_("The rules were not compared yet."))
        return
    name = rule_name(mine["present"].iloc[0])
    st.markdown(
        f"**{_('Which rule would have done better')}** :small[{_('now: {rule}').format(rule=name)}]",
        help=_(
            "Test of Diebold and Mariano on the daily means of the loss differences over codes, for correlated days."
        ),
    )
    shown = mine.assign(
        rule_name=[rule_name(rule) for rule in mine["rule"]],
        hits_percent=100 * mine["hit_rate"].astype(float),
    ).sort_values("relative", na_position="last")
    days: list[date] = list(ask(weights.backtest)["week_start"])
    period = Period(min(days), max(days), "week")
    beside.open_table(
        _("the lower the loss, the better"), Data(f"rules-{horizon}d", period, lambda: shown, RULES)
    )


def _of(rows: pd.DataFrame, code: str, horizon: int) -> pd.DataFrame:
    """Those of the code's set of members, and of a horizon."""
    if rows.empty:
        return rows
    prefix = current().ensemble_members.prefix_of(code)
    return rows[(rows["horizon"] == horizon) & (rows["prefix"] == prefix)]


def _finding(compared: pd.DataFrame) -> str:
    """A finding where the test supports one on the rule in use, else a plain name."""
    present = compared["present"] == current().weight_rule
    equal = compared[present & (compared["rule"] == EQUAL)]
    if equal.empty or current().weight_rule == EQUAL or not equal["p"].iloc[0] <= CLEAR:
        return _("Does the tuning pay?") if equal.empty else _("Whether the tuning pays is not clear")
    return _("The tuning pays") if equal["relative"].iloc[0] > 1 else _("The tuning costs")


def _cumulative(prefix: str, horizon: int, present: str) -> pd.DataFrame:
    """The sum of what each line lost more than equal weights, in the same weeks."""
    rows = ask(weights.backtest)
    rows = rows[(rows["prefix"] == prefix) & (rows["horizon"] == horizon)]
    wide = rows.pivot_table(index="week_start", columns="rule", values="loss").sort_index()
    alone = [name for name in wide.columns if name.startswith(ONLY)]
    lines = [present, *alone[:MEMBERS], BEST]
    parts = []
    for line in lines:
        if line == EQUAL or line not in wide or EQUAL not in wide:
            continue
        sums = (wide[line] - wide[EQUAL]).dropna().cumsum()
        subject = _("tuned") if line == present else rule_name(line)
        parts.append(pd.DataFrame({"subject": subject, "period": list(sums.index), "value": sums.to_numpy()}))
    return (
        pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["subject", "period", "value"])
    )


def _with_sums(weeks: pd.DataFrame) -> pd.DataFrame:
    equal = weeks[weeks["rule"] == EQUAL].set_index("week_start")["loss"]
    more = weeks["loss"] - weeks["week_start"].map(equal)
    return weeks.assign(
        cumulative=more.groupby(weeks["rule"]).cumsum(),
        rule_name=[rule_name(rule) for rule in weeks["rule"]],
        hits_percent=100 * weeks["hit_rate"].astype(float),
    )
