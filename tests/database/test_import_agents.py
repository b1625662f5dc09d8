"""Trades, calls of models, prices, swaps and assignments, from files and programs; also the real files."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, insert, select

from db import writers
from db.exporting import export_table
from db.importing import Report, import_file
from db.importing.cells import Rejected, Surroundings
from db.importing.json_cells import Contributions, Json
from db.importing.whole_numbers import Whole
from db.tables import metadata
from db.tables.agents import AgentAssignment, ModelEvolution, TradeRecord
from db.tables.operations import StaleMark
from db.tables.usage import LlmPrice, LlmUsage
from db.writers import store_swaps

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Seoul")
WHERE = Surroundings(ZONE, NOW)
AT = "2026-11-09T12:00:00Z"
Bring = Callable[..., Report]


@pytest.fixture
def bring(engine: Engine, tmp_path: Path) -> Bring:
    def do(table: str, text: str, name: str = "file.csv", **options: Any) -> Report:
        file = tmp_path / name
        file.write_text(text)
        return import_file(engine, table, file, zone=ZONE, now=NOW, **options)

    return do


def stored(engine: Engine, table: Any, *names: str) -> list[Any]:
    columns = [getattr(table, name) for name in names]
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(table.id))]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("{}", {}),
        ('{"a": 1.0}', {"a": 1.0}),
        ('{"b": 0, "a": 1, " c ": 0.25}', {"b": 0, "a": 1, "c": 0.25}),
        ('{"a": null, "b": 0.5}', {"b": 0.5}),
        ('{"cafe\\u0301": 0.5}', {"café": 0.5}),
    ],
)
def test_contributions(cell: str, found: dict[str, float]) -> None:
    assert Contributions().one(cell, WHERE) == found


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("{'a': 1.0}", "“{'a': 1.0}” is not JSON; write it as {\"agent\": 0.6}"),
        ("nobody", "“nobody” is not JSON"),
        ('["a"]', "is not an object"),
        ("0.5", "is not an object"),
        ('{"a": 1.5}', '“{"a": 1.5}”: the contribution of “a” is outside 0 to 1'),
        ('{"a": -0.1}', "is outside 0 to 1"),
        ('{"a": Infinity}', "is outside 0 to 1"),
        ('{"a": 1' + "0" * 400 + "}", "is outside 0 to 1"),
        ('{"a": NaN}', "the contribution of “a” is not a number"),
        ('{"a": "0.5"}', "is not a number"),
        ('{"a": true}', "is not a number"),
        ('{"a": {"b": 1}}', "is not a number"),
        ('{"": 1}', "“” is no name of an agent"),
        ('{"*": 1}', "“*” is no name of an agent: it has a meaning of its own"),
        ('{"(unattributed)": 1}', "“(unattributed)” is no name of an agent"),
        ('{"a": 1, "a": 0}', "names “a” twice"),
        ('{"a": 1, " a": 0}', "names “a” twice"),
        ('{"caf\\u00e9": 1, "cafe\\u0301": 0}', "names “café” twice"),
        ('{"' + "a" * 201 + '": 1}', "has more than 200 characters"),
        ('{"a\\nb": 1}', "cannot be seen"),
        ('{"\\ud800": 1}', "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("9" * 5_000, "is not JSON"),
    ],
)
def test_what_are_no_contributions(cell: str, told: str) -> None:
    with pytest.raises(Rejected) as rejected:
        Contributions().one(cell, WHERE)
    assert told in str(rejected.value)
    assert "agent_contributions" in rejected.value.about("agent_contributions")


@pytest.mark.parametrize(
    "cell", ['{"a": NaN}', "[Infinity]", '{"a": 1, "a": 2}', '"\\u0000"', "'a'", "1e999"]
)
def test_what_no_database_keeps_as_json(cell: str) -> None:
    with pytest.raises(Rejected):
        Json().one(cell, WHERE)


@given(st.lists(st.from_regex(r"-?[0-9]{0,3}(\.[0-9]{0,2})?(e1)?", fullmatch=True), max_size=6))
def test_a_whole_column_of_numbers_is_read_as_its_cells_are(cells: list[str]) -> None:
    kind = Whole(0, 900)
    together = kind.all(cells, WHERE)
    if together is not None:
        assert together == [kind.one(cell, WHERE) if cell else None for cell in cells]


def test_whole_numbers_as_programs_write_them() -> None:
    assert [Whole(0, 10_000).one(cell, WHERE) for cell in ("638.0", "638", "1e3")] == [638, 638, 1000]
    for cell in ("638.5", "-1", "x", "nan", "1e9"):
        with pytest.raises(Rejected):
            Whole(0, 10_000).one(cell, WHERE)


def test_trades_with_little_known_of_them(engine: Engine, bring: Bring) -> None:
    text = f"""trade_id,timestamp,market,ticker,side,quantity,pnl,agent_contributions,decision_confidence
