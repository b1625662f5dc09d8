"""Trades and calls for tests: rows by hand, drawn ones, and real files read without our import."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from sqlalchemy import Engine, insert

from db.clock import business_day

SEOUL = ZoneInfo("Asia/Seoul")
NOON = datetime(2026, 11, 18, 3, 0, tzinfo=UTC)  # a Wednesday, 12:00 in Seoul


def trade(number: int, pnl: float | None, contributions: dict[str, float], **more: Any) -> dict[str, Any]:
    """A row of trade_records at noon of a Wednesday, unless `timestamp` says otherwise."""
    at = more.pop("timestamp", NOON)
    row = {
        "trade_id": f"t{number}",
        "timestamp": at,
        "day": business_day(at, SEOUL),
        "market": "KRX",
        "ticker": "TIDE",
        "side": "sell",
        "quantity": 10.0,
        "price": 100.0,
        "pnl": pnl,
        "agent_contributions": contributions,
        "decision_confidence": None,
        "decision_time_seconds": None,
        "human_intervened": False,
    }
    return row | more


def call(number: int, **more: Any) -> dict[str, Any]:
    """A row of llm_usage_log at the same noon."""
    at = more.pop("timestamp", NOON)
    row = {
        "request_id": f"r{number}",
        "timestamp": at,
        "day": business_day(at, SEOUL),
        "agent_name": "news",
        "provider": "acme",
        "model": "m1",
        "prompt_tokens": None,
        "completion_tokens": None,
        "tokens_used": None,
        "cost_usd": None,
        "cost_computed": False,
        "response_time_ms": None,
        "request_type": "chat",
        "success": None,
    }
    return row | more


def store(engine: Engine, table: Any, rows: list[dict[str, Any]]) -> None:
    with engine.begin() as connection:
        connection.execute(insert(table), rows)


def drawn_trades(seed: int, n: int, agents: int = 5, days: int = 40) -> list[dict[str, Any]]:
    """Random trades: some of nobody, some open, some break-even, in two markets."""
    random = np.random.default_rng(seed)
    rows = []
    for k in range(n):
        names = random.choice(agents, size=int(random.integers(0, agents)), replace=False)
        given = {f"agent-{name}": round(float(random.choice([0.0, random.random()])), 3) for name in names}
        pnl = float(
            random.choice([0.0, np.round(random.normal(0, 100), 2), np.round(random.normal(0, 1e6), 2)])
        )
        at = NOON - timedelta(hours=float(random.uniform(0, 24 * days)))
        rows.append(
            trade(
                k,
                None if random.random() < 0.15 else pnl,
                given,
                timestamp=at,
                market=str(random.choice(["KRX", "NASDAQ", ""])),
                decision_confidence=None if random.random() < 0.3 else float(random.integers(0, 11)) / 10,
                decision_time_seconds=None if random.random() < 0.5 else float(random.uniform(0, 60)),
                human_intervened=bool(random.random() < 0.05),
            )
        )
    return rows


def trades_of(file: Path) -> list[dict[str, Any]]:
    """A real file of trades, read by pandas."""
    found = pd.read_csv(file)
    rows = []
    for k, line in enumerate(found.itertuples(index=False)):
        at = datetime.fromisoformat(line.timestamp)
        confidence = None if pd.isna(line.decision_confidence) else float(line.decision_confidence)
        rows.append(
            trade(
                k,
                None if pd.isna(line.pnl) else float(line.pnl),
                json.loads(line.agent_contributions),
                timestamp=at.astimezone(UTC),
                market=line.market,
                side=line.side,
                decision_confidence=confidence,
            )
        )
    return rows


def calls_of(file: Path) -> list[dict[str, Any]]:
    """A real file of calls, read by pandas."""
    found = pd.read_csv(file)
    numbers = dict.fromkeys(("cost_usd", "response_time_ms"), float)
    numbers |= dict.fromkeys(("prompt_tokens", "completion_tokens", "tokens_used"), int)
    rows = []
    for k, line in enumerate(found.itertuples(index=False)):
        at = datetime.fromisoformat(line.timestamp)
        given: dict[str, Any] = {
            name: None if pd.isna(getattr(line, name)) else kind(getattr(line, name))
            for name, kind in numbers.items()
        }
        for name in ("agent_name", "provider", "model"):
            given[name] = "" if pd.isna(getattr(line, name)) else getattr(line, name)
        success = None if pd.isna(line.success) else bool(line.success)
        rows.append(call(k, timestamp=at.astimezone(UTC), success=success, **given))
    return rows
