"""Swaps that are kept, rolled back or left undecided, by the job and by hand; assignment and history agree."""

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from agent_data import SEOUL, store, trade
from sqlalchemy import Engine, insert, select, update
from test_aggregate_models import Here

import settings
from db.errors import Refused
from db.tables.agents import AgentAssignment, ModelEvolution, TradeRecord
from jobs.check_swaps import check_swaps
from jobs.job import Outcome, Parameters
from jobs.swapping import roll_back, swap
from tests.database.conftest import in_turn

SWAPPED = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
NOW = SWAPPED + timedelta(days=8)
DAY = timedelta(days=1)


def check(engine: Engine, now: datetime = NOW, dry_run: bool = False) -> Outcome:
    return check_swaps(engine, Parameters(dry_run=dry_run), Here(now))


def history(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(ModelEvolution.__table__).order_by(ModelEvolution.id)))


def model_of(engine: Engine, agent: str = "news") -> str | None:
    with engine.connect() as connection:
        found = select(AgentAssignment.model).where(AgentAssignment.agent_name == agent)
        return connection.scalar(found)


def swapped(engine: Engine, at: datetime = SWAPPED, **more: Any) -> None:
    """The agent news goes from m1 to m2."""
    row = {
        "agent_name": "news",
        "timestamp": at,
        "old_model": "m1",
        "new_model": "m2",
        "triggered_by": "automatic",
    }
    row |= {"old_provider": "acme", "new_provider": "acme"} | more
    with engine.begin() as connection:
        connection.execute(insert(ModelEvolution), [row])
        connection.execute(
            insert(AgentAssignment),
            [{"agent_name": row["agent_name"], "provider": "acme", "model": row["new_model"], "since": at}],
        )


def traded(engine: Engine, first: datetime, wins: int, losses: int, start: int = 0, **more: Any) -> None:
    """Trades of the agent, an hour apart, of one unit each."""
    pnl = [1.0] * wins + [-1.0] * losses
    given = {"news": 0.5, "chart": 0.5}
    rows = [
        trade(start + k, x, given, timestamp=first + k * timedelta(hours=1), **more)
        for k, x in enumerate(pnl)
    ]
    store(engine, TradeRecord, rows)


@pytest.fixture
def got_worse(engine: Engine) -> Engine:
    swapped(engine)
    traded(engine, SWAPPED - 3 * DAY, wins=18, losses=2)
    traded(engine, SWAPPED + DAY, wins=4, losses=16, start=100)
    return engine


def test_what_got_worse_is_rolled_back_with_the_assignment(got_worse: Engine) -> None:
    outcome = check(got_worse)
    first, back = history(got_worse)
    assert (first.status, first.verdict, first.validated_at) == ("rolled_back", "worse", NOW)
    # Wins and money alone, which are the same share here: 90 and 20.
    assert (first.rating_before, first.rating_after) == pytest.approx((90, 20))
    assert first.observed_change == first.performance_improvement == pytest.approx(-70 / 90)
    assert (first.decisions_before, first.decisions_after) == (20, 20)
    assert first.difference_high < 0
    assert (back.old_model, back.new_model, back.rolls_back) == ("m2", "m1", first.timestamp)
    assert (back.status, back.triggered_by, back.timestamp) == ("kept", "automatic", NOW)
    assert back.reason == "Rolled back: the rating fell from 90.0 to 20.0 (-78%; n = 20 / 20)"
    assert model_of(got_worse) == "m1"
    assert outcome.summary == "1 swap validated, 1 rolled back: news"


def test_a_rehearsal_says_the_same_and_changes_nothing(got_worse: Engine) -> None:
    before = history(got_worse)
    outcome = check(got_worse, dry_run=True)
    assert outcome.summary == "Dry run. 1 swap validated, 1 rolled back: news"
    assert outcome.result["swaps"] == check(got_worse).result["swaps"]
    assert before[0].status == "validating"