1,{AT},KRX,005930,BUY,10,,"{{""a"": 0.7, ""b"": 0.3}}",0.9
2,{AT},NASDAQ,NVDA,Sell,10,-3.5,{{}},
3,2026-11-09T15:00:00Z,,,sell,,,,
"""
    assert bring("trade_records", text).new == 3
    assert bring("trade_records", text).unchanged == 3
    names = ("trade_id", "market", "side", "pnl", "agent_contributions", "human_intervened", "day")
    assert stored(engine, TradeRecord, *names) == [
        ("1", "KRX", "buy", None, {"a": 0.7, "b": 0.3}, False, date(2026, 11, 9)),
        ("2", "NASDAQ", "sell", -3.5, {}, False, date(2026, 11, 9)),
        ("3", "", "sell", None, {}, False, date(2026, 11, 10)),
    ]
    with engine.connect() as connection:
        marks = connection.execute(select(StaleMark.day, StaleMark.key).distinct())
        assert {tuple(mark) for mark in marks} == {
            (date(2026, 11, 9), "KRX"),
            (date(2026, 11, 9), "NASDAQ"),
            (date(2026, 11, 10), ""),
        }


def test_what_is_wrong_with_trades_is_told_and_the_rest_comes_in(bring: Bring) -> None:
    text = f"""trade_id,timestamp,side,agent_contributions,decision_confidence
