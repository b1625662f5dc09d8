"""The metric catalogue: what every number is called, what it means, and how it is shown."""

from dataclasses import dataclass
from typing import Literal

from language import N_


@dataclass(frozen=True)
class Metric:
    """A number over the rows of a period.

    A mean has the columns of its daily mean, spread and count; a rate those of its numerator and denominator;
    `source` is the column of the rows behind it; `missing_is_worst` where a row without it counts against.
    `better` says which way is an improvement; `low` and `high` are its range; `digits` come after the point;
    `enough` is the number of values that a model needs to be called best; `word` is what it is a figure of.
    """

    name: str
    label: str
    unit: str
    definition: str
    count: str
    mean: str = ""
    std: str = ""
    part: str = ""
    source: str = ""
    better: Literal["up", "down"] = "up"
    low: float = 0
    high: float = 100
    digits: int = 1
    digits_of_change: int = 1
    word: str = "models"
    missing_is_worst: bool = False
    enough: int = 10

    @property
    def is_rate(self) -> bool:
        return bool(self.part)

    @property
    def middle(self) -> float:
        """Where its values lie around: squares are taken from there, so that little is lost in their difference."""
        return self.low if self.high == float("inf") else (self.low + self.high) / 2

    @property
    def column(self) -> str:
        """What verdicts and exports call it: the column of its daily value."""
        return self.mean or self.name


MODEL_METRICS = (
    Metric(
        "final_score",
        N_("Score"),
        N_("mean score, 0–100"),
        N_("Mean final score of the predictions that were evaluated and have one."),
        count="scored_count",
        mean="avg_final_score",
        std="std_final_score",
        source="counted_score",
    ),
    Metric(
        "auto_score",
        N_("Automatic score"),
        N_("mean automatic score, 0–100"),
        N_(
            "Mean of 0.4 × target accuracy + 0.3 × timing + 0.3 × risk management, over the predictions with all three."
        ),
        count="auto_count",
        mean="avg_auto_score",
        std="std_auto_score",
        source="auto_score",
    ),
    Metric(
        "human_score",
        N_("Human score"),
        N_("mean human score, 20–100"),
        N_(
            "Mean of the human ratings for quality, usefulness and overall (1–5, times 20), over the predictions "
            "with all three."
        ),
        count="human_score_count",
        mean="avg_human_score",
        std="std_human_score",
        source="human_score",
        low=20,
    ),
    Metric(
        "rating_overall",
        N_("Overall rating"),
        N_("mean overall rating, 20–100"),
        N_("Mean of the overall human rating (1–5, times 20), for sources that have only this one."),
        count="rating_overall_count",
        mean="avg_rating_overall",
        std="std_rating_overall",
        source="human_rating_overall",
        low=20,
    ),
    Metric(
        "target_achieved_rate",
        N_("Targets achieved"),
        N_("% of predictions"),
        N_("Share of the predictions that reached their target, over those for which it is known."),
        count="target_flag_count",
        part="target_achieved_count",
        source="target_achieved",
    ),
    Metric(
        "support_breach_rate",
        N_("Stop breaches"),
        N_("% of predictions"),
        N_(
            "Share of the predictions that fell through their stop (support_breached in files), over those for which "
            "it is known; lower is better."
        ),
        count="breach_flag_count",
        part="support_breached_count",
        source="support_breached",
        better="down",
    ),
    Metric(
        "coverage",
        N_("Evaluated"),
        N_("% of predictions"),
        N_("Share of all predictions that are evaluated; the others are in no score."),
        count="total_predictions",
        part="evaluated_count",
        source="evaluated_at",
        missing_is_worst=True,
    ),
)


def _mark(name: str, label: str, definition: str) -> Metric:
    """What an evaluator gives an answer, 0–10."""
    return Metric(
        name,
        label,
        N_("mean, 0–10"),
        definition,
        count="evaluation_count" if name == "score" else f"{name}_count",
        mean=f"avg_{name}",
        std=f"std_{name}",
        source=name,
        high=10,
        digits_of_change=2,
        word="quality",
    )


QUALITY_METRICS = (
    _mark("score", N_("Answer score"), N_("Mean score that evaluators gave to answers.")),
    Metric(
        "feedback_score",
        N_("Likes"),
        N_("% of likes and dislikes"),
        N_("Share of the likes among all likes and dislikes that users gave."),
        count="feedback_count",
        part="likes",
        source="feedback",
        word="quality",
    ),
    _mark("quality", N_("Quality"), N_("Mean mark for quality, over the evaluations that have one.")),
    _mark("accuracy", N_("Accuracy"), N_("Mean mark for accuracy, over the evaluations that have one.")),
    _mark(
        "consistency",
        N_("Consistency"),
        N_("Mean mark for consistency, over the evaluations that have one."),
    ),
    _mark(
        "sentiment_match",
        N_("Sentiment match"),
        N_("Mean mark for meeting the user's mood, over the evaluations that have one."),
    ),
)

FORECAST_METRICS = (
    Metric(
        "hit_rate",
        N_("Hit rate"),
        N_("% of forecasts"),
        N_(
            "Share of the forecasts that moved the way that they said, over those with a base value; a move of exactly "
            "0 is a hit only where no move was forecast."
        ),
        count="direction_count",
        part="hit_count",
        source="direction_hit",
        word="forecasts",
    ),
    Metric(
        "closer_rate",
        N_("Closer than no change"),
        N_("% of forecasts"),
        N_(
            "Share of the forecasts that erred less than the last known value would have, over those with one."
        ),
        count="based_count",
        part="closer_count",
        source="abs_error",
        word="forecasts",
    ),
)

AGENT_METRICS = (
    Metric(
        "win_rate",
        N_("Win rate"),
        N_("% of decided trades"),
        N_("Share of the trades that won among those that won or lost; break-even trades are neither."),
        count="decided_count",
        part="wins",
        source="pnl",
        word="agents",
    ),
    Metric(
        "cost_per_call",
        N_("Cost per call, $"),
        N_("mean US dollars a call"),
        N_("Mean cost of the LLM calls whose cost is known, billed or by the price book; lower is better."),
        count="cost_count",
        mean="cost_mean",
        std="cost_std",
        source="cost_usd",
        better="down",
        high=float("inf"),
        digits=4,
        digits_of_change=4,
        word="agents",
    ),
)

# What a week is judged by.
MODEL_HEADLINES = ("final_score", "target_achieved_rate", "support_breach_rate")
QUALITY_HEADLINES = ("score", "feedback_score")
FORECAST_HEADLINES = ("hit_rate",)
AGENT_HEADLINES = ("win_rate", "cost_per_call")

METRICS = {
    metric.name: metric for metric in (*MODEL_METRICS, *QUALITY_METRICS, *FORECAST_METRICS, *AGENT_METRICS)
}
BY_COLUMN = {metric.column: metric for metric in METRICS.values()}