def test_twice_is_once(got_worse: Engine) -> None:
    check(got_worse)
    before = history(got_worse)
    assert check(got_worse, NOW + 30 * DAY).summary == "No swap is to be validated."
    assert history(got_worse) == before


def test_it_waits_for_the_end_of_the_period(got_worse: Engine) -> None:
    check(got_worse, SWAPPED + 7 * DAY - timedelta(seconds=1))
    assert history(got_worse)[0].status == "validating"
    check(got_worse, SWAPPED + 7 * DAY)
    assert history(got_worse)[0].status == "rolled_back"


def test_what_got_better_is_kept(engine: Engine) -> None:
    swapped(engine)
    traded(engine, SWAPPED - 3 * DAY, wins=8, losses=8)
    traded(engine, SWAPPED + DAY, wins=14, losses=2, start=100)
    check(engine)
    (row,) = history(engine)
    assert (row.status, row.verdict) == ("kept", "not worse")
    assert model_of(engine) == "m2"


def test_worse_but_not_clear_is_left_and_the_bare_threshold_takes_it_back(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    swapped(engine)
    traded(engine, SWAPPED - 3 * DAY, wins=7, losses=5)
    traded(engine, SWAPPED + DAY, wins=5, losses=7, start=100)
    rehearsed = check(engine, dry_run=True).result["swaps"][0]
    assert (rehearsed["status"], rehearsed["verdict"]) == ("inconclusive", "worse but not clear")
    monkeypatch.setenv("ROLLBACK_GUARD", "off")
    check(engine)
    assert history(engine)[0].status == "rolled_back"


def test_too_few_decisions_are_inconclusive(engine: Engine) -> None:
    swapped(engine)
    traded(engine, SWAPPED - 3 * DAY, wins=9, losses=0)
    traded(engine, SWAPPED + DAY, wins=0, losses=20, start=100)
    check(engine)
    (row,) = history(engine)
    assert (row.status, row.verdict, row.decisions_before) == ("inconclusive", "too few decisions", 9)


def test_only_closed_trades_of_the_agent_in_the_periods_count(got_worse: Engine) -> None:
    more = [
        trade(200, None, {"news": 1}, timestamp=SWAPPED + DAY),
        trade(201, 5.0, {"chart": 1}, timestamp=SWAPPED + DAY),
        trade(202, 5.0, {"news": 0}, timestamp=SWAPPED + DAY),
        trade(203, 5.0, {"news": 1}, timestamp=SWAPPED + 7 * DAY),
        trade(204, 5.0, {"news": 1}, timestamp=SWAPPED - 7 * DAY - timedelta(seconds=1)),
    ]
    store(got_worse, TradeRecord, more)
    check(got_worse)
    assert (history(got_worse)[0].decisions_before, history(got_worse)[0].decisions_after) == (20, 20)


def test_the_periods_stop_at_neighbouring_swaps(engine: Engine) -> None:
    """m0 → m1 three days before: only its trades since then are compared."""
    with engine.begin() as connection:
        earlier = {"agent_name": "news", "timestamp": SWAPPED - 3 * DAY, "new_model": "m1", "status": "kept"}
        connection.execute(insert(ModelEvolution), [earlier | {"triggered_by": "manual"}])
    swapped(engine)
    traded(engine, SWAPPED - 6 * DAY, wins=0, losses=20)
    traded(engine, SWAPPED - 2 * DAY, wins=18, losses=2, start=50)
    traded(engine, SWAPPED + DAY, wins=4, losses=16, start=100)
    check(engine)
    row = history(engine)[1]
    assert (row.rating_before, row.rating_after, row.status) == (
        pytest.approx(90),
        pytest.approx(20),
        "rolled_back",
    )


def test_what_was_replaced_meanwhile_is_not_taken_back(got_worse: Engine) -> None:
    swap(got_worse, "news", ("acme", "m3"), "try another", SWAPPED + 4 * DAY, SEOUL)
    check(got_worse)
    first, second = history(got_worse)
    assert (first.status, first.verdict) == ("inconclusive", "replaced meanwhile")
    assert (second.status, model_of(got_worse)) == ("validating", "m3")


def test_markets_with_other_currencies_stand_side_by_side(engine: Engine) -> None:
    """In wons a thousand times the dollars: the rating is the mean of both, not that of the wons."""
    swapped(engine)
    for k, (market, size) in enumerate((("KRX", 1000.0), ("US", 1.0))):
        pnl = [size] * 8 + [-size] * 2 if market == "US" else [size] * 2 + [-size] * 8
        rows = [
            trade(
                1000 * k + n,
                x,
                {"news": 1},
                timestamp=SWAPPED - DAY + n * timedelta(minutes=5),
                market=market,
            )
            for n, x in enumerate(pnl)
        ]
        store(engine, TradeRecord, rows)
    traded(engine, SWAPPED + DAY, wins=6, losses=6, start=5000, market="JP")
    check(engine)
    assert history(engine)[0].rating_before == pytest.approx(50)


def test_after_a_rollback_the_agent_rests(got_worse: Engine) -> None:
    check(got_worse)
    with pytest.raises(Refused, match="news was rolled back and rests until 2026-11-17"):
        swap(got_worse, "news", ("acme", "m3"), "again", NOW + DAY, SEOUL)
    assert swap(got_worse, "news", ("acme", "m3"), "again", NOW + 7 * DAY, SEOUL)
    assert model_of(got_worse) == "m3"


def test_a_swap_by_hand_and_its_rollback(engine: Engine) -> None:
    first = swap(engine, "news", ("acme", "m1"), " first\n model ", SWAPPED, SEOUL)
    second = swap(engine, "news", ("other", "m2"), "cheaper", SWAPPED + DAY, SEOUL)
    rows = history(engine)
    assert [(r.old_model, r.new_model, r.reason, r.triggered_by) for r in rows] == [
        ("", "m1", "first model", "manual"),
        ("m1", "m2", "cheaper", "manual"),
    ]
    assert rows[1].day == (SWAPPED + DAY).astimezone(SEOUL).date()
    back = roll_back(engine, second, "answers in prose", SWAPPED + 2 * DAY, SEOUL)
    rows = history(engine)
    assert (rows[1].status, rows[2].id, rows[2].rolls_back) == ("rolled_back", back, SWAPPED + DAY)
    assert (rows[2].triggered_by, rows[2].reason, rows[2].new_provider) == (
        "manual",
        "answers in prose",
        "acme",
    )
    assert model_of(engine) == "m1"
    with pytest.raises(Refused, match="roll back the newest swap"):
        roll_back(engine, first, "why not", SWAPPED + 2 * DAY, SEOUL)
    for number in (second, back, 999):
        with pytest.raises(Refused, match=f"There is no swap {number} that could be rolled back"):
            roll_back(engine, number, "why not", SWAPPED + 3 * DAY, SEOUL)


@pytest.mark.parametrize(
    ("agent", "to", "reason", "told"),
    [
        ("news", ("acme", "m2"), "", "needs a reason"),
        ("news", ("acme", "m2"), " \n", "needs a reason"),
        ("", ("acme", "m2"), "x", "needs an agent and a model"),
        ("news", ("acme", " "), "x", "needs an agent and a model"),
        ("news", ("acme", "m1"), "x", "news runs on m1 already"),
    ],
)
def test_a_swap_that_is_none_is_refused(
    engine: Engine, agent: str, to: tuple[str, str], reason: str, told: str
) -> None:
    swap(engine, "news", ("acme", "m1"), "first", SWAPPED, SEOUL)
    with pytest.raises(Refused, match=told):
        swap(engine, agent, to, reason, SWAPPED + DAY, SEOUL)
    assert len(history(engine)) == 1


def test_two_at_once_roll_back_once(got_worse: Engine) -> None:
    start = threading.Barrier(2)

    def run() -> None:
        start.wait()
        check(got_worse)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [row.status for row in history(got_worse)] == ["rolled_back", "kept"]
    assert model_of(got_worse) == "m1"


DYING = """
import os, signal, sys
from datetime import datetime
import settings
from db.engine import default_engine
from jobs import swap_checking
from jobs.job import Parameters

place = sys.argv[1]
before = getattr(swap_checking, place)

def dies(*args, **more):
    if sys.argv[2] == "after":
        before(*args, **more)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(swap_checking, place, dies)

class Here:
    now = datetime.fromisoformat(sys.argv[3])
    zone = settings.current().zone
    today = now.date()
    id = None
    def progress(self, done, message): pass
    def log(self, line): pass

swap_checking.check(default_engine(), Parameters(), Here())
"""


@pytest.mark.parametrize(
    ("place", "engine_name"), in_turn("settle after", "take_back before", "take_back after")
)
def test_killed_in_the_middle_assignment_and_history_agree(got_worse: Engine, place: str) -> None:
    before = history(got_worse)
    url = got_worse.url.render_as_string(hide_password=False)
    died = subprocess.run(
        [sys.executable, "-c", DYING, *place.split(), NOW.isoformat()],
        cwd=settings.ROOT,
        env=os.environ | {"DATABASE_URL": url},
        check=False,
        timeout=60,
    )
    assert died.returncode == -signal.SIGKILL
    assert (history(got_worse), model_of(got_worse)) == (before, "m2")
    check(got_worse)
    assert [row.status for row in history(got_worse)] == ["rolled_back", "kept"]
    assert model_of(got_worse) == "m1"


@pytest.mark.parametrize(
    ("agent", "model", "told"),
    [
        ("*", "m2", "stands for all of them together"),
        ("(unattributed)", "m2", "stands for all of them together"),
        ("y" * 300, "m2", "more than 200 characters"),
        ("ev\u202eil", "m2", "cannot be seen"),
        ("news", "m\0", "cannot be seen"),
    ],
)
def test_names_that_no_import_takes_are_refused(engine: Engine, agent: str, model: str, told: str) -> None:
    with pytest.raises(Refused, match=told):
        swap(engine, agent, ("acme", model), "try", SWAPPED, SEOUL)
    assert history(engine) == []


def test_what_has_no_model_to_go_back_to_is_left_alone(got_worse: Engine) -> None:
    with got_worse.begin() as connection:
        connection.execute(update(ModelEvolution).values(old_model="", old_provider=""))
    check(got_worse)
    (row,) = history(got_worse)
    assert (row.status, row.verdict, model_of(got_worse)) == ("inconclusive", "nothing to go back to", "m2")
    with pytest.raises(Refused, match="What news ran on before that swap is not known"):
        roll_back(got_worse, row.id, "why not", NOW, SEOUL)


def test_a_rollback_by_hand_keeps_the_record_of_the_validation(engine: Engine) -> None:
    swapped(engine)
    traded(engine, SWAPPED - 3 * DAY, wins=8, losses=8)
    traded(engine, SWAPPED + DAY, wins=14, losses=2, start=100)
    check(engine)
    roll_back(engine, history(engine)[0].id, "answers in prose", NOW + DAY, SEOUL)
    first = history(engine)[0]
    assert (first.status, first.verdict, first.validated_at) == ("rolled_back", "by hand", NOW)


def test_names_that_are_no_agents_have_no_share_in_the_judgement_either(got_worse: Engine) -> None:
    """The same as without them: rows of them can only come by plain SQL."""
    rehearsed = check(got_worse, dry_run=True).result["swaps"]
    given = {"news": 0.5, "chart": 0.5, "*": 1.0, "": 0.7, "too much": 7.0}
    with got_worse.begin() as connection:
        connection.execute(update(TradeRecord).values(agent_contributions=given))
    assert check(got_worse, dry_run=True).result["swaps"] == rehearsed
