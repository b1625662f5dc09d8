"""The run of `retrain`: which codes, each written down as soon as it is trained, and what is told of them all."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from typing import Any, NamedTuple

from sqlalchemy import Engine, Table

from db.engine import reading, writing
from db.errors import Refused
from db.tables.forecasts import TrainingRun
from db.upsert import upsert_rows
from jobs import artifacts
from jobs.formulas.boosting import ENOUGH_BARS, Trees
from jobs.formulas.promotion import NO_BETTER, NO_BETTER_THAN_BEFORE, NOT_CLEARLY, why_kept
from jobs.job import Outcome, Run
from jobs.models_in_use import FAILED, KEPT, LGBM, PROMOTED, Promoted, promoted
from jobs.price_history import bars_of, wanted_codes
from jobs.training import Task, Trained, each_trained, refuse_without_lightgbm
from language import N_, _, ngettext
from settings import Settings, current

KEY = ("code", "horizon", "model", "trained_at")
NAMED = 5  # codes or failures that a summary names
LISTED = 1_000  # that the result lists
WORDS = {
    PROMOTED: N_("promoted"),
    KEPT: N_("kept"),
    FAILED: N_("failed"),
    NO_BETTER: N_("no better than “no change”"),
    NO_BETTER_THAN_BEFORE: N_("no better than the model in use"),
    NOT_CLEARLY: N_("not clearly better than “no change”"),
}

runs: Table = TrainingRun.__table__  # type: ignore[assignment]


class Recorded(NamedTuple):
    """A row of training_runs, and why its model was kept or failed."""

    row: dict[str, Any]
    why: str

    def told(self) -> str:
        status = f"{self.row['horizon']} d {_(WORDS[self.row['status']])}"
        return f"{status} ({self.why})" if self.why else status


def rehearsed(engine: Engine, named: Sequence[str]) -> Outcome:
    """What would be trained: codes and bars."""
    with reading(engine) as connection:
        codes = wanted_codes(connection, named, current().retrain_codes)
        found = {code: len(bars_of(connection, code)) for code in codes}
    told = ngettext("{n} code would be trained", "{n} codes would be trained", len(found))
    names = [
        _("{code} ({bars})").format(code=code, bars=ngettext("{n} bar", "{n} bars", n))
        for code, n in found.items()
    ]
    summary = _("Dry run. {told}").format(told=f"{told}: {_some(names)}" if names else f"{told}.")
    return Outcome(
        summary,
        sum(found.values()),
        result={"codes": [{"code": code, "rows": n} for code, n in found.items()]},
    )


def trained(engine: Engine, named: Sequence[str], run: Run) -> Outcome:
    """Trains and records; raises Refused where not one model could be trained."""
    settings = current()
    tasks = _tasks(engine, named, run, settings)
    if not tasks:
        return Outcome(_("Nothing to train: no code has {n} bars.").format(n=ENOUGH_BARS))
    refuse_without_lightgbm()
    artifacts.prepare(settings.models_dir)
    run.progress(0, tasks[0].code)
    records: list[Recorded] = []
    with closing(each_trained(tasks, settings)) as done:
        for n, (code, found) in enumerate(done, start=1):
            made = _record(engine, code, found, run, settings)
            records += made
            run.log(f"{code}: {', '.join(one.told() for one in made)}")
            run.progress(n / len(tasks), code)
    return _outcome(tasks, records)


def _tasks(engine: Engine, named: Sequence[str], run: Run, settings: Settings) -> list[Task]:
    with reading(engine) as connection:
        codes = wanted_codes(connection, named, settings.retrain_codes)
        found = [(code, bars_of(connection, code), promoted(connection, code)) for code in codes]
    return [
        Task(code, bars, settings.horizons, _in_use(code, models, run, settings))
        for code, bars, models in found
    ]


def _in_use(code: str, models: dict[int, list[Promoted]], run: Run, settings: Settings) -> dict[int, Trees]:
    """The models that new ones are compared with; one that predicts nothing any more stands in nobody's way."""
    found = {}
    for horizon in set(models) & set(settings.horizons):
        try:
            newest = models[horizon][0]
            found[horizon] = newest.trees(settings.models_dir, run.now, settings.model_max_age_days)
        except artifacts.Unusable as why:
            run.log(f"{code}, {horizon} d: {why}")
    return found


def _record(
    engine: Engine, code: str, found: Sequence[Trained], run: Run, settings: Settings
) -> list[Recorded]:
    """Files of what is promoted first, then the rows that put them to use, then files that nobody needs go."""
    made = [_recorded(code, one, run, settings) for one in found]
    with writing(engine) as connection:
        upsert_rows(connection, runs, KEY, [one.row for one in made])
        models = promoted(connection, code)
    for one in found:
        keep = [model.artifact for model in models.get(one.horizon, ())[: artifacts.KEPT]]
        artifacts.clean_up(settings.models_dir, code, one.horizon, keep)
    return made


def _recorded(code: str, one: Trained, run: Run, settings: Settings) -> Recorded:
    row: dict[str, Any] = dict.fromkeys(("mae", "mae_before", "mae_no_change", "hit_rate"))
    row |= {"code": code, "horizon": one.horizon, "model": LGBM, "trained_at": run.now}
    row |= {"rows": one.rows, "folds": 0, "artifact": "", "status": FAILED, "error": one.error}
    if one.scored is None:
        return Recorded(row, one.error or "")
    scored = one.scored
    row |= {"mae": scored.mae, "mae_before": scored.mae_before, "mae_no_change": scored.mae_no_change}
    row |= {"hit_rate": scored.hit_rate, "folds": len(scored.folds)}
    if why := why_kept(scored, settings.retrain_guard):
        return Recorded(row | {"status": KEPT}, _(WORDS[why]))
    try:
        artifact = artifacts.save(settings.models_dir, code, one.horizon, scored, run.now)
    except OSError as error:
        told = _("The model could not be written to MODELS_DIR: {why}").format(why=error.strerror)
        return Recorded(row | {"error": told}, told)
    return Recorded(row | {"status": PROMOTED, "artifact": artifact}, "")


def _outcome(tasks: Sequence[Task], records: Sequence[Recorded]) -> Outcome:
    counts = Counter(one.row["status"] for one in records)
    faults = _some([f"{one.row['code']} {one.told()}" for one in records if one.row["status"] == FAILED])
    if counts[FAILED] == len(records):
        raise Refused(_("Not one model could be trained: {faults}").format(faults=faults))
    told = ", ".join(f"{counts[status]} {_(WORDS[status])}" for status in (PROMOTED, KEPT, FAILED))
    models = ngettext("{n} model trained", "{n} models trained", len(records))
    return Outcome(
        f"{models}: {told}" + (f". {faults}" if faults else ""),
        sum(len(task.bars) for task in tasks),
        len(records),
        {**{status: counts[status] for status in (PROMOTED, KEPT, FAILED)}, "runs": _listed(records)},
    )


def _listed(records: Sequence[Recorded]) -> list[dict[str, Any]]:
    names = ("code", "horizon", "status")
    return [{name: one.row[name] for name in names} | {"why": one.why} for one in records[:LISTED]]


def _some(told: Sequence[str]) -> str:
    """The first few, and how many more."""
    more = len(told) - NAMED
    return "; ".join(told[:NAMED]) + (ngettext("; and {n} more", "; and {n} more", more) if more > 0 else "")
