"""What calls of models cost by the price book: at an import, and afterwards."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from sqlalchemy import Engine, delete, func, select

from db import recosting, writers
from db.__main__ import main
from db.importing import Report, import_file
from db.price_book import Price, PriceBook
from db.recosting import Recosted, Which
from db.tables.operations import StaleMark
from db.tables.usage import LlmPrice, LlmUsage

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
LATER = NOW.replace(hour=5)
ZONE = ZoneInfo("Asia/Seoul")
AT = "2026-11-09T12:00:00Z"
HEAD = "request_id,timestamp,provider,model,prompt_tokens,completion_tokens,cached_tokens,cost_usd\n"
Bring = Callable[..., Report]


@pytest.fixture
def bring(engine: Engine, tmp_path: Path) -> Bring:
    def do(text: str, now: datetime = NOW, dry_run: bool = False) -> Report:
        file = tmp_path / "file.csv"
        file.write_text(text)
        return import_file(engine, "llm_usage_log", file, zone=ZONE, now=now, dry_run=dry_run)

    return do


@pytest.fixture
def book(engine: Engine) -> None:
    sell(engine, ("p", "m", "1970-01-01", 1.0, 10.0, 0.5), ("p", "m", "2026-11-10", 2.0, 20.0, None))
    sell(engine, ("p", "embed", "1970-01-01", 3.0, None, None), ("q", "only", "1970-01-01", 1.0, 1.0, None))
    sell(
        engine, ("p", "free", "1970-01-01", None, None, None), ("huge", "huge", "1970-01-01", 1e9, 1e9, None)
    )


def sell(engine: Engine, *rows: tuple[Any, ...]) -> None:
    names = ("provider", "model", "valid_from", "input", "output", "cached")
    writers.store_llm_prices([dict(zip(names, row, strict=True)) for row in rows], engine=engine, now=NOW)


def costs(engine: Engine) -> dict[str, tuple[float | None, bool]]:
    u = LlmUsage
    with engine.connect() as connection:
        return {
            row[0]: (row[1], row[2])
            for row in connection.execute(select(u.request_id, u.cost_usd, u.cost_computed))
        }


def test_the_price_of_a_day() -> None:
    early, late, other = Price(1, 2), Price(3, 4), Price(5, 6)
    book = PriceBook(
        [
            ("p", "m", date(2026, 11, 10), late),
            ("p", "m", date(2026, 11, 1), early),
            ("q", "m", date(2026, 11, 5), other),
            ("q", "n", date(2026, 11, 5), other),
            ("r", "n", date(2026, 11, 5), other),
            ("s", "n", date(2026, 11, 1), Price(None, None)),
        ]
    )
    day = date(2026, 11, 9)
    assert book.price("p", "m", day) == early
    assert book.price("p", "m", date(2026, 11, 10)) == late
    assert book.price("p", "m", date(2026, 10, 31)) is None
    assert book.price("", "m", date(2026, 11, 4)) == early  # only one sells it then
    assert book.price("", "m", day) is None  # two do, at two prices
    assert book.price("", "n", day) == other  # at one price
    assert book.price("P", "n", day) == other  # not in the book
    assert book.price("p", "n", day) is None  # in the book, without this model
    assert book.price("", "x", day) is None


@pytest.mark.usefixtures("book")
def test_calls_without_a_cost_get_it_from_the_book(engine: Engine, bring: Bring) -> None:
    rows = {
        "plain": ("p,m,100,10,", 200.0),
        "cached": ("p,m,100,10,40", 60 * 1 + 40 * 0.5 + 100),
        "all cached": ("p,m,100,10,400", 100 * 0.5 + 100),
        "no output": ("p,embed,100,0,", 300.0),
        "no output price": ("p,embed,100,1,", None),
        "no tokens known": ("p,m,,10,", None),
        "nothing": ("p,m,0,0,", 0.0),
        "another provider": (",only,2,3,", 5.0),
        "no model": ("p,unknown,1,1,", None),
        "no price": ("p,free,1,1,", None),
        "a slip": ("huge,huge,1000,1000,", None),
    }
    text = HEAD + "".join(f"{name},{AT},{cells},\n" for name, (cells, _cost) in rows.items())
    assert bring(text, dry_run=True).new == len(rows)
    assert bring(text).new == len(rows)
    assert costs(engine) == {name: (cost, cost is not None) for name, (_cells, cost) in rows.items()}
    assert bring(text, now=LATER).unchanged == len(rows)


@pytest.mark.usefixtures("book")
def test_a_call_has_the_price_of_its_business_day(engine: Engine, bring: Bring) -> None:
    bring(f"{HEAD}a,2026-11-09T14:59:59Z,p,m,1,0,,\nb,2026-11-09T15:00:00Z,p,m,1,0,,\nc,{AT},p,m,1,0,1,\n")
    assert costs(engine) == {"a": (1, True), "b": (2, True), "c": (0.5, True)}


@pytest.mark.usefixtures("book")
def test_what_was_billed_always_wins(engine: Engine, bring: Bring) -> None:
    bring(f"{HEAD}a,{AT},p,m,1,0,,7\nb,{AT},p,m,1,0,,\n")
    assert costs(engine) == {"a": (7, False), "b": (1, True)}
    assert bring(f"{HEAD}b,{AT},p,m,1,0,,1\n", now=LATER).updated == 1  # billed, at what was computed
    assert costs(engine)["b"] == (1, False)
    corrected = "request_id,timestamp,prompt_tokens\n"
    assert bring(f"{corrected}a,{AT},3\nb,{AT},3\n", now=LATER).updated == 2
    assert costs(engine) == {"a": (7, False), "b": (1, False)}  # the file has no costs
    assert bring(f"{HEAD}a,{AT},p,m,3,0,,\n", now=LATER).updated == 1
    assert costs(engine)["a"] == (3, True)  # this one says that none was billed


@pytest.mark.usefixtures("book")
def test_a_computed_cost_follows_its_tokens_and_not_the_book(engine: Engine, bring: Bring) -> None:
    text = f"{HEAD}a,{AT},p,m,1,0,,\nb,{AT},p,new,1,0,,\n"
    bring(text)
    sell(engine, ("p", "m", "1970-01-01", 4.0, 10.0, None), ("p", "new", "1970-01-01", 6.0, 10.0, None))
    report = bring(text, now=LATER)
    assert (report.updated, report.unchanged) == (1, 1)  # b has a price now
    assert costs(engine) == {"a": (1, True), "b": (6, True)}
    for dry_run in (True, False):
        report = bring(f"request_id,timestamp,prompt_tokens\na,{AT},5\nb,{AT},1\n", LATER, dry_run)
        assert (report.updated, report.unchanged) == (1, 1)
    assert costs(engine) == {"a": (20, True), "b": (6, True)}


@pytest.mark.usefixtures("book")
def test_the_book_is_applied_to_what_is_there(
    engine: Engine, bring: Bring, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recosting, "STEP", 2)
    day = "2026-11-11T00:00:00Z"
    bring(
        f"{HEAD}a,{AT},p,m,1,0,,\nb,{AT},p,x,1,0,,9\nc,{AT},p,x,1,0,,\nd,{day},p,x,1,0,,\ne,{day},p,y,1,0,,\n"
    )
    with engine.begin() as connection:
        connection.execute(delete(StaleMark))
    sell(engine, ("p", "m", "1970-01-01", 4.0, 10.0, None), ("p", "x", "1970-01-01", 6.0, 10.0, None))
    assert recosting.preview(engine, Which()) == [
        Recosted("p", "x", looked_at=2, rows=2, before=0, after=12),
        Recosted("p", "y", looked_at=1, rows=0, before=0, after=0),
    ]
    assert main(["prices", "apply", "--since", "2026-11-11", "--agent", "nobody"]) == 0
    assert main(["prices", "apply", "--since", "2026-11-11", "--dry-run"]) == 0
    assert "Dry run. Would get another cost: 1 row" in capsys.readouterr().out
    assert costs(engine)["d"] == (None, False)
    assert main(["prices", "apply", "--since", "2026-11-11"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "p x: 1 of 1 rows, $0.0000 → $6.0000",
        "p y: 0 of 1 rows, $0.0000 → $0.0000",
        "Without a price, or without the tokens that it takes: 1 row",
        "Got another cost: 1 row",
        "Now run: python -m jobs run aggregate_agents",
    ]
    with engine.connect() as connection:
        assert connection.scalars(select(StaleMark.day).distinct()).all() == [date(2026, 11, 11)]
    assert main(["prices", "apply", "--all"]) == 0
    assert "p m: 1 of 1 rows, $1.0000 → $4.0000" in capsys.readouterr().out
    found = costs(engine)
    assert found == {"a": (4, True), "b": (9, False), "c": (6, True), "d": (6, True), "e": (None, False)}
    assert main(["prices", "apply", "--all"]) == 0
    assert "Got another cost: 0 rows" in capsys.readouterr().out
    assert main(["prices", "apply", "--since", "tomorrow"]) == 2


def test_real_calls_by_a_real_price_map(engine: Engine, shared_data: Path) -> None:
    (prices,) = shared_data.glob("C_price_map__*")
    (calls,) = shared_data.glob("C_llm_usage_log__aider*")
    assert import_file(engine, "llm_prices", prices, zone=ZONE, now=NOW).new == 4_552
    import_file(engine, "llm_usage_log", calls, zone=ZONE, now=NOW)
    assert import_file(engine, "llm_usage_log", calls, zone=ZONE, now=LATER).unchanged == len(
        pd.read_csv(calls)
    )
    given = pd.read_csv(calls)
    unbilled = given[given["cost_usd"].isna()]
    map_ = pd.read_csv(prices)
    joined = unbilled.merge(map_, on=["provider", "model"])
    expected = (
        joined["prompt_tokens"] * joined["input_cost_per_token"]
        + joined["completion_tokens"] * joined["output_cost_per_token"]
    )
    in_book = set(map_["provider"].dropna())
    u = LlmUsage
    computed = select(func.count(), func.sum(u.cost_usd)).where(u.cost_computed, u.provider.in_(in_book))
    with engine.connect() as connection:
        n, total = connection.execute(computed).one()
        billed = connection.scalar(select(func.sum(u.cost_usd)).where(~u.cost_computed))
        assert connection.scalar(select(func.count()).select_from(LlmPrice)) == 4_552
    assert billed == pytest.approx(given["cost_usd"].sum())
    assert (n, total or 0) == (expected.count(), pytest.approx(expected.sum()))
