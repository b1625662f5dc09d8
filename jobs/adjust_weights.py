"""prediction_outcomes → model_performance, ensemble_weights and their ledger (docs/metrics.md): how much each member
of an ensemble counts, from the outcomes of the last 31 days. A run can be taken back."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator
from sqlalchemy import Connection, Engine

from db.clock import business_day
from db.errors import Refused
from db.weight_ledger import newest_undoable, undoable
from jobs.job import Job, Outcome, Parameters, Run
from jobs.typed_day import TypedDay
from language import N_, _
from settings import current


def _no_run(value: Any) -> Any:
    return None if value in (0, "0", "") else value


RunId = Annotated[Annotated[int, Field(ge=1, lt=2**31)] | None, BeforeValidator(_no_run)]


class AdjustWeightsParameters(Parameters):
    day: TypedDay | None = Field(
        None, description=N_("the last of the 31 days whose outcomes count; otherwise today")
    )
    undo: RunId = Field(None, description=N_("instead take this run back: the weights from before it"))

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.day and self.undo:
            raise ValueError(_("give a day, or a run to undo, not both"))
        return self


def adjust_weights(engine: Engine, params: AdjustWeightsParameters, run: Run) -> Outcome:
    """Decides on every group with an outcome of a member, or takes a run back; one transaction."""
    from jobs.adjusting import adjust  # pandas and scipy take half a second that no other command should wait
    from jobs.undoing_weights import undo

    if params.undo:
        return undo(engine, params.undo, params.dry_run, run)
    return adjust(engine, current(), params.day or run.today, params.dry_run, run)


def check(connection: Connection, params: AdjustWeightsParameters, now: datetime) -> None:
    """Raises Refused for a day that has not come, and for a run that cannot be undone."""
    if params.day and params.day > business_day(now, current().zone):
        raise Refused(_("{day} has not come yet").format(day=params.day), status=2)
    if params.undo:
        undoable(connection, params.undo)


JOB = Job(
    "adjust_weights",
    N_("Adjust ensemble weights"),
    adjust_weights,
    AdjustWeightsParameters,
    check=check,
    undoable=newest_undoable,
)
