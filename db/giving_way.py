"""GivingWay of writers on SQLite: work of many transactions would otherwise let nobody else in until its end."""

import time
from collections.abc import Callable

from sqlalchemy import Engine

KEEPS = 1.0  # seconds of work before others get a turn
LOOKS_AFTER = 0.11  # a writer that waits looks at least ten times a second


class GivingWay:
    """Asked between two transactions; leaves the file alone now and then for as long as a waiting writer needs."""

    def __init__(
        self,
        engine: Engine,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._is_needed = engine.dialect.name == "sqlite"
        self._clock, self._sleep, self._since = clock, sleep, clock()

    def pass_by(self) -> None:
        """Waits where the work has gone on for a second since it last did; a writer of PostgreSQL waits for none."""
        if self._is_needed and self._clock() - self._since > KEEPS:
            self._sleep(LOOKS_AFTER)
            self._since = self._clock()
