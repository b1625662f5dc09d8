"""What the values of a metric were before their days were restated."""

from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, select

from db.clock import week_start
from db.metrics import METRICS, Metric
from db.queries.coverage import restated_day
from db.queries.frames import frame
from db.tables.models import DailyModelPerformance, Model
from db.tables.operations import Restatement
from jobs.formulas.coverage import moved

d = DailyModelPerformance.__table__.c
COLUMNS = ["subject", "period", "days", "day", "old", "new"]
AT = ["model_id", "date"]
UNTOUCHED = float("-inf")  # no figure is


def restated(connection: Connection, metric: str, since: date, until: date, grain: str) -> pd.DataFrame:
    """A row per model and day or ISO week that holds restated days: subject, period, days (how many), and of the
    one that moved most its day, old and new value (NaN: there was none, or there is none any more)."""
    chosen = METRICS[metric]
    old = _old(connection, _columns(chosen), since, until)
    if old.empty:
        return pd.DataFrame(columns=COLUMNS)
    now = _now(connection, _columns(chosen), old)
    now = now.reindex(old.index)
    rows = old.where(old != UNTOUCHED, now)
    rows = pd.DataFrame({"old": _value(rows, chosen), "new": _value(now, chosen)})
    rows = rows[moved(rows["old"], rows["new"])].reset_index()
    names = {row.id: row.name for row in connection.execute(select(Model.id, Model.name))}
    rows["subject"] = rows["model_id"].map(names)
    rows["day"] = rows["date"]
    rows["period"] = [week_start(day) if grain == "week" else day for day in rows["date"]]
    return _largest(rows.dropna(subset=["subject"]))


def counted(connection: Connection, since: datetime, until: datetime) -> int:
    """How many figures were restated in this time."""
    made = select(func.count()).select_from(Restatement).where(Restatement.at.between(since, until))
    return connection.scalar(made) or 0


def _columns(metric: Metric) -> list[str]:
    return [metric.part, metric.count] if metric.is_rate else [metric.mean]


def _old(connection: Connection, columns: list[str], since: date, until: date) -> pd.DataFrame:
    """By model and day, what each column held before the run that restated any of them last: NaN for none, UNTOUCHED
    where that run left it as it was."""
    newest = (
        select(Restatement.key, Restatement.column, Restatement.old, Restatement.at)
        .where(
            Restatement.table_name == DailyModelPerformance.__tablename__,
            Restatement.column.in_(columns),
            restated_day().between(str(since), str(until)),
        )
        .order_by(Restatement.id)
    )
    rows = frame(connection, newest)
    if rows.empty:
        return rows
    rows = rows[rows["at"] == rows.groupby("key")["at"].transform("max")]
    rows = rows.drop_duplicates(["key", "column"], keep="last").assign(old=rows["old"].astype(float))
    keys = [key.split("/") for key in rows["key"]]
    rows["model_id"], rows["date"] = (
        [int(key[0]) for key in keys],
        [date.fromisoformat(key[1]) for key in keys],
    )
    held = rows.pivot(index=AT, columns="column", values="old").reindex(columns=columns)
    touched = (
        rows.assign(is_so=True).pivot(index=AT, columns="column", values="is_so").reindex(columns=columns)
    )
    return held.astype(float).where(touched.notna(), UNTOUCHED)


def _now(connection: Connection, columns: list[str], old: pd.DataFrame) -> pd.DataFrame:
    """The same columns as they are now, of the models and days of `old` that still have a row."""
    models, days = (sorted(set(old.index.get_level_values(name))) for name in AT)
    rows = frame(
        connection,
        select(d.model_id, d.date, *(d[name] for name in columns)).where(
            d.model_id.in_(models), d.date.in_(days)
        ),
    ).set_index(AT)
    return rows[rows.index.isin(old.index)].astype(float)


def _value(rows: pd.DataFrame, metric: Metric) -> Any:
    if not metric.is_rate:
        return rows[metric.mean]
    return 100 * rows[metric.part] / rows[metric.count].where(rows[metric.count] > 0)


def _largest(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per subject and period: how many days, and the one that moved most; one that came or went first."""
    rows = rows.assign(size=(rows["new"] - rows["old"]).abs().fillna(float("inf")))
    rows = rows.sort_values(["subject", "period", "size"], ascending=[True, True, False], ignore_index=True)
    rows["days"] = rows.groupby(["subject", "period"])["day"].transform("size")
    return rows.drop_duplicates(["subject", "period"])[COLUMNS].reset_index(drop=True)
