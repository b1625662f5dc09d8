"""Work of many transactions on SQLite lets other writers in; on PostgreSQL it need not."""

import pytest
from sqlalchemy import Engine

from db.giving_way import KEEPS, LOOKS_AFTER, GivingWay


def test_a_turn_for_others_once_a_second_where_they_would_wait(engine: Engine) -> None:
    now, slept = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    turns = GivingWay(engine, lambda: now[0], sleep)
    for _chunk in range(10):
        now[0] += 0.4
        turns.pass_by()
    expected = 3 if engine.dialect.name == "sqlite" else 0
    assert slept == pytest.approx([LOOKS_AFTER] * expected) and KEEPS == 1.0
