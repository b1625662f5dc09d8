"""What happens in the demo: eight models, how good they are, and what becomes of them during the year.

Weeks are counted back from the running one, which is week 0; week 1 is the last finished one.
"""

from collections.abc import Callable
from dataclasses import dataclass

LevelOf = Callable[[int], float]  # weeks ago → mean score


@dataclass(frozen=True)
class DemoModel:
    """A simulated model; scores are on 0–100, delays are of the evaluation and in hours."""

    name: str
    kind: str
    version: str
    a_week: int
    level: LevelOf
    spread: float = 11.0
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    delay: float = 7.0
    late: bool = False
    human_share: float = 0.0
    overall_rating_only: bool = False
    records_timing: bool = True
    records_breaches: bool = True
    silent_weeks: tuple[int, ...] = ()


def steady(level: float) -> LevelOf:
    return lambda weeks_ago: level


def drifting(before: float, now: float) -> LevelOf:
    """In a straight line over the year."""
    return lambda weeks_ago: now + (before - now) * weeks_ago / 52


def stepping(before: float, after: float, weeks: int) -> LevelOf:
    """Another level in the last so many finished weeks."""
    return lambda weeks_ago: after if weeks_ago <= weeks else before


WHOLE_WEEK = (0, 1, 2, 3, 4, 5, 6)

MODELS = (
    # Two weeks without any data in the middle.
    DemoModel(
        "atlas-2",
        "transformer",
        "2.4",
        92,
        drifting(70, 75),
        weekdays=WHOLE_WEEK,
        human_share=0.3,
        silent_weeks=(17, 18),
    ),
    DemoModel(
        "borealis-7b", "language model", "7b", 76, steady(67), human_share=0.25, overall_rating_only=True
    ),
    # The real improvement.
    DemoModel("cirrus-l", "transformer", "l", 68, stepping(70, 76.5, weeks=11), human_share=0.3),
    # Its evaluations come days late, so its last days are predictions without a score.
    DemoModel("delta-q4", "gradient boosting", "q4", 64, steady(69.5), late=True),
    # Too few predictions to say much.
    DemoModel("ember-3", "statistical", "3", 9, steady(62), weekdays=(0, 2, 4), records_breaches=False),
    DemoModel("fathom-x", "transformer", "x", 70, drifting(72.5, 69), weekdays=WHOLE_WEEK, human_share=0.2),
    # Looks better in the last week, on some twenty predictions: noise.
    DemoModel("gale-1", "statistical", "1", 20, stepping(62, 67, weeks=1), spread=15.0, records_timing=False),
    # The real decline.
    DemoModel(
        "harbor-mini", "language model", "mini", 106, stepping(66, 59, weeks=1), spread=9.0, human_share=0.25
    ),
)