1,{AT},hold,,
2,{AT},buy,"{{""a"": 70}}",
3,{AT},buy,"{{""a"": 70, ""b"": 30}}",
4,{AT},buy,,1.5
5,,buy,,
6,{AT},buy,"{{""a"": 0.7}}",0
"""
    report = bring("trade_records", text)
    assert (report.new, report.rejected) == (1, 5)
    assert [str(row) for row in report.rejects] == [
        "file.csv, line 2: side: “hold” is none of buy, sell",
        'file.csv, line 3: agent_contributions: “{"a": 70}”: the contribution of “a” is outside 0 to 1',
        'file.csv, line 4: agent_contributions: “{"a": 70, "b": 30}”: the contribution of “a” is outside 0 to 1',
        "file.csv, line 5: decision_confidence: 1.5 is outside 0 to 1",
        "file.csv, line 6: timestamp: timestamp is missing",
    ]
    (reason,) = [told for told in report.told_reasons() if "contribution" in told]
    assert reason == "2 rows: agent_contributions: the contribution of “a” is outside 0 to 1 (lines 3, 4)"


def test_equal_trades_are_all_kept_whatever_the_order_of_names_in_them(bring: Bring) -> None:
    head = "timestamp,side,pnl,agent_contributions\n"
    one, other = '"{""a"": 0.5, ""b"": 0.2}"', '"{""b"": 0.2, ""a"": 0.5}"'
    assert bring("trade_records", head + f"{AT},sell,1,{one}\n{AT},sell,1,{one}\n").new == 2
    report = bring("trade_records", head + f"{AT},sell,1,{other}\n{AT},sell,1,{one}\n{AT},sell,1,{one}\n")
    assert report.new == 1


def test_objects_of_json_lines(engine: Engine, bring: Bring) -> None:
    row = {"timestamp": AT, "side": "buy", "trade_id": 1, "Agent Contributions": {"a": 1}}
    rows = [
        row | {"analysis_metadata": {"why": ["up", None, 1.5]}},
        row | {"trade_id": 2, "Agent Contributions": '{"a": 0.5}', "analysis_metadata": None},
        row | {"trade_id": 3, "Agent Contributions": {"a": 2}, "analysis_metadata": None},
        row | {"trade_id": 4, "ticker": ["no", "name"]},
    ]
    lines = [json.dumps(row) for row in rows] + [json.dumps(row).replace('{"a": 1}', '{"a": 1, "a": 0.5}')]
    report = bring("trade_records", "\n".join(lines), "file.jsonl")
    assert [str(row) for row in report.rejects] == [
        'file.jsonl, line 3: agent_contributions: “{"a": 2}”: the contribution of “a” is outside 0 to 1',
        "file.jsonl, line 4: ticker holds a list or an object",
        'file.jsonl, line 5: agent_contributions: “{"a": 1, "a": 0.5}” names “a” twice',
    ]
    found = stored(engine, TradeRecord, "agent_contributions", "analysis_metadata")
    assert found == [({"a": 1}, {"why": ["up", None, 1.5]}), ({"a": 0.5}, None)]


def test_structures_and_maps_of_parquet(engine: Engine, tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "trade_id": ["1", "2", "3"],
            "timestamp": pd.to_datetime([AT] * 3),
            "side": "buy",
            "shares": [{"a": 0.5}, {"b": 1.0}, None],  # a structure of both agents
            "tags": [["x"], [], None],
        }
    )
    frame.to_parquet(tmp_path / "a.parquet")
    maps = pa.array([[("a", 0.5)], [("b", 1.0)], None], pa.map_(pa.string(), pa.float64()))
    table = pa.table(
        {"trade_id": ["4", "5", "6"], "timestamp": [AT] * 3, "side": ["buy"] * 3, "shares": maps}
    )
    pq.write_table(table, tmp_path / "b.parquet")
    for name in ("a.parquet", "b.parquet"):
        mapping = {"shares": "agent_contributions"}
        report = import_file(
            engine, "trade_records", tmp_path / name, zone=ZONE, now=NOW, mapping=mapping, keep_demo=True
        )
        assert (report.new, report.rejected) == (3, 0)
    found = [shares for (shares,) in stored(engine, TradeRecord, "agent_contributions")]
    assert found == [{"a": 0.5}, {"b": 1.0}, {}] * 2


def test_calls_with_little_known_of_them(engine: Engine, bring: Bring) -> None:
    text = f"request_id,timestamp,model,prompt_tokens,success,cost\n1,{AT},unknown,638.0,1,0\n2,{AT},,,,\n"
    assert bring("llm_usage_log", text).new == 2
    assert bring("llm_usage_log", text).unchanged == 2
    names = ("agent_name", "model", "prompt_tokens", "cost_usd", "cost_computed", "success")
    assert stored(engine, LlmUsage, *names) == [
        ("", "unknown", 638, 0, False, True),
        ("", "", None, None, False, None),
    ]
    rejected = bring("llm_usage_log", f"timestamp,agent_name,prompt_tokens\n{AT},*,1\n{AT},a,1.5\n").rejects
    told = [str(row).partition(": ")[2] for row in rejected]
    assert told[0] == "agent_name: “*” stands for all of them together"
    assert told[1] == "prompt_tokens: “1.5” is not a whole number"


def test_prices_hold_always_where_no_day_is_said(engine: Engine, bring: Bring) -> None:
    head = "model,provider,mode,input_cost_per_token,output_cost_per_token,cache_read_input_token_cost\n"
    text = head + "m,p,chat,1e-6,2e-6,\nn,,image,,,\n"
    report = bring("llm_prices", text)
    assert (report.new, report.notes) == (2, ["column mode is not known here and was left out"])
    assert bring("llm_prices", text).unchanged == 2
    assert bring("llm_prices", "model,provider,valid_from,input\nm,p,2026-01-01,5e-7\n").new == 1
    names = ("provider", "model", "valid_from", "input", "output", "cached")
    assert stored(engine, LlmPrice, *names) == [
        ("p", "m", date(1970, 1, 1), 1e-6, 2e-6, None),
        ("", "n", date(1970, 1, 1), None, None, None),
        ("p", "m", date(2026, 1, 1), 5e-7, None, None),
    ]
    assert bring("llm_prices", "model,input\nm,-1\n").rejected == 1


def test_swaps_and_assignments(engine: Engine, bring: Bring) -> None:
    swaps = f"timestamp,agent_name,old_model,new_model,triggered_by\n{AT},a,m,n,Manual\n{AT},b,,n,nobody\n"
    report = bring("model_evolution_history", swaps)
    assert [str(row) for row in report.rejects] == [
        "file.csv, line 3: triggered_by: “nobody” is none of automatic, manual, scheduled"
    ]
    names = ("agent_name", "old_provider", "validation_period_days", "rollback_threshold", "status", "reason")
    assert stored(engine, ModelEvolution, *names) == [("a", "", 7, -0.1, "validating", "")]
    for model, new, updated in (("m", 1, 0), ("n", 0, 1)):
        report = bring("agent_assignments", f"agent_name,model,since,role\na,{model},{AT},scout\n")
        assert (report.new, report.updated) == (new, updated)
    with engine.connect() as connection:
        assert connection.scalar(select(AgentAssignment.model)) == "n"


METADATA = [{"why": ["up", {"p": 0.5}]}, [1, 2], "=1+1", "5", 5, 0.25, True, "", None]


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.jsonl", "out.parquet"])
def test_export_and_import_change_nothing(engine: Engine, tmp_path: Path, name: str) -> None:
    trades = [
        {
            "trade_id": f"{number}",
            "timestamp": NOW,
            "side": "sell",
            "pnl": -0.1 * number,
            "agent_contributions": {"나": 0.1, "a b": 1},
            "analysis_metadata": kept,
        }
        for number, kept in enumerate(METADATA)
    ]
    with engine.begin() as connection:
        connection.execute(insert(TradeRecord), trades)
    usage = [
        {"timestamp": NOW, "model": "m", "cost_usd": 1e-7, "cost_computed": True, "error_message": "a\nb"},
        {"timestamp": NOW, "model": "m", "success": False, "prompt_tokens": 3},
    ]
    swap = {"timestamp": NOW, "agent_name": "a", "new_model": "n", "triggered_by": "scheduled"}
    price = {"model": "m", "provider": "p", "input": 3e-7, "source": "me", "valid_from": date(2025, 1, 1)}
    assignment = {"agent_name": "a", "provider": "p", "model": "m", "role": "scout", "since": NOW}
    for store, rows in (
        (writers.store_llm_usage, usage),
        (writers.store_swaps, [swap]),
        (writers.store_llm_prices, [price]),
        (writers.store_assignments, [assignment]),
    ):
        assert store(rows, engine=engine, now=NOW).new == len(rows)
        store(rows, engine=engine, now=NOW)
    for table in (
        *("trade_records", "llm_usage_log", "llm_prices", "model_evolution_history", "agent_assignments"),
    ):
        path = tmp_path / name
        n = export_table(engine, table, path)
        report = import_file(engine, table, path, zone=ZONE, now=NOW)
        assert (report.unchanged, report.rejected, report.notes) == (n, 0, [])
        before = everything(engine, table)
        with engine.begin() as connection:
            connection.execute(delete(metadata.tables[table]))
        assert import_file(engine, table, path, zone=ZONE, now=NOW).new == n
        assert everything(engine, table) == before


def everything(engine: Engine, table: str) -> list[Any]:
    columns = [c for c in metadata.tables[table].c if c.name not in ("id", "updated_at")]
    with engine.connect() as connection:
        return sorted((tuple(row) for row in connection.execute(select(*columns))), key=str)


def test_programs_give_objects_and_numbers_of_their_own(engine: Engine) -> None:
    row = {"trade_id": "1", "timestamp": NOW, "side": "buy"}
    rows = [
        row
        | {"agent_contributions": {"a": np.float32(0.5), "b": np.int64(1)}, "analysis_metadata": {"n": NOW}},
        row | {"trade_id": "2", "agent_contributions": None, "analysis_metadata": float("nan")},
    ]
    assert writers.store_trades(rows, engine=engine, now=NOW).new == 2
    assert writers.store_trades(rows, engine=engine, now=NOW).unchanged == 2
    found = stored(engine, TradeRecord, "agent_contributions", "analysis_metadata")
    assert found == [({"a": 0.5, "b": 1}, {"n": str(NOW)}), ({}, None)]
    for wrong in ({"a": float("nan")}, {(1, 2): 1}, {"a": 1, " a": 1}, [], "a"):
        report = writers.store_trades(
            [row | {"agent_contributions": wrong}], engine=engine, now=NOW, strict=False
        )
        assert report.rejected == 1


def test_real_trades_come_in_as_they_are(engine: Engine, shared_data: Path) -> None:
    for path in sorted(shared_data.glob("E_trade_records__*.csv")):
        given = pd.read_csv(path)
        report = import_file(engine, "trade_records", path, zone=ZONE, now=NOW)
        assert (report.new, report.rejected) == (len(given), 0)
        assert "column agent_name is not known here and was left out" in report.notes
        assert import_file(engine, "trade_records", path, zone=ZONE, now=NOW).unchanged == len(given)
        t = TradeRecord
        with engine.connect() as connection:
            mine = t.market == given["market"].iloc[0]
            found = connection.execute(
                select(func.count(), func.count(t.pnl), func.sum(t.pnl), func.sum(t.quantity)).where(mine)
            ).one()
            agents = connection.scalars(select(t.agent_contributions).where(mine).order_by(t.id)).all()
        pnl = given["pnl"]
        assert tuple(found) == (
            len(given),
            pnl.count(),
            *map(pytest.approx, (pnl.sum(), given["quantity"].sum())),
        )
        assert agents == [json.loads(cell) for cell in given["agent_contributions"]]


def test_real_calls_and_prices_come_in_as_they_are(engine: Engine, shared_data: Path) -> None:
    u = LlmUsage
    for path in sorted(shared_data.glob("C_llm_usage_log__*")):
        given = pd.read_csv(path)
        report = import_file(engine, "llm_usage_log", path, zone=ZONE, now=NOW)
        assert (report.new, report.rejected) == (len(given), 0)
        assert import_file(engine, "llm_usage_log", path, zone=ZONE, now=NOW).unchanged == len(given)
        names = (
            "prompt_tokens",
            "completion_tokens",
            "tokens_used",
            "cost_usd",
            "response_time_ms",
            "success",
        )
        mine = u.agent_name.in_(given["agent_name"].unique().tolist())
        with engine.connect() as connection:
            counts = [func.count(getattr(u, name)) for name in names]
            sums = [func.sum(getattr(u, name)) for name in names[:-1]]
            found = connection.execute(select(*counts, *sums).where(mine)).one()
        assert list(found[: len(names)]) == [given[name].count() for name in names]
        expected = [given[name].sum() for name in names[:-1]]
        assert [float(value or 0) for value in found[len(names) :]] == pytest.approx(expected)
    (path,) = shared_data.glob("C_price_map__*.csv")
    report = import_file(engine, "llm_prices", path, zone=ZONE, now=NOW)
    assert (report.new, report.rejected) == (4_552, 0)
    assert [note.split()[1] for note in report.notes] == ["mode", "max_input_tokens", "max_output_tokens"]
    given = pd.read_csv(path)
    with engine.connect() as connection:
        p = LlmPrice
        found = connection.execute(
            select(func.count(p.input), func.count(p.cached), func.sum(p.output))
        ).one()
    inputs, cached = given["input_cost_per_token"].count(), given["cache_read_input_token_cost"].count()
    assert tuple(found) == (inputs, cached, pytest.approx(given["output_cost_per_token"].sum()))


def test_a_file_from_before_the_check_opens_no_swap_again(engine: Engine) -> None:
    row = {
        "timestamp": NOW,
        "agent_name": "scout",
        "old_model": "m1",
        "new_model": "m2",
        "triggered_by": "manual",
    }
    store_swaps([row | {"status": "validating"}], engine=engine, now=NOW)
    settled = row | {"status": "kept", "validated_at": NOW, "verdict": "not worse"}
    assert store_swaps([settled], engine=engine, now=NOW).updated == 1
    assert store_swaps([row | {"status": "validating"}], engine=engine, now=NOW).unchanged == 1
    assert store_swaps([row | {"reason": "cheaper"}], engine=engine, now=NOW).updated == 1
    m = ModelEvolution
    with engine.connect() as connection:
        assert connection.execute(select(m.status, m.verdict, m.reason)).all() == [
            ("kept", "not worse", "cheaper")
        ]
