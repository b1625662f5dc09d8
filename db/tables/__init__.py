"""Every table of Tidemark, one file a word."""

from db.base import Base
from db.tables import agents, forecasts, models, operations, quality, usage

TABLES = (
    models.Model,
    models.ModelEvaluation,
    models.DailyModelPerformance,
    quality.ConversationEvaluation,
    quality.FeedbackLog,
    quality.DailyAiQuality,
    quality.WeeklyAiQuality,
    forecasts.PriceBar,
    forecasts.Prediction,
    forecasts.PredictionOutcome,
    forecasts.DailyForecast,
    forecasts.ModelPerformance,
    forecasts.EnsembleWeight,
    forecasts.EnsembleWeightHistory,
    forecasts.TrainingRun,
    forecasts.WeightBacktest,
    agents.TradeRecord,
    agents.ModelEvolution,
    agents.AgentAssignment,
    agents.AgentPerformance,
    agents.DailyConfidence,
    agents.SystemMetric,
    usage.LlmUsage,
    usage.LlmPrice,
    usage.DailyLlmUsage,
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
