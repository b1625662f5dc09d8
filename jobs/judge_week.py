"""Weekly figures → verdicts: which change from one finished week to the next is more than noise (docs/metrics.md).

By default every week whose own figures, or those of the weeks before it that tell how much weeks vary, changed since
it was judged, and the newest finished one.
"""

from pydantic import Field
from sqlalchemy import Engine

from jobs.job import Job, Outcome, Parameters, Run
from jobs.monday import Monday
from language import N_


class JudgeWeekParameters(Parameters):
    week: Monday | None = Field(None, description=N_("this ISO week only: 2026-W46, or a day of it"))


def judge_week(engine: Engine, params: JudgeWeekParameters, run: Run) -> Outcome:
    """Judges the asked week, or all that are stale; one transaction a week."""
    from jobs.judging import judge  # pandas and scipy take half a second that no other command should wait

    return judge(engine, params.week, params.dry_run, run)


JOB = Job("judge_week", N_("Judge the weeks"), judge_week, JudgeWeekParameters)
