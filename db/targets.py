"""Targets of metrics, from a YAML file that people write: lines in the charts.

final_score: 70
support_breach_rate: 10
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from db.errors import Refused
from db.metrics import METRICS
from language import _


def targets(path: Path | None) -> dict[str, float]:
    """Metric → target; empty without a file. Raises Refused with what is wrong in it."""
    if path is None or not path.exists():
        return {}
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> dict[str, float]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(_("{file} cannot be read: {why}").format(file=path.name, why=error)) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = _("line {n}: ").format(n=mark.line + 1) if mark else ""
        why = getattr(error, "problem", None) or str(error)
        raise Refused(
            _("{file} is no YAML: {line}{why}").format(file=path.name, line=line, why=why)
        ) from None
    except ValueError as error:  # 2026-13-45, or a number of five thousand digits
        raise Refused(_("{file} cannot be read: {why}").format(file=path.name, why=error)) from None
    if not isinstance(found, dict):
        raise Refused(_("{file} holds no lines like “final_score: 70”").format(file=path.name))
    return {_metric(path, name): _target(path, name, value) for name, value in found.items()}


def _metric(path: Path, name: Any) -> str:
    if name not in METRICS:
        told = _("{file}: there is no metric “{name}”; there are {names}")
        raise Refused(told.format(file=path.name, name=name, names=", ".join(METRICS)))
    return str(name)


def _target(path: Path, name: Any, value: Any) -> float:
    metric = METRICS[_metric(path, name)]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not metric.low <= value <= metric.high:
        told = _("{file}: the target of {name} is “{value}”; it takes a number from {low:g} to {high:g}")
        raise Refused(told.format(file=path.name, name=name, value=value, low=metric.low, high=metric.high))
    return float(value)
