"""models and operations

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.base import Timestamp
from db.triggers import Watched, install, uninstall

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
EVALUATIONS = Watched("model_evaluations", at="predicted_at", key="model_id")

COMPOSITES = {
    "counted_score": "CASE WHEN evaluated_at IS NOT NULL THEN final_score END",
    "auto_score": "0.4 * target_accuracy_score + 0.3 * timing_score + 0.3 * risk_management_score",
    "human_score": (
        "CASE WHEN human_evaluated_at IS NOT NULL THEN "
        "(human_rating_quality + human_rating_usefulness + human_rating_overall) / 3 * 20 END"
    ),
    "overall_score": "human_rating_overall * 20",
}

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _moment(column: str) -> str:
    shape = "[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]"
    exists = f"datetime(substr({column}, 1, 19)) = substr({column}, 1, 19)"
    fraction = f"substr({column}, 20) GLOB '.[0-9]*' AND substr({column}, 21) NOT GLOB '*[^0-9]*'"
    return f"{column} GLOB '{shape}*' AND {exists} AND (length({column}) = 19 OR ({fraction}))"


def upgrade() -> None:
    op.create_table(
        "app_facts",
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_app_facts")),
    )
    op.create_table(
        "business_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("starts_at", Timestamp(), nullable=False),
        sa.Column("ends_at", Timestamp(), nullable=False),
        sa.Column("week_start", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_business_days")),
    )
    op.create_index(op.f("ix_business_days_starts_at"), "business_days", ["starts_at"], unique=False)
    op.create_index(op.f("ix_business_days_week_start"), "business_days", ["week_start"], unique=False)

    op.create_table(
        "job_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job", sa.String(length=100), nullable=False),
        sa.Column("params", JSON, nullable=False),
        sa.Column("params_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("trigger", sa.String(length=20), nullable=False),
        sa.Column("triggered_by", sa.String(length=200), server_default="", nullable=False),
        sa.Column("scheduled_for", Timestamp(), nullable=True),
        sa.Column("queued_at", Timestamp(), nullable=False),
        sa.Column("not_before", Timestamp(), nullable=True),
        sa.Column("started_at", Timestamp(), nullable=True),
        sa.Column("heartbeat_at", Timestamp(), nullable=True),
        sa.Column("finished_at", Timestamp(), nullable=True),
        sa.Column("worker", sa.String(length=200), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("progress", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("rows_read", sa.Integer(), nullable=True),
        sa.Column("rows_written", sa.Integer(), nullable=True),
        sa.Column("result", JSON, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("log", sa.Text(), server_default="", nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'lost', 'covered')",
            name=op.f("ck_job_runs_status"),
        ),
        sa.CheckConstraint(
            "trigger IN ('manual', 'schedule', 'catch-up', 'command line', 'slack')",
            name=op.f("ck_job_runs_trigger"),
        ),
        sa.CheckConstraint("progress BETWEEN 0 AND 1", name=op.f("ck_job_runs_progress")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_runs")),
        sa.UniqueConstraint("job", "scheduled_for", name=op.f("uq_job_runs_job_scheduled_for")),
    )
    op.create_index(op.f("ix_job_runs_job_id"), "job_runs", ["job", "id"], unique=False)
    op.create_index(op.f("ix_job_runs_status_id"), "job_runs", ["status", "id"], unique=False)
    op.create_index(
        "uq_job_runs_queued",
        "job_runs",
        ["job", "params_hash"],
        unique=True,
        sqlite_where=sa.text("status = 'queued'"),
        postgresql_where=sa.text("status = 'queued'"),
    )
    op.create_index(
        "uq_job_runs_running",
        "job_runs",
        ["job"],
        unique=True,
        sqlite_where=sa.text("status = 'running'"),
        postgresql_where=sa.text("status = 'running'"),
    )

    op.create_table(
        "models",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=100), server_default="", nullable=False),
        sa.Column("provider", sa.String(length=200), nullable=True),
        sa.Column("version", sa.String(length=200), nullable=True),
        sa.Column("created_at", Timestamp(), server_default=sa.text("(CURRENT_TIMESTAMP)"), nullable=False),
        sa.CheckConstraint("name <> ''", name=op.f("ck_models_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_models")),
        sa.UniqueConstraint("name", name=op.f("uq_models_name")),
    )
    op.create_table(
        "reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=50), nullable=False),
        sa.Column("week_start", sa.Date(), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("channel", sa.String(length=200), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("message_ts", sa.String(length=50), nullable=True),
        sa.Column("sent_at", Timestamp(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('sending', 'sent', 'failed', 'unknown')", name=op.f("ck_reports_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint("kind", "week_start", "channel", name=op.f("uq_reports_kind_week_start_channel")),
    )
    op.create_table(
        "restatements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=500), nullable=False),
        sa.Column("column", sa.String(length=100), nullable=False),
        sa.Column("old", sa.Double(), nullable=True),
        sa.Column("new", sa.Double(), nullable=True),
        sa.Column("run", sa.Integer(), nullable=True),
        sa.Column("at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restatements")),
    )
    op.create_index(
        op.f("ix_restatements_table_name_key"), "restatements", ["table_name", "key"], unique=False
    )

    op.create_table(
        "stale_marks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("table_name", sa.String(length=100), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("key", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stale_marks")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_stale_marks_table_name_day_key"), "stale_marks", ["table_name", "day", "key"], unique=False
    )

    op.create_table(
        "daily_model_performance",
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("total_predictions", sa.Integer(), nullable=False),
        sa.Column("evaluated_count", sa.Integer(), nullable=False),
        sa.Column("scored_count", sa.Integer(), nullable=False),
        sa.Column("human_evaluated_count", sa.Integer(), nullable=False),
        sa.Column("avg_final_score", sa.Double(), nullable=True),
        sa.Column("std_final_score", sa.Double(), nullable=True),
        sa.Column("avg_auto_score", sa.Double(), nullable=True),
        sa.Column("std_auto_score", sa.Double(), nullable=True),
        sa.Column("auto_count", sa.Integer(), nullable=False),
        sa.Column("avg_human_score", sa.Double(), nullable=True),
        sa.Column("std_human_score", sa.Double(), nullable=True),
        sa.Column("human_score_count", sa.Integer(), nullable=False),
        sa.Column("avg_rating_overall", sa.Double(), nullable=True),
        sa.Column("std_rating_overall", sa.Double(), nullable=True),
        sa.Column("rating_overall_count", sa.Integer(), nullable=False),
        sa.Column("avg_target_accuracy", sa.Double(), nullable=True),
        sa.Column("target_accuracy_count", sa.Integer(), nullable=False),
        sa.Column("avg_timing_score", sa.Double(), nullable=True),
        sa.Column("timing_count", sa.Integer(), nullable=False),
        sa.Column("avg_risk_management", sa.Double(), nullable=True),
        sa.Column("risk_management_count", sa.Integer(), nullable=False),
        sa.Column("target_achieved_rate", sa.Double(), nullable=True),
        sa.Column("target_achieved_count", sa.Integer(), nullable=False),
        sa.Column("target_flag_count", sa.Integer(), nullable=False),
        sa.Column("support_breach_rate", sa.Double(), nullable=True),
        sa.Column("support_breached_count", sa.Integer(), nullable=False),
        sa.Column("breach_flag_count", sa.Integer(), nullable=False),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.id"], name=op.f("fk_daily_model_performance_model_id")
        ),
        sa.PrimaryKeyConstraint("model_id", "date", name=op.f("pk_daily_model_performance")),
    )
    op.create_index(
        op.f("ix_daily_model_performance_date_model_id"),
        "daily_model_performance",
        ["date", "model_id"],
        unique=False,
    )

    op.create_table(
        "model_evaluations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("prediction_id", sa.String(length=500), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("predicted_at", Timestamp(), nullable=False),
        sa.Column("evaluated_at", Timestamp(), nullable=True),
        sa.Column("human_evaluated_at", Timestamp(), nullable=True),
        sa.Column("final_score", sa.Double(), nullable=True),
        sa.Column("target_accuracy_score", sa.Double(), nullable=True),
        sa.Column("timing_score", sa.Double(), nullable=True),
        sa.Column("risk_management_score", sa.Double(), nullable=True),
        sa.Column("human_rating_quality", sa.Double(), nullable=True),
        sa.Column("human_rating_usefulness", sa.Double(), nullable=True),
        sa.Column("human_rating_overall", sa.Double(), nullable=True),
        sa.Column("target_achieved", sa.Boolean(), nullable=True),
        sa.Column("support_breached", sa.Boolean(), nullable=True),
        *(sa.Column(name, sa.Double(), sa.Computed(sql, persisted=True)) for name, sql in COMPOSITES.items()),
        sa.Column("updated_at", Timestamp(), server_default=sa.text("(CURRENT_TIMESTAMP)"), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.CheckConstraint(_moment("evaluated_at"), name=op.f("ck_model_evaluations_evaluated_at")).ddl_if(
            dialect="sqlite"
        ),
        sa.CheckConstraint(
            _moment("human_evaluated_at"), name=op.f("ck_model_evaluations_human_evaluated_at")
        ).ddl_if(dialect="sqlite"),
        sa.CheckConstraint(_moment("predicted_at"), name=op.f("ck_model_evaluations_predicted_at")).ddl_if(
            dialect="sqlite"
        ),
        sa.CheckConstraint("prediction_id <> ''", name=op.f("ck_model_evaluations_prediction_id")),
        sa.CheckConstraint(_moment("updated_at"), name=op.f("ck_model_evaluations_updated_at")).ddl_if(
            dialect="sqlite"
        ),
        sa.CheckConstraint("final_score BETWEEN 0 AND 100", name=op.f("ck_model_evaluations_final_score")),
        sa.CheckConstraint(
            "human_rating_overall BETWEEN 1 AND 5", name=op.f("ck_model_evaluations_human_rating_overall")
        ),
        sa.CheckConstraint(
            "human_rating_quality BETWEEN 1 AND 5", name=op.f("ck_model_evaluations_human_rating_quality")
        ),
        sa.CheckConstraint(
            "human_rating_usefulness BETWEEN 1 AND 5",
            name=op.f("ck_model_evaluations_human_rating_usefulness"),
        ),
        sa.CheckConstraint(
            "risk_management_score BETWEEN 0 AND 100", name=op.f("ck_model_evaluations_risk_management_score")
        ),
        sa.CheckConstraint(
            "support_breached IN (0, 1)", name=op.f("ck_model_evaluations_support_breached")
        ).ddl_if(dialect="sqlite"),
        sa.CheckConstraint(
            "target_accuracy_score BETWEEN 0 AND 100", name=op.f("ck_model_evaluations_target_accuracy_score")
        ),
        sa.CheckConstraint(
            "target_achieved IN (0, 1)", name=op.f("ck_model_evaluations_target_achieved")
        ).ddl_if(dialect="sqlite"),
        sa.CheckConstraint("timing_score BETWEEN 0 AND 100", name=op.f("ck_model_evaluations_timing_score")),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name=op.f("fk_model_evaluations_model_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_evaluations")),
        sa.UniqueConstraint(
            "model_id", "prediction_id", name=op.f("uq_model_evaluations_model_id_prediction_id")
        ),
    )
    op.create_index(
        "ix_model_evaluations_daily",
        "model_evaluations",
        [
            "day",
            "model_id",
            "evaluated_at",
            "human_evaluated_at",
            *COMPOSITES,
            "target_accuracy_score",
            "timing_score",
            "risk_management_score",
            "target_achieved",
            "support_breached",
        ],
        unique=False,
    )
    install(op.get_bind(), EVALUATIONS)


def downgrade() -> None:
    op.drop_table("model_evaluations")
    op.drop_table("daily_model_performance")
    op.drop_table("stale_marks")
    op.drop_table("restatements")
    op.drop_table("reports")
    op.drop_table("models")
    op.drop_table("job_runs")
    op.drop_table("business_days")
    op.drop_table("app_facts")
    uninstall(op.get_bind(), EVALUATIONS)
