"""Weeks side by side: every subject's weekly figures against those of the week before, judged as one family."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from db.metrics import METRICS, Metric
from jobs.formulas import verdicts as v
from jobs.formulas.intervals import Floats
from jobs.formulas.verdict_names import TOO_LITTLE_DATA

WEEK = timedelta(weeks=1)
SHORT_HISTORY, WEEKS_VARY = "short history", "weeks vary"  # notes
_MEASURED = ("value", "change", "low", "high", "p", "surprise")


@dataclass(frozen=True)
class Weekly:
    """A metric's weekly figures: arrays of subjects × weeks; NaN, and n = 0, where there are none.

    `effective` is the number of independent trials that `part` of a rate is of: n, or fewer where rows repeat.
    """

    metric: Metric
    subjects: list[str]
    mondays: list[date]
    n: Floats
    value: Floats
    std: Floats
    part: Floats
    effective: Floats


def weekly(metric: str, rows: pd.DataFrame, first: date, last: date) -> Weekly:
    """The figures from one Monday to another, from rows of subject, week, value, std, n, part (and effective)."""
    mondays = [first + k * WEEK for k in range((last - first).days // 7 + 1)]
    subjects = sorted(set(rows["subject"]))
    place, week = {name: k for k, name in enumerate(subjects)}, {day: k for k, day in enumerate(mondays)}
    at = [place[name] for name in rows["subject"]], [week[day] for day in rows["week"]]
    arrays = {}
    rows = rows if "effective" in rows else rows.assign(effective=rows["n"])
    for name in ("n", "value", "std", "part", "effective"):
        arrays[name] = np.full((len(subjects), len(mondays)), 0.0 if name == "n" else np.nan)
        arrays[name][at] = rows[name].to_numpy(dtype=float)
    return Weekly(METRICS[metric], subjects, mondays, **arrays)


def judged(words: Mapping[str, Sequence[Weekly]], week: date, now: datetime) -> list[dict[str, Any]]:
    """The rows of verdicts of a week: one correction a word, over all its subjects and metrics.

    The words with data share the 5 % evenly.
    """
    tables = {word: [row for one in found for row in _compared(one, week)] for word, found in words.items()}
    families = sum(any(row["p"] is not None for row in rows) for rows in tables.values())
    for word, rows in tables.items():
        tested = [row for row in rows if row["p"] is not None]
        corrected = v.holm([row["p"] for row in tested], families)
        said = v.verdict([row["change"] for row in tested], corrected, [row["up"] for row in tested])
        for row in rows:
            row |= {"word": word, "p_holm": None, "verdict": TOO_LITTLE_DATA, "comparisons": len(tested)}
            row |= {"week_start": week, "updated_at": now}
        for row, p, words_said in zip(tested, corrected, said, strict=True):
            row |= {"p_holm": float(p), "verdict": str(words_said)}
        for row in rows:
            del row["up"]
    return [row for rows in tables.values() for row in rows]


def _compared(figures: Weekly, week: date) -> list[dict[str, Any]]:
    """Every subject with data in the week or the one before; p is missing where either has too few."""
    k = figures.mondays.index(week)
    n, n_before = figures.n[:, k], figures.n[:, k - 1]
    enough = (n >= v.ENOUGH) & (n_before >= v.ENOUGH)
    measured = {name: np.full(len(n), np.nan) for name in _MEASURED}
    measured["value"], previous = figures.value[:, k], figures.value[:, k - 1]
    measured["change"] = figures.value[:, k] - previous
    noise = v.week_noise(figures.value[enough, max(0, k - v.HISTORY_WEEKS) : k])
    found = _compare(figures, k, enough, noise)
    for name in ("change", "low", "high", "p", "surprise"):
        measured[name][enough] = getattr(found, name)
    notes = np.full(len(n), "", dtype=object)
    notes[enough] = np.where(noise.differences > 0, np.where(found.weeks_vary, WEEKS_VARY, ""), SHORT_HISTORY)
    metric = figures.metric
    common = {"metric": metric.column, "up": metric.better == "up"}
    return [
        {name: _plain(values[i]) for name, values in measured.items()}
        | {"subject": figures.subjects[i], "n": int(n[i]), "n_previous": int(n_before[i])}
        | {"previous": _plain(previous[i]), "note": notes[i]}
        | common
        for i in np.flatnonzero((n > 0) | (n_before > 0))
    ]


def _compare(figures: Weekly, k: int, enough: Any, noise: v.WeekNoise) -> v.Comparison:
    """In the metric's own unit: rates are compared as fractions and told in %."""

    def both(array: Floats) -> tuple[Floats, Floats]:
        return array[enough, k], array[enough, k - 1]

    n, n_before = both(figures.n)
    if figures.metric.is_rate:
        (part, part_before), (trials, trials_before) = both(figures.part), both(figures.effective)
        fractions = v.WeekNoise(noise.variance / 100**2, noise.differences)
        return v.compare_rates(part, trials, part_before, trials_before, fractions).scaled(100)
    (mean, mean_before), (std, std_before) = both(figures.value), both(figures.std)
    return v.compare_means(mean, std, n, mean_before, std_before, n_before, noise)


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
