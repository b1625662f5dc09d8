"""The work of `retrain`: codes are trained in processes of their own, each on its own prices; no database in here."""

import os
import threading
import time
import warnings
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache

from db.errors import Refused
from jobs.formulas.boosting import ENOUGH_BARS, ENOUGH_ROWS, Scored, Trees, train, usable_rows
from jobs.formulas.features import Bars
from jobs.formulas.openmp import lightgbm
from jobs.job import Passing
from language import _
from settings import Settings


@dataclass(frozen=True)
class Task:
    """A code's bars, and the models in use by horizon, which the new ones are compared with."""

    code: str
    bars: Bars
    horizons: tuple[int, ...]
    in_use: dict[int, Trees] = field(default_factory=dict)


@dataclass(frozen=True)
class Trained:
    """What came of one code and horizon: its scores, or why there are none."""

    horizon: int
    rows: int
    scored: Scored | None
    error: str | None = None


WORTH_A_WORKER = 10  # codes: as long as they take it takes a worker to load LightGBM

Done = Generator[tuple[str, list[Trained]]]


def train_code(task: Task) -> tuple[str, list[Trained]]:
    """Trains every horizon of a code; never raises."""
    return task.code, [_train(task, horizon) for horizon in task.horizons]


def _train(task: Task, horizon: int) -> Trained:
    rows = 0
    try:
        rows = usable_rows(task.bars, horizon)
        if why := _too_few(task.bars, rows):
            return Trained(horizon, rows, None, why)
        return Trained(horizon, rows, train(task.bars, horizon, task.in_use.get(horizon)))
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one code, the others are trained
        return Trained(horizon, rows, None, f"{type(error).__name__}: {error}")


def _too_few(bars: Bars, rows: int) -> str | None:
    if not len(bars):
        return _("There are no prices of it.")
    if len(bars) < ENOUGH_BARS:
        return _("It has {n} bars; {enough} are needed.").format(n=len(bars), enough=ENOUGH_BARS)
    if rows < ENOUGH_ROWS:
        return _(
            "Only {rows} of its {n} bars can be learnt from; {enough} are needed. The others are not above zero, or "
            "no bar follows within a week of their target date."
        ).format(rows=rows, n=len(bars), enough=ENOUGH_ROWS)
    return None


def _train_in(parent: int, task: Task) -> tuple[str, list[Trained]]:
    _end_with(parent)
    return train_code(task)


@cache
def _end_with(parent: int) -> None:
    """A worker's process ends when its parent was killed: by itself it would wait for ever to hand over a result."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    if os.getpid() != parent:
        threading.Thread(target=watch, daemon=True).start()


def refuse_without_lightgbm() -> None:
    """Raises Refused where LightGBM cannot be loaded, with what to do."""
    try:
        lightgbm()
    except (OSError, ImportError) as error:
        told = _(
            "LightGBM cannot be loaded: {why}. Install the system's OpenMP library and try again: apt install libgomp1 "
            "(Debian, Ubuntu), dnf install libgomp (Fedora), brew install libomp (macOS)."
        )
        raise Refused(told.format(why=error)) from None


def _at_once(tasks: int, settings: Settings) -> int:
    from joblib import cpu_count

    if settings.retrain_backend == "sequential":
        return 1
    return min(settings.retrain_jobs or min(cpu_count(), tasks // WORTH_A_WORKER), tasks)


def each_trained(tasks: Sequence[Task], settings: Settings) -> Done:
    """Every code as it is done, on RETRAIN_JOBS workers of RETRAIN_BACKEND. Raises Passing where a worker dies."""
    at_once = _at_once(len(tasks), settings)
    if at_once < 2:
        yield from map(train_code, tasks)
        return
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.process_executor import BrokenProcessPool

    warnings.filterwarnings("ignore", ".*tasks which were still being processed", module="joblib")
    workers = Parallel(
        n_jobs=at_once, backend=settings.retrain_backend, return_as="generator_unordered", max_nbytes=None
    )
    try:
        with closing(workers(delayed(_train_in)(os.getpid(), task) for task in tasks)) as done:
            yield from done
    except BrokenProcessPool:
        told = _(
            "A process that trained a model was ended from outside, perhaps because memory was short. "
            "RETRAIN_JOBS=1 needs least of it."
        )
        raise Passing(told) from None
    finally:
        if settings.retrain_backend == "loky":  # idle workers would keep their memory for minutes
            get_reusable_executor().shutdown(wait=True, kill_workers=True)
