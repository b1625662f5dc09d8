"""The run of `predict`: which codes and horizons, each stored with its ensemble, and what is told of them all."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from db.clock import business_day
from db.engine import reading, writing
from db.errors import Refused
from jobs.forecasting import CHRONOS, ENSEMBLE, LGBM, MEMBERS, Said, Wanted, by_chronos, by_trees
from jobs.formulas.blending import blend
from jobs.formulas.boosting import ENOUGH_BARS
from jobs.job import Outcome, Run
from jobs.models_in_use import any_promoted, promoted
from jobs.price_history import bars_of, wanted_codes
from jobs.stored_predictions import already_predicted, member_weights, store
from language import _, ngettext
from settings import Settings, current

FRESH_DAYS = 7  # that a newest bar may be old
CONTEXT = 512  # newest bars that members look at
AT_ONCE = 32  # codes that Chronos is asked about together
NAMED = 5  # codes that a summary names


class Wish(NamedTuple):
    """What is to be predicted; no codes are those of the settings."""

    codes: Sequence[str]
    horizons: tuple[int, ...]
    user_triggered: bool = False
    dry_run: bool = False


@dataclass
class Asked:
    """The run of a program that asks for a prediction: nobody watches it."""

    now: datetime
    zone: ZoneInfo
    id: int | None = None

    @property
    def today(self) -> date:
        return business_day(self.now, self.zone)

    def progress(self, done: float, message: str) -> None: ...

    def log(self, line: str) -> None: ...


@dataclass
class Done:
    """What became of the codes: predictions, members that said nothing, and codes that were skipped, each with why."""

    predictions: list[dict[str, Any]] = field(default_factory=list)
    absent: Counter[tuple[str, str]] = field(default_factory=Counter)
    skipped: dict[str, str] = field(default_factory=dict)
    there: int = 0  # codes of whose newest bar everything was predicted already


def predicted(engine: Engine, wish: Wish, run: Run) -> Outcome:
    """Predicts and stores, one short transaction a code; raises Refused where somebody asked and got nothing."""
    settings, done = current(), Done()
    with reading(engine) as connection:
        codes = wanted_codes(connection, wish.codes, settings.retrain_codes)
        able = bool(settings.chronos_model) or any_promoted(connection)
    if not codes:
        return _nothing(wish, _("Nothing to predict: no code has {n} bars.").format(n=ENOUGH_BARS))
    if not able:
        told = _(
            "Nothing to predict with: no model is in use (python -m jobs run retrain), and CHRONOS_MODEL is not set."
        )
        return _nothing(wish, told)
    for start in range(0, len(codes), AT_ONCE):
        some = codes[start : start + AT_ONCE]
        run.progress(start / len(codes), some[0])
        with reading(engine) as connection:
            wanted = list(_wanted(connection, some, wish, run, done))
        for one, said in zip(wanted, _said(wanted, settings, run), strict=True):
            run.progress(start / len(codes), one.code)
            done.predictions += _settle(engine, one, said, wish, run, done)
    return _outcome(wish, done)


def _wanted(
    connection: Connection, codes: Sequence[str], wish: Wish, run: Run, done: Done
) -> Iterator[Wanted]:
    """The codes with a fresh bar, and of each the horizons that are not predicted yet."""
    for code in codes:
        bars = bars_of(connection, code, CONTEXT)
        if not len(bars):
            done.skipped[code] = _("there are no prices of it")
            continue
        newest = date.fromordinal(int(bars.day[-1]))
        if newest < run.today - timedelta(days=FRESH_DAYS):
            done.skipped[code] = _("its newest price is of {day}").format(day=newest)
            continue
        there = set[int]() if wish.user_triggered else already_predicted(connection, code, newest)
        horizons = tuple(horizon for horizon in wish.horizons if horizon not in there)
        if not horizons:
            done.there += 1
            continue
        weights = {horizon: member_weights(connection, code, horizon) for horizon in horizons}
        yield Wanted(code, bars, horizons, promoted(connection, code), weights)


def _said(wanted: Sequence[Wanted], settings: Settings, run: Run) -> list[dict[int, dict[str, Said]]]:
    """What the members say: for each code, by horizon and member."""
    found = []
    for one, chronos in zip(wanted, by_chronos(wanted, settings), strict=True):
        trees = by_trees(one, settings, run.now)
        found.append({h: {CHRONOS: chronos[h], LGBM: trees[h]} for h in one.horizons})
    return found


def _settle(
    engine: Engine, one: Wanted, said: dict[int, dict[str, Said]], wish: Wish, run: Run, done: Done
) -> list[dict[str, Any]]:
    """Adds the ensembles, stores all that was said of a code, and tells what it was."""
    values = {}
    for horizon, members in said.items():
        done.absent.update((member, what.why) for member, what in members.items() if what.value is None)
        there = {member: what.value for member, what in members.items() if what.value is not None}
        if there:
            values[horizon] = there | {ENSEMBLE: blend(there, one.weights[horizon])}
    told = [_told(one, horizon, found) for horizon, found in values.items()]
    if values and not wish.dry_run:
        with writing(engine) as connection:
            ids = store(connection, one, values, run.now, wish.user_triggered)
        for row in told:
            row["ids"] = ids[row["horizon"]]
    return told


def _told(one: Wanted, horizon: int, values: dict[str, float]) -> dict[str, Any]:
    target = one.newest + timedelta(days=horizon)
    return {"code": one.code, "horizon": horizon, "target_date": str(target), "values": values}


def _nothing(wish: Wish, told: str) -> Outcome:
    if wish.user_triggered:
        raise Refused(told)
    return Outcome(told)


def _outcome(wish: Wish, done: Done) -> Outcome:
    values = sum(len(row["values"]) for row in done.predictions)
    codes = len({row["code"] for row in done.predictions})
    told = _("{predictions} of {codes}").format(
        predictions=ngettext("{n} prediction", "{n} predictions", values),
        codes=ngettext("{n} code", "{n} codes", codes),
    )
    told = ". ".join([told if values else _("Nothing was predicted"), *_remarks(done)]) + "."
    if wish.user_triggered and not values:
        raise Refused(told)
    result: dict[str, Any] = {"absent": _by_member(done), "skipped": done.skipped}
    if wish.codes:  # of a whole run they would be as long as the table
        result["predictions"] = done.predictions
    if wish.dry_run:
        return Outcome(_("Dry run. {told}").format(told=told), result=result)
    return Outcome(told, values, values, result)


def _remarks(done: Done) -> Iterator[str]:
    """What a person should know of the ensembles and of codes without any."""
    if done.there:
        yield ngettext("{n} code was predicted already", "{n} codes were predicted already", done.there)
    for (member, why), n in done.absent.most_common():
        forecasts = ngettext("{n} forecast", "{n} forecasts", n)
        yield _("{forecasts} without {member}: {why}").format(forecasts=forecasts, member=member, why=why)
    if done.skipped:
        named = [f"{code}: {why}" for code, why in list(done.skipped.items())[:NAMED]]
        count = ngettext("{n} code skipped", "{n} codes skipped", len(done.skipped))
        yield f"{count} ({'; '.join(named)}{' …' if len(done.skipped) > NAMED else ''})"


def _by_member(done: Done) -> dict[str, dict[str, int]]:
    return {
        member: {why: n for (name, why), n in done.absent.items() if name == member} for member in MEMBERS
    }
