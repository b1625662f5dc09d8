"""Trained models as files of MODELS_DIR: one file each, whole or not there.

A file is made whole under another name and renamed, before the row of training_runs that puts it to use is written:
readers go by that row, so that whoever is killed in between leaves the model from before in use.
"""

import hashlib
import json
import os
import platform
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from db.errors import Refused
from jobs.formulas.boosting import FoldScore, Scored, Trees
from jobs.formulas.features import FEATURES
from language import _

KEPT = 2  # files of a code and horizon: the model in use and the one before
MADE_WITH = ("lightgbm", "numpy")
_UNFINISHED = ".part"


class Unusable(Exception):
    """A model's file cannot be used; the text says why."""


def prepare(folder: Path) -> None:
    """Makes the folder; raises Refused where it cannot."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(
            _("The folder for models, {folder}, cannot be made: {why}. Check MODELS_DIR.").format(
                folder=folder, why=error.strerror
            )
        ) from None


def save(folder: Path, code: str, horizon: int, scored: Scored, at: datetime) -> str:
    """Writes the model; returns the file's name. Raises OSError."""
    name = f"{_stem(code, horizon)}.{at:%Y%m%dT%H%M%S%f}.json"
    unfinished = folder / (name + _UNFINISHED)
    with unfinished.open("w", encoding="utf-8") as stream:
        json.dump(_content(code, horizon, scored, at), stream, ensure_ascii=False, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(folder / name)
    return name


def read(folder: Path, name: str) -> Trees:
    """The model of a file; raises Unusable."""
    try:
        found = json.loads((folder / name).read_text(encoding="utf-8"))
        if found["features"] != list(FEATURES):
            raise Unusable(_("the model was trained by another version of Tidemark"))
        until = date.fromisoformat(found["trained_until"]).toordinal()
        return Trees(found["booster"], float(found["scale"]), until)
    except OSError:
        raise Unusable(_("the model's file {name} is not in MODELS_DIR").format(name=name)) from None
    except (ValueError, LookupError, TypeError):
        raise Unusable(_("the model's file {name} is damaged").format(name=name)) from None


def clean_up(folder: Path, code: str, horizon: int, keep: Iterable[str]) -> None:
    """Deletes the files of a code and horizon but those to keep, also what a killed run left."""
    names = set(keep)
    for path in folder.glob(f"{_stem(code, horizon)}.*"):
        if path.name not in names:
            with suppress(OSError):  # the next run tries again
                path.unlink()


def _stem(code: str, horizon: int) -> str:
    """A file's name from any code: what is plain of it, for people, and what tells it from all others."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", code)[:40]
    return f"{plain}-{hashlib.sha256(code.encode()).hexdigest()[:12]}.{horizon}d"


def _content(code: str, horizon: int, scored: Scored, at: datetime) -> dict[str, Any]:
    return {
        "code": code,
        "horizon": horizon,
        "trained_at": at.isoformat(),
        "trained_until": str(date.fromordinal(scored.trees.trained_until)),
        "features": list(FEATURES),
        "rows": scored.rows,
        "scores": {
            "mae": scored.mae,
            "mae_before": scored.mae_before,
            "mae_no_change": scored.mae_no_change,
            "hit_rate": scored.hit_rate,
            "p": scored.p,
        },
        "folds": [_fold(fold) for fold in scored.folds],
        "versions": {name: version(name) for name in MADE_WITH} | {"python": platform.python_version()},
        "scale": scored.trees.scale,
        "booster": scored.trees.booster,
    }


def _fold(score: FoldScore) -> dict[str, Any]:
    days = {name: str(date.fromordinal(getattr(score, name))) for name in ("first", "last")}
    return asdict(score) | days
