"""Every table of Tidemark, one file a word."""

from db.base import Base
from db.tables import models, operations, quality

TABLES = (
    models.Model,
    models.ModelEvaluation,
    models.DailyModelPerformance,
    quality.ConversationEvaluation,
    quality.FeedbackLog,
    quality.DailyAiQuality,
    quality.WeeklyAiQuality,
    operations.JobRun,
    operations.Report,
    operations.Verdict,
    operations.StaleMark,
    operations.Restatement,
    operations.ModelChange,
    operations.BusinessDay,
    operations.AppFact,
)

metadata = Base.metadata

__all__ = ["TABLES", "metadata"]
