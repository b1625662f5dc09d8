"""Rows for line charts: gaps found, unfinished ends marked, and only the columns that are drawn."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from jobs.formulas.intervals import BAND_FROM
from language import _
from reports.charts.text import STEP, Grain, Show, interval, number, period_name

COLUMNS = ["subject", "period", "value", "low", "high", "n", "unfinished", "restated"]
Row = dict[Any, Any]


def prepare(frame: pd.DataFrame, grain: Grain) -> pd.DataFrame:
    """Rows with a value, each with the number of its segment; a period without a value ends a segment."""
    data = frame.reindex(columns=COLUMNS).dropna(subset=["value"])
    data["at"] = pd.to_datetime(data["period"]).dt.normalize()
    data = data.sort_values(["subject", "at"]).reset_index(drop=True)
    data[["value", "low", "high", "n"]] = data[["value", "low", "high", "n"]].astype(float)
    data["unfinished"] = data["unfinished"].eq(True)
    data["few"] = data["n"] < BAND_FROM
    starts = (data["subject"] != data["subject"].shift()) | (data["at"].diff() != STEP[grain])
    data["segment"] = starts.cumsum()
    data["alone"] = data.groupby("segment")["value"].transform("size").eq(1)
    return _with_tail(_with_band(data, starts))


def _with_band(data: pd.DataFrame, starts: pd.Series) -> pd.DataFrame:
    """Bands are cut more often than lines: also where there are too few for an interval."""
    known = data["low"].notna() & data["high"].notna() & ~data["few"]
    data["band"] = (known & (starts | ~known.shift(fill_value=False))).cumsum().where(known)
    data["band_alone"] = known & data.groupby("band")["value"].transform("size").eq(1)
    return data


def _with_tail(data: pd.DataFrame) -> pd.DataFrame:
    """The tail is the unfinished row and the row before it, if they touch."""
    leads = data["unfinished"].shift(-1, fill_value=False) & (data["segment"] == data["segment"].shift(-1))
    data["tail"] = data["unfinished"] | leads
    data["end"] = data["subject"] != data["subject"].shift(-1)
    return data


def rows(data: pd.DataFrame, highlighted: Sequence[str], grain: Grain, show: Show = number) -> list[Row]:
    """What the browser gets: less for the grey lines, which come first and so below."""
    names = {at: period_name(at.date(), grain) for at in data["at"].unique()}
    found = [
        _row(row, row["subject"] not in highlighted, names[row["at"]], show)
        for row in data.to_dict("records")
    ]
    return sorted(found, key=lambda row: "ghost" not in row)


def _row(row: Row, ghost: bool, when: str, show: Show) -> Row:
    made: Row = {
        "subject": row["subject"],
        "period": row["at"].date().isoformat(),
        "value": short(row["value"]),
        "segment": int(row["segment"]),
        "when": when,
        "text": show(row["value"]),
        "n": f"{int(row['n']):,}" if known(row["n"]) else "–",
    }
    flags = ("alone",) if ghost else ("alone", "tail", "unfinished", "end", "few")
    made |= {flag: True for flag in flags if row[flag]}
    if ghost:
        return made | {"ghost": True}
    if known(row["restated"]):
        # In one line with the value: where a field is missing, the browser prints “null”.
        told = _("{value} (restated: {before})").format(value=made["text"], before=row["restated"])
        made |= {"restated": True, "text": told}
    if known(row["band"]):
        made |= {"low": short(row["low"]), "high": short(row["high"]), "band": int(row["band"])}
        made["interval"] = interval(row["low"], row["high"], show)
        made |= {"band_alone": True} if row["band_alone"] else {}
    return {"interval": "–"} | made


def tooltip(heading: str = "subject", *, when: str = "", before: str = "") -> list[alt.Tooltip]:
    """What every point tells: a heading, value, interval and n; period and value before where they are named."""
    told = {heading: "title", "when": when, "text": _("Value"), "interval": _("95% interval")}
    told |= {"before": before, "n": _("n")}  # the browser prints a field titled "title" as the heading
    return [alt.Tooltip(f"{field}:N", title=title) for field, title in told.items() if title]


def known(value: Any) -> bool:
    return bool(pd.notna(value))


def short(value: float) -> float:
    """Six digits are more than a pixel can show, and half the bytes."""
    return float(f"{value:.6g}")
