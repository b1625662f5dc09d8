"""Known rows of a few weeks, what the jobs make of them, and the digest that tells of it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select
from test_aggregate_models import Here

import settings
from db.engine import reading
from db.importing import import_file
from db.tables.operations import Verdict
from jobs.aggregate_models import aggregate_models
from jobs.aggregate_quality import aggregate_quality
from jobs.job import DayParameters
from jobs.judge_week import JudgeWeekParameters, judge_week
from jobs.model_days import AggregateModelsParameters
from reports.blocks import Message
from reports.digest import build
from reports.in_text import in_text

SEOUL = ZoneInfo("Asia/Seoul")
WEEK, BEFORE = date(2026, 11, 9), date(2026, 11, 2)
MONDAY = datetime(2026, 11, 16, 0, 0, tzinfo=UTC)  # 09:00 in Seoul
ANSWERS = "conversation_id,model,evaluator,created_at,score\n"
LIKES = "conversation_id,message_id,created_at,feedback,model\n"
PREDICTIONS = "prediction_id,model_name,predicted_at,evaluated_at,final_score\n"


class Weeks:
    """A database whose rows stand at noon of the days of a week, one day after the other."""

    def __init__(self, engine: Engine, folder: Path, now: datetime = MONDAY) -> None:
        self.engine, self.folder, self.now = engine, folder, now
        self.values: dict[str, Any] = {}
        self._files = 0

    def answers(
        self, monday: date, scores: Sequence[float], likes: int = 0, dislikes: int = 0, model: str = "m"
    ) -> None:
        lines = [
            f"{monday}-{model}-{k},{model},judge,{_noon(monday, k)},{score}" for k, score in enumerate(scores)
        ]
        said = ["like"] * likes + ["dislike"] * dislikes
        rated = [f"{monday}-{model}-{k},{k},{_noon(monday, k)},{what},{model}" for k, what in enumerate(said)]
        self._bring("conversation_evaluation", ANSWERS, lines)
        self._bring("feedback_log", LIKES, rated)

    def predictions(self, mondays: date | Sequence[date], scores: Sequence[float], *models: str) -> None:
        lines = [
            f'{monday}-{k},"{model}",{_noon(monday, k)},{_noon(monday, k)},{score}'
            for monday in ([mondays] if isinstance(mondays, date) else mondays)
            for model in models or ("harbor",)
            for k, score in enumerate(scores)
        ]
        self._bring("model_evaluations", PREDICTIONS, lines)

    def _bring(self, table: str, header: str, lines: Sequence[str]) -> None:
        if not lines:
            return
        self._files += 1
        file = self.folder / f"{table}-{self._files}.csv"
        file.write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
        report = import_file(self.engine, table, file, zone=SEOUL, now=self.now)
        assert (report.rejected, report.new) == (0, len(lines)), report

    def settle(self) -> None:
        """The jobs of a night."""
        here = Here(self.now)
        aggregate_models(self.engine, AggregateModelsParameters(), here)
        aggregate_quality(self.engine, DayParameters(), here)
        judge_week(self.engine, JudgeWeekParameters(), here)

    def digest(self, week: date = WEEK, **options: Any) -> Message:
        with reading(self.engine) as connection:
            common: dict[str, Any] = {"now": self.now, "pictures": False}
            return build(connection, settings.load(**self.values), week, **(common | options))

    def lines(self, week: date = WEEK, **options: Any) -> list[str]:
        return in_text(self.digest(week, **options)).splitlines()

    def verdicts(self, week: date = WEEK) -> list[dict[str, Any]]:
        """Most surprising first."""
        with reading(self.engine) as connection:
            rows = connection.execute(select(Verdict.__table__).where(Verdict.week_start == week)).mappings()
            return sorted((dict(row) for row in rows), key=lambda row: row["surprise"] or -1e9, reverse=True)


def around(mean: float, n: int, apart: float = 0.1) -> list[float]:
    """So many scores (an even number) of that mean."""
    return [round(mean + (apart if k % 2 else -apart), 6) for k in range(n)]


def _noon(monday: date, k: int) -> str:
    at = datetime.combine(monday + timedelta(days=k % 7), time(12)) + timedelta(seconds=k)
    return at.isoformat()
