"""The demo's agents: a year of trades that sixteen of them took part in, the calls they made, and four swaps.

One loses money of late; a cheaper model made another worse and was rolled back; one call cost what a thousand do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from db.clock import business_day, to_utc
from db.demo.holding import DEMO_AGENT, DEMO_ID

SEED = 20_261_121
TRADES_A_DAY, CALLS_A_DAY = 22, 5
MARKETS = {"USD": 1.0, "KRW": 1_300.0}
TICKERS = ("HARBOR", "REEF", "SHOAL", "TIDE", "BUOY")
OPENS = time(9, 0)
OPEN_MINUTES = 7 * 60

Row = dict[str, Any]


@dataclass(frozen=True)
class Model:
    """An invented model: US dollars a million tokens (in, out), milliseconds of a usual call, share that fails."""

    provider: str
    name: str
    dollars: tuple[float, float]
    usual_ms: float
    failing: float = 0.01


SMALL = Model("acme", "tide-mini", (0.15, 0.60), 900)
LARGE = Model("acme", "tide-2", (2.5, 10.0), 2_400)
OTHER = Model("borealis", "reef-7b", (0.6, 2.4), 1_500, failing=0.04)
DEEP = Model("cirrus", "shoal-think", (3.0, 15.0), 9_000, failing=0.02)


@dataclass(frozen=True)
class Swap:
    """So many days ago the agent went to another model, which moved its skill until it was taken back."""

    days_ago: int
    to: Model
    skill: float
    reason: str
    by: str = "automatic"


@dataclass(frozen=True)
class Agent:
    """`skill` is what it adds to the chance that a trade wins; `late_skill` that of its last five weeks."""

    name: str
    role: str
    model: Model
    skill: float = 0.02
    late_skill: float | None = None
    a_week: float = 1.0
    swap: Swap | None = None

    def skill_on(self, days_ago: int, back: int | None) -> float:
        """`back`: how many days ago the swap was taken back, if it was."""
        if self.swap and days_ago <= self.swap.days_ago and (back is None or days_ago >= back):
            return self.swap.skill
        return self.skill if self.late_skill is None or days_ago > 35 else self.late_skill

    def model_on(self, days_ago: int, back: int | None) -> Model:
        swapped = self.swap and days_ago <= self.swap.days_ago and (back is None or days_ago >= back)
        return self.swap.to if self.swap and swapped else self.model


def _agent(name: str, *rest: Any, **more: Any) -> Agent:
    return Agent(DEMO_AGENT + name, *rest, **more)


AGENTS = (
    _agent(
        "news", "reads the news", SMALL, 0.04, swap=Swap(41, LARGE, 0.6, "A larger model was cheap enough.")
    ),
    _agent("filings", "reads filings", LARGE, 0.06),
    _agent("earnings", "reads results", LARGE, 0.05),
    _agent("sentiment", "reads forums", LARGE, 0.3, swap=Swap(60, SMALL, -3.0, "A cheaper model.")),
    _agent("chart", "reads charts", OTHER, 0.03, swap=Swap(4, SMALL, 0.03, "Fewer failed calls.", "manual")),
    _agent("momentum", "follows trends", SMALL, 0.07),
    _agent("reversal", "bets against trends", SMALL, 0.00),
    _agent("macro", "watches the economy", DEEP, 0.02, late_skill=-0.55),
    _agent("rates", "watches interest", DEEP, 0.03),
    _agent("flows", "watches funds", OTHER, 0.01),
    _agent("options", "watches options", SMALL, 0.04),
    _agent("sector", "compares sectors", SMALL, 0.05),
    _agent("peers", "compares peers", SMALL, 0.02),
    _agent(
        "risk", "says no", DEEP, 0.08, a_week=0.1, swap=Swap(20, LARGE, 0.0, "Answers sooner.", "scheduled")
    ),
    _agent("sizing", "says how much", SMALL, 0.05),
    _agent("timing", "says when", OTHER, 0.01),
)
DEAR_DAYS_AGO, DEAR_DOLLARS = 12, 61.37


def open_days(today: date, days: int) -> Iterator[tuple[date, int]]:
    """The weekdays of the year, oldest first, and how many days ago each was."""
    for ago in range(days, -1, -1):
        day = today - timedelta(days=ago)
        if day.weekday() < 5:
            yield day, ago


def trades(zone: ZoneInfo, now: datetime, days: int, backs: dict[str, int]) -> list[Row]:
    """Rows of trade_records up to a moment; `backs`: how many days ago whose swap was taken back."""
    rows: list[Row] = []
    for day, ago in open_days(business_day(now, zone), days):
        random = np.random.default_rng([SEED, 1, day.toordinal()])
        rows += [row for row in _trades_of(day, ago, backs, zone, random) if row["timestamp"] <= now]
    return rows


def _trades_of(
    day: date, ago: int, backs: dict[str, int], zone: ZoneInfo, random: np.random.Generator
) -> Iterator[Row]:
    shares = np.array([agent.a_week for agent in AGENTS])
    for k, minute in enumerate(sorted(random.integers(0, OPEN_MINUTES, TRADES_A_DAY))):
        at = to_utc(datetime.combine(day, OPENS) + timedelta(minutes=int(minute), seconds=k), zone)
        market = str(random.choice(list(MARKETS), p=[0.6, 0.4]))
        size = int(random.integers(2, 6))
        chosen = random.choice(len(AGENTS), size, replace=False, p=shares / shares.sum())
        given = {AGENTS[i].name: round(float(random.uniform(0.1, 1)), 2) for i in chosen}
        total = sum(given.values())
        skill = sum(
            AGENTS[i].skill_on(ago, backs.get(AGENTS[i].name)) * given[AGENTS[i].name] for i in chosen
        )
        chance = float(np.clip(0.5 + 2.2 * skill / total, 0.05, 0.95))
        amount = float(random.lognormal(4.0, 0.8)) * MARKETS[market]
        won, is_open = random.random() < chance, random.random() < 0.06
        bought = random.random() < 0.5
        said = float(np.clip(chance + random.normal(0.08, 0.09), 0.02, 0.99))
        yield {
            "trade_id": f"{DEMO_ID}{day:%Y%m%d}-{k + 1:03d}",
            "timestamp": at,
            "day": day,
            "market": market,
            "ticker": str(random.choice(TICKERS)),
            "side": "buy" if bought else "sell",
            "quantity": float(random.integers(1, 40) * 5),
            "price": round(float(random.uniform(20, 300)) * MARKETS[market], 2),
            "pnl": None if is_open else round(amount if won else -amount, 2 if market == "USD" else 0),
            "agent_contributions": given if random.random() < 0.985 else {},
            "decision_confidence": round(said, 3),
            "decision_time_seconds": round(float(random.lognormal(2.2, 0.5)), 1),
            "human_intervened": bool(random.random() < 0.01),
            "updated_at": at,
        }


def calls(zone: ZoneInfo, now: datetime, days: int, backs: dict[str, int]) -> Iterator[Row]:
    """Rows of llm_usage_log up to a moment."""
    for day, ago in open_days(business_day(now, zone), days):
        random = np.random.default_rng([SEED, 2, day.toordinal()])
        dear = ago == DEAR_DAYS_AGO or (DEAR_DAYS_AGO - 3 < ago < DEAR_DAYS_AGO and day.weekday() == 0)

        for number, agent in enumerate(AGENTS):
            model = agent.model_on(ago, backs.get(agent.name))
            for k in range(int(random.poisson(CALLS_A_DAY))):
                row = _call(agent, model, day, zone, random)
                if agent.name.endswith("rates") and k == 0 and dear:
                    row |= {
                        "completion_tokens": 4_091_333,
                        "cost_usd": DEAR_DOLLARS,
                        "response_time_ms": 540_000.0,
                    }
                row["request_id"] = f"{DEMO_ID}{day:%Y%m%d}-{number:02d}-{k + 1:02d}"
                if row["timestamp"] <= now:
                    yield row


def _call(agent: Agent, model: Model, day: date, zone: ZoneInfo, random: np.random.Generator) -> Row:
    at = to_utc(
        datetime.combine(day, OPENS) + timedelta(seconds=int(random.integers(0, OPEN_MINUTES * 60))), zone
    )
    prompt, answer = int(random.lognormal(7.6, 0.6)), int(random.lognormal(5.6, 0.7))
    failed = bool(random.random() < model.failing)
    if failed:
        answer = 0
    cost = (prompt * model.dollars[0] + answer * model.dollars[1]) / 1e6
    return {
        "timestamp": at,
        "day": day,
        "agent_name": agent.name,
        "provider": model.provider,
        "model": model.name,
        "prompt_tokens": prompt,
        "completion_tokens": answer,
        "tokens_used": prompt + answer,
        "cost_usd": round(cost, 8),
        "response_time_ms": round(float(random.lognormal(np.log(model.usual_ms), 0.45)), 1),
        "request_type": "analysis",
        "success": not failed,
        "error_message": "the model is overloaded" if failed else None,
        "updated_at": at,
    }
