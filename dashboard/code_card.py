"""One code: how good each forecaster is in the newest window, what it said against what came, its trainings."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import beside, filters, pickers
from dashboard.beside import Data
from dashboard.columns import Column
from dashboard.data import ask, derive, forecast_codes, forecasts
from dashboard.drawing import draw
from dashboard.period import Period
from dashboard.wording import plain
from db.clock import starts_at
from jobs.formulas.calibration import calibrated
from jobs.formulas.intervals import wilson
from language import N_, _, ngettext
from reports.charts.calibration import calibration
from reports.charts.coverage import coverage
from reports.charts.look import Look
from reports.wording import day_in_words
from settings import current

PERFORMANCE = {
    "model": Column(N_("Model"), width=96),
    "horizon": Column(N_("Days ahead"), "count", 76),
    "hits_percent": Column(N_("Hit rate, %"), "figure", 78),
    "direction_count": Column(N_("n"), "count", 44),
    "mae": Column(N_("Mean error"), "small", 86),
    "low": Column(N_("95% from"), "figure", 70),
    "high": Column(N_("95% to"), "figure", 64),
    "sample_count": Column(N_("n of the error"), "count", 100),
}
TRAINED = {
    "trained": Column(N_("Trained"), "moment", 140),
    "model": Column(N_("Model"), width=90),
    "said": Column(N_("Outcome"), width=110),
    "mae": Column(N_("Mean error"), "small", 90),
    "mae_before": Column(N_("of the model in use"), "small", 130),
    "mae_no_change": Column(N_("of “no change”"), "small", 120),
    "hits_percent": Column(N_("Hit rate, %"), "figure", 90),
    "rows": Column(N_("Rows"), "count", 70),
    "folds": Column(N_("Folds"), "count", 60),
    "error": Column(N_("Error"), width=260),
}
OUTCOMES = {"promoted": N_("in use"), "kept": N_("old one kept"), "failed": N_("failed")}


def performance(code: str, period: Period) -> None:
    """Hit rates and mean errors of the newest window, every horizon."""
    rows = ask(forecast_codes.performance, code=code)
    if rows.empty:
        st.markdown(f"**{_('How good each forecaster is for {code}').format(code=plain(code))}**")
        st.caption(_("Not measured yet: the job adjust_weights does that on Sundays, or on request."))
        return
    until = day_in_words(rows["as_of"].iloc[0])
    st.markdown(
        f"**{_('How good each forecaster is for {code}').format(code=plain(code))}** "
        f":small[{_('31 days to {day}').format(day=until)}]"
    )
    shown = derive(_measured, code=code)
    beside.open_table(
        _("interval: 95% (Wilson); mean error in the code's unit"),
        Data(f"performance-{code}", period, lambda: shown, PERFORMANCE),
    )


def resolved(code: str, horizon: int, period: Period) -> None:
    """Of what was predicted for days of the period, how much has an outcome."""
    days = {"since": period.first, "until": period.last}
    rows = ask(forecast_codes.coverage, code=code, horizon=horizon, **days)
    if rows.empty:
        return  # outcomes that were imported have no predictions beside them
    st.markdown(
        f"**{_('Resolved of predicted')}**",
        help=_(
            "Of the predictions for target dates of the period, those whose price is known. The others are in no "
            "figure."
        ),
    )
    rows["evaluated"] = 100 * rows["part"].astype(float) / rows["whole"]
    look = Look(filters.is_dark(), subjects=tuple(ask(forecasts.models)))
    draw(coverage, rows, "resolved", look=look)
    told = _("{code}, {n} d ahead").format(code=plain(code), n=horizon)
    beside.foot(told, Data(f"resolved-{code}-{horizon}d", period, lambda: rows, RESOLVED))


RESOLVED = {
    "subject": Column(N_("Model"), width=130),
    "evaluated": Column(N_("Resolved, %"), "figure", 100),
    "part": Column(N_("Resolved, count"), "count", 120),
    "whole": Column(N_("Predictions"), "count", 100),
    "newest": Column(N_("Newest target day"), "day", 130),
}


def _measured(code: str) -> pd.DataFrame:
    rows = ask(forecast_codes.performance, code=code)
    hits = (rows["hit_rate"] * rows["direction_count"]).fillna(0)
    low, high = wilson(hits.to_numpy(dtype=float), rows["direction_count"].to_numpy(dtype=float))
    return rows.assign(hits_percent=100 * rows["hit_rate"].astype(float), low=100 * low, high=100 * high)


def said_and_came(code: str, horizon: int, period: Period) -> None:
    """Whether more comes where more is said, by tenths of the forecasts."""
    st.markdown(
        f"**{_('Said and come true')}**",
        help=_(
            "The forecasts of the period in ten parts by the move that they say, each with the mean move that came, "
            "and its 95 % interval. On the dashed line both are equal; a flat line says nothing about what comes. "
            "Moves are told in mean moves of this code."
        ),
    )
    days = {"since": period.first, "until": period.last}
    rows = derive(_tenths, code=code, horizon=horizon, **days)
    if rows.empty:
        st.caption(_("no outcomes with a base value in this period"))
        return
    names = ask(forecasts.models)
    sizes = rows.groupby("subject")["n"].sum().nlargest(pickers.HIGHLIGHTS).index
    look = Look(filters.is_dark(), subjects=tuple(names), unit=_("mean moves"))
    look = replace(look, highlighted=tuple(name for name in names if name in set(sizes)))
    draw(calibration, rows, "calibration", look=look)
    beside.foot(
        _("{code}, {n} d ahead · dashed: said = came").format(code=plain(code), n=horizon),
        Data(f"calibration-{code}-{horizon}d", period, lambda: rows, CALIBRATION),
    )


CALIBRATION = {
    "subject": Column(N_("Model"), width=130),
    "said": Column(N_("Said"), "small", 90),
    "came": Column(N_("Came"), "small", 90),
    "low": Column(N_("95% from"), "small", 90),
    "high": Column(N_("95% to"), "small", 90),
    "n": Column(N_("n"), "count", 60),
}


def _tenths(**asked: Any) -> pd.DataFrame:
    return calibrated(ask(forecast_codes.moves, **asked))


def too_old(today: date) -> None:
    """Says which models are not used any more because of their age; nothing where there is none."""
    days = current().model_max_age_days
    rows = ask(forecast_codes.too_old, before=starts_at(today - timedelta(days=days), current().zone))
    if rows.empty:
        return
    first = rows.iloc[0]
    named = _("{model} for {code}, {n} d").format(
        model=plain(first["model"]), code=plain(first["code"]), n=int(first["horizon"])
    )
    more = ngettext(" and {n} more", " and {n} more", len(rows) - 1) if len(rows) > 1 else ""
    told = _("Older than {days} days and not used: {named}{more}. The ensemble goes by its other members.")
    st.caption(f":material/warning: {told.format(days=days, named=named, more=more)}")


def trainings(code: str, horizon: int, period: Period) -> None:
    """Every try to train a model, newest first, and whether it took the place of the one before."""
    st.markdown(
        f"**{_('Trainings')}** :small[{plain(code)}, {_('{n} d ahead').format(n=horizon)}]",
        help=_(
            "A new model takes the place of the old one only where it errs less than that one and than “no change”, "
            "on days that it was not trained on."
        ),
    )
    rows = ask(forecast_codes.trainings, code=code, horizon=horizon)
    if rows.empty:
        st.caption(
            _("Nothing was trained for it: the job retrain does that on Sundays, for codes with 300 bars.")
        )
        return
    zone = current().zone
    shown = rows.assign(
        trained=[at.astimezone(zone).replace(tzinfo=None) for at in rows["trained_at"]],
        said=[_(OUTCOMES.get(status, status)) for status in rows["status"]],
        hits_percent=100 * rows["hit_rate"].astype(float),
    )
    beside.open_table(_("newest first"), Data(f"trainings-{code}-{horizon}d", period, lambda: shown, TRAINED))
