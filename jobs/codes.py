"""Parameters of jobs that work on the codes of prices."""

from pydantic import Field

from jobs.job import Parameters
from language import N_


class CodeParameters(Parameters):
    """Which codes: those named, or by default those of the settings."""

    code: str | None = Field(None, description=N_("this code only, or several with commas between them"))

    @property
    def codes(self) -> list[str]:
        return [code for part in (self.code or "").split(",") if (code := part.strip())]
