"""The member “chronos”: a pretrained model that predicts from closes alone (requirements-heavy.txt)."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jobs.formulas.features import Floats
from language import _

CONTEXT = 512  # newest closes that it looks at
LEAST = 20
LEVELS = [0.1, 0.5, 0.9]


class Unavailable(Exception):
    """Chronos predicts nothing; the text says why, and what to do."""


def closes_ahead(model: str | None, histories: Sequence[Floats], bars: int) -> Floats:
    """The median close of each of so many bars ahead, one row a history of closes. Raises Unavailable."""
    pipeline = _pipeline(model)
    frames = [
        pd.DataFrame({"item_id": n, "timestamp": _steps(len(closes)), "target": closes})
        for n, closes in enumerate(histories)
    ]
    given = pd.concat(frames, ignore_index=True)
    try:
        found = pipeline.predict_df(given, prediction_length=bars, quantile_levels=LEVELS, freq="D")
    except (ValueError, RuntimeError) as error:  # torch's own are RuntimeErrors
        raise Unavailable(_("Chronos failed: {why}").format(why=_first_line(error))) from error
    found = found.sort_values(["item_id", "timestamp"], kind="stable")
    # Quantiles may cross: the one in the middle is the median then.
    levels = np.sort(found[[str(level) for level in LEVELS]].to_numpy(float), axis=1)
    closes: Floats = levels[:, 1].reshape(len(histories), bars)
    return closes


def refuse_unavailable(model: str | None) -> None:
    """Loads the model, once a process; raises Unavailable."""
    _pipeline(model)


def _steps(n: int) -> pd.DatetimeIndex:
    """Invented days without gaps, as it wants them: a step is a bar, whatever day that was."""
    return pd.date_range("2000-01-01", periods=n, freq="D")


def _pipeline(model: str | None) -> Any:
    if not model:
        raise Unavailable(_("CHRONOS_MODEL is not set"))
    _check_folder(model)
    return _loaded(model)


def _check_folder(model: str) -> None:
    """A folder that is not there would be taken for a name on the hub."""
    folder = Path(model).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise Unavailable(
                _("the folder {folder} of CHRONOS_MODEL has no config.json").format(folder=model)
            )
    elif model.startswith((".", "~")) or folder.is_absolute() or model.count("/") != 1:
        raise Unavailable(_("the folder {folder} of CHRONOS_MODEL is not there").format(folder=model))


@cache
def _loaded(model: str) -> Any:
    """Takes seconds, and half a gigabyte or more; a failure is tried again the next time."""
    try:
        from chronos import BaseChronosPipeline
    except ImportError as error:
        told = _("{module} is not installed: pip install -r requirements-heavy.txt")
        raise Unavailable(told.format(module=error.name or "chronos")) from None
    try:
        return BaseChronosPipeline.from_pretrained(str(Path(model).expanduser()), device_map="cpu")
    except (OSError, ValueError) as error:
        told = _("CHRONOS_MODEL cannot be loaded: {why}")
        raise Unavailable(told.format(why=_first_line(error))) from None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
